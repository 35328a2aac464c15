#pragma once
// The 1,797 handwritten digits of the UCI set "Optical Recognition of Handwritten Digits" (its test half).
//
// E. Alpaydin, C. Kaynak, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0; written out by Scripts/embed_digits.py.

enum { ci_digit_count = 1797, ci_digit_pixels = 64 };

/// Grey levels 0...16 of digit `index` in 8 rows of 8, and which digit it is.
int ci_digit(int index, unsigned char levels[64]);
