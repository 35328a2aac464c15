#pragma once
#include "multiversion.h"

// Kernels over one image [height, width, channels].

/// Windows of `size` by `size` pixels over an image, `stride` apart, and the outputs that they make.
typedef struct {
  long height, width, channels;
  long size, stride, padding;
  long outHeight, outWidth;
} en_windows;

/// The maximum of each window and its index in the image, the first of equals. Padding is never the maximum.
OVERLOADED void en_max_pool(en_windows windows, const float *x, float *y, int *indices);
OVERLOADED void en_max_pool(en_windows windows, const double *x, double *y, int *indices);

/// y[i] = x[indices[i]]
OVERLOADED void en_gather(long n, const int *indices, const float *x, float *y);
OVERLOADED void en_gather(long n, const int *indices, const double *x, double *y);

/// dx[indices[i]] += dy[i]
OVERLOADED void en_scatter_add(long n, const int *indices, const float *dy, float *dx);
OVERLOADED void en_scatter_add(long n, const int *indices, const double *dy, double *dx);

/// Every `stride`-th pixel of an image of `width`, and where its channels lie among those of the output: from `before` on.
typedef struct {
  long width, channels, stride;
  long outHeight, outWidth, outChannels, before;
} en_subsampling;

/// y[outHeight][outWidth][outChannels] = the pixels of x, zeros around their channels.
OVERLOADED void en_subsample(en_subsampling subsampling, const float *x, float *y);
OVERLOADED void en_subsample(en_subsampling subsampling, const double *x, double *y);

/// The adjoint of en_subsample, added to dx.
OVERLOADED void en_subsample_adjoint(en_subsampling subsampling, const float *dy, float *dx);
OVERLOADED void en_subsample_adjoint(en_subsampling subsampling, const double *dy, double *dx);

/// y = weight · the sum of each window; padding counts as 0.
OVERLOADED void en_window_sum(en_windows windows, float weight, const float *x, float *y);
OVERLOADED void en_window_sum(en_windows windows, double weight, const double *x, double *y);

/// The adjoint of en_window_sum: adds weight · dy to each pixel of its window. Overwrites dx.
OVERLOADED void en_window_spread(en_windows windows, float weight, const float *dy, float *dx);
OVERLOADED void en_window_spread(en_windows windows, double weight, const double *dy, double *dx);

/// Each output pixel lies between two rows and two columns of an image of `width`: rows[2i], rows[2i + 1], of which the second has the
/// weight rowFractions[i], and the same of columns.
typedef struct {
  long width, channels, outHeight, outWidth;
  const int *rows;
  const float *rowFractions;
  const int *columns;
  const float *columnFractions;
} en_float_interpolation;

typedef struct {
  long width, channels, outHeight, outWidth;
  const int *rows;
  const double *rowFractions;
  const int *columns;
  const double *columnFractions;
} en_double_interpolation;

/// y[outHeight][outWidth] = the weighted mean of four pixels of x.
OVERLOADED void en_interpolate(en_float_interpolation interpolation, const float *x, float *y);
OVERLOADED void en_interpolate(en_double_interpolation interpolation, const double *x, double *y);

/// The adjoint of en_interpolate, added to dx.
OVERLOADED void en_interpolate_adjoint(en_float_interpolation interpolation, const float *dy, float *dx);
OVERLOADED void en_interpolate_adjoint(en_double_interpolation interpolation, const double *dy, double *dx);
