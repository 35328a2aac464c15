#pragma once
#include "multiversion.h"

// Kernels over one image [height, width, channels].

/// The maximum of each window and its index in the image, the first of equals. Padding is never the maximum.
OVERLOADED void en_max_pool(
  long height, long width, long channels, long size, long stride, long padding, long outHeight, long outWidth,
  const float *x, float *y, int *indices);
OVERLOADED void en_max_pool(
  long height, long width, long channels, long size, long stride, long padding, long outHeight, long outWidth,
  const double *x, double *y, int *indices);

/// y[i] = x[indices[i]]
OVERLOADED void en_gather(long n, const int *indices, const float *x, float *y);
OVERLOADED void en_gather(long n, const int *indices, const double *x, double *y);

/// dx[indices[i]] += dy[i]
OVERLOADED void en_scatter_add(long n, const int *indices, const float *dy, float *dx);
OVERLOADED void en_scatter_add(long n, const int *indices, const double *dy, double *dx);

/// y[outHeight][outWidth][outChannels] = every `stride`-th pixel of x, its channels at `before`, zeros around them.
OVERLOADED void en_subsample(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before, const float *x,
  float *y);
OVERLOADED void en_subsample(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before, const double *x,
  double *y);

/// The adjoint of en_subsample, added to dx.
OVERLOADED void en_subsample_adjoint(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before, const float *dy,
  float *dx);
OVERLOADED void en_subsample_adjoint(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before,
  const double *dy, double *dx);

/// y = weight · the sum of each window; padding counts as 0.
OVERLOADED void en_window_sum(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, float weight, const float *x, float *y);
OVERLOADED void en_window_sum(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, double weight, const double *x, double *y);

/// The adjoint of en_window_sum: adds weight · dy to each pixel of its window. Overwrites dx.
OVERLOADED void en_window_spread(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, float weight, const float *dy, float *dx);
OVERLOADED void en_window_spread(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, double weight, const double *dy, double *dx);

/// Each output pixel lies between two rows and two columns of the input: rows[2i], rows[2i + 1], of which the second has the weight rowFractions[i].
OVERLOADED void en_interpolate(
  long width, long channels, long outHeight, long outWidth, const int *rows, const float *rowFractions, const int *columns,
  const float *columnFractions, const float *x, float *y);
OVERLOADED void en_interpolate(
  long width, long channels, long outHeight, long outWidth, const int *rows, const double *rowFractions, const int *columns,
  const double *columnFractions, const double *x, double *y);

/// The adjoint of en_interpolate, added to dx.
OVERLOADED void en_interpolate_adjoint(
  long width, long channels, long outHeight, long outWidth, const int *rows, const float *rowFractions, const int *columns,
  const float *columnFractions, const float *dy, float *dx);
OVERLOADED void en_interpolate_adjoint(
  long width, long channels, long outHeight, long outWidth, const int *rows, const double *rowFractions, const int *columns,
  const double *columnFractions, const double *dy, double *dx);
