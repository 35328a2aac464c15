#pragma once
#include "microkernel.h"
#include "multiversion.h"

// Direct convolution as an implicit GEMM: the input pixels under the taps of each output pixel form a row, read in place, and
// the weights are packed in panels of 16 columns.
//
// `from`, `to` and `segments` are the indirection buffer. A pixel is a pair of offsets: `from` into the image, `to` into the
// output. A segment is a contiguous run of input scalars at the same offset from every pixel: with dilation 1 the taps of one
// row of the kernel form one segment.

enum {
  /// The most panels of which a kernel of the weights' gradient reads x in place; for more it packs x.
  en_panel_threshold = 8,
  /// The most rows that it packs.
  en_max_weight_rows = 96,
  /// The most columns of a panel that is stored column by column.
  en_narrow_columns = 4,
  /// The depth from which on lines of the result are prefetched: 64 products of 197×64 by 64×197 took 0.87 of their time.
  en_prefetching_depth = 64,
  /// Rows of a deep panel for which what is next is prefetched at once.
  en_prefetched_rows = 16,
};

/// The margins of images that are padded with zeros; negative margins crop.
typedef struct {
  long images, height, width, channels;
  long top, left, paddedHeight, paddedWidth;
} en_margins;

/// Pads images.
OVERLOADED void en_pad_images(en_margins margins, const float *x, float *padded);
OVERLOADED void en_pad_images(en_margins margins, const double *x, double *padded);

/// A matrix of weights for each of some taps: w[taps[tap] + row · rowStride + column · columnStride].
typedef struct {
  long tapCount;
  const int *taps;
  long rows;
  /// At most en_nr.
  long columns;
  long rowStride, columnStride;
} en_tap_matrices;

/// panel[tap][row][j] = w's row and column j of a tap, and 0 for columns ≤ j < 16.
OVERLOADED void en_pack_panel(en_tap_matrices matrices, const float *w, float *panel);
OVERLOADED void en_pack_panel(en_tap_matrices matrices, const double *w, double *panel);

/// Pixels of a result that the same taps reach: the indirection buffer of a call.
typedef struct {
  /// For each pixel the offset of what its first tap reads in x, and that of its result in y.
  long pixels;
  const int *from, *to;
  /// Runs of `length` contiguous scalars: their offsets from the first tap, and the rows of the panel they are multiplied by.
  long segmentCount;
  const int *segments, *rows;
  long length;
  /// Columns of the panel that are results, at most en_nr; or of two panels, twice as many, and then the scalars from the one to the
  /// other.
  long columns, panelSize;
} en_region;

/// y[to[p] + j] = epilogue of Σ x[from[p] + segments[s] + k] · panel[rows[s] + k][j], over one panel or two.
OVERLOADED void en_convolve(en_region region, const float *x, const float *panel, en_float_epilogue epilogue, float *y);
OVERLOADED void en_convolve(en_region region, const double *x, const double *panel, en_double_epilogue epilogue, double *y);

/// The same for at most `en_narrow_columns` columns and lengths that are multiples of 16. The panel is column-major: columns lie
/// `depth` apart.
OVERLOADED void en_convolve_narrow(
  en_region region, const float *x, const float *panel, long depth, en_float_epilogue epilogue, float *y);
OVERLOADED void en_convolve_narrow(
  en_region region, const double *x, const double *panel, long depth, en_double_epilogue epilogue, double *y);

/// A block of rows of the gradient of weights: row s · length + k is that of scalar k of segment s.
typedef struct {
  /// For each pixel the offset of what its first tap reads in x, and that of its result in dy.
  long pixels;
  const int *from, *to;
  const int *segments;
  long length;
  /// Beyond `en_panel_threshold` panels there are at most `en_max_weight_rows` rows.
  long firstRow, rows;
  /// Of dy.
  long columns;
  /// From panel to panel of the result.
  long panelSize;
} en_weight_rows;

/// panels[j / 16][row - firstRow][j % 16] += Σ x[from[p] + segments[s] + k] · dy[to[p] + j], for rows from `firstRow` on and j <
/// `columns`. `next` are the parts of x and dy to prefetch.
OVERLOADED void en_convolve_weights(
  en_weight_rows block, const float *x, const float *dy, float *panels, const en_prefetch next[2]);
OVERLOADED void en_convolve_weights(
  en_weight_rows block, const double *x, const double *dy, double *panels, const en_prefetch next[2]);
