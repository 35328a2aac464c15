#pragma once
#include "microkernel.h"
#include "multiversion.h"

// Direct convolution as an implicit GEMM: the input pixels under the taps of each output pixel form a row, read in place, and
// the weights are packed in panels of 16 columns.
//
// `from`, `to` and `segments` are the indirection buffer. A pixel is a pair of offsets: `from` into the image, `to` into the
// output. A segment is a contiguous run of input scalars at the same offset from every pixel: with dilation 1 the taps of one
// row of the kernel form one segment.

enum { en_panel_width = 16, en_panel_threshold = 8, en_max_weight_rows = 96, en_narrow_columns = 4 };

/// Pads images with zeros; negative margins crop.
OVERLOADED void en_pad_images(
  long images, long height, long width, long channels, long top, long left, long paddedHeight, long paddedWidth,
  const float *x, float *padded);
OVERLOADED void en_pad_images(
  long images, long height, long width, long channels, long top, long left, long paddedHeight, long paddedWidth,
  const double *x, double *padded);

/// panel[tap][row][j] = w[taps[tap] + row · rowStride + j · columnStride], and 0 for columns ≤ j < 16.
OVERLOADED void en_pack_panel(
  long tapCount, const int *taps, long rows, long columns, long rowStride, long columnStride, const float *w, float *panel);
OVERLOADED void en_pack_panel(
  long tapCount, const int *taps, long rows, long columns, long rowStride, long columnStride, const double *w,
  double *panel);

/// y[to[p] + j] = epilogue of Σ x[from[p] + segments[s] + k] · panel[rows[s] + k][j], over one panel of columns ≤ 16.
OVERLOADED void en_convolve(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const float *x, const float *panel, en_float_epilogue epilogue, long columns, float *y);
OVERLOADED void en_convolve(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const double *x, const double *panel, en_double_epilogue epilogue, long columns, double *y);

/// The same for at most `en_narrow_columns` columns and lengths that are multiples of 16. The panel is column-major: columns lie
/// `depth` apart.
OVERLOADED void en_convolve_narrow(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const float *x, const float *panel, long depth, en_float_epilogue epilogue, long columns, float *y);
OVERLOADED void en_convolve_narrow(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const double *x, const double *panel, long depth, en_double_epilogue epilogue, long columns, double *y);

/// panels[j / 16][row - firstRow][j % 16] += Σ x[from[p] + segments[s] + k] · dy[to[p] + j], for row = s · length + k in
/// `firstRow` ..< `firstRow` + `rows` and j < `columns`. Beyond `en_panel_threshold` panels there are at most `en_max_weight_rows`
/// rows. Panels lie `panelSize` apart. `next` are the parts of x and dy to prefetch.
OVERLOADED void en_convolve_weights(
  long pixels, const int *from, const int *to, const int *segments, long length, long firstRow, long rows, const float *x,
  const float *dy, long columns, float *panels, long panelSize,
  const en_prefetch next[2]);
OVERLOADED void en_convolve_weights(
  long pixels, const int *from, const int *to, const int *segments, long length, long firstRow, long rows,
  const double *x, const double *dy, long columns, double *panels, long panelSize,
  const en_prefetch next[2]);
