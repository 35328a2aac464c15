#!/usr/bin/env python3
"""Writes Sources/CImages/digits.c from the digits.csv.gz that the scikit-learn Python package ships (64 levels and a label a line).

    Scripts/embed_digits.py digits.csv.gz
"""
import gzip
import pathlib
import sys

out = pathlib.Path(__file__).parent.parent / "Sources" / "CImages" / "digits.c"
lines = gzip.open(sys.argv[1], "rt").read().split()
rows = []
for line in lines:
    *levels, label = map(int, line.split(","))
    assert len(levels) == 64 and 0 <= min(levels) and max(levels) <= 16 and 0 <= label <= 9, line
    rows.append('  "' + "".join(chr(ord("a") + level) for level in levels) + f'{label}",')
assert len(rows) == 1797, len(rows)
out.write_text(
    """// A table of data.
// Written by Scripts/embed_digits.py; the source and its licence are in digits.h.
#include "digits.h"

// A line is an image: its 64 grey levels as the letters a to q, then its label.
static const char digits[ci_digit_count][ci_digit_pixels + 2] = {
"""
    + "\n".join(rows)
    + """
};

int ci_digit(int index, unsigned char levels[64]) {
  for (int i = 0; i < ci_digit_pixels; i++) levels[i] = (unsigned char)(digits[index][i] - 'a');
  return digits[index][ci_digit_pixels] - '0';
}
"""
)
