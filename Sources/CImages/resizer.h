#pragma once
#include "resize.h"

// Resizing row by row, as a decoder gives them: only the few rows that the filter spans are kept.

/// The bytes behind a row that may be read.
enum { ci_row_margin = 16 };

/// The window of the triangle filter along one axis: for each output the first input, the number of inputs, and their weights in
/// units of 2⁻²².
typedef struct {
  int taps;
  int *first, *counts, *weights;
} ci_filter;

typedef struct {
  const ci_resizing *sizes;
  ci_filter down, across;
  /// Across, of three channels: those of four inputs at a time, each for three channels and a zero.
  int *quads;
  int quad_count;
  /// The last rows, filtered across, each in its turn, and their length.
  uint8_t *lines;
  long line;
  /// The next row of the image, and that of the result.
  long next, done;
  uint8_t *y;
  long stride;
} ci_resizer;

/// 0 without memory; the resizer is to be ended all the same.
int ci_resizer_begin(ci_resizer *resizer, const ci_resizing *resizing, uint8_t *y, long new_stride);
/// Takes the next row, of which `ci_row_margin` more bytes may be read.
void ci_resizer_push(ci_resizer *resizer, const uint8_t *row);
void ci_resizer_end(ci_resizer *resizer);
