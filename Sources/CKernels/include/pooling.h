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

/// An image cut into outHeight by outWidth parts: part i of n has the pixels from ⌊i size / n⌋ to ⌈(i + 1) size / n⌉.
typedef struct {
  long height, width, channels, outHeight, outWidth;
} en_parts;

/// The maximum of each part and its index in the image, the first of equals.
OVERLOADED void en_max_parts(en_parts parts, const float *x, float *y, int *indices);
OVERLOADED void en_max_parts(en_parts parts, const double *x, double *y, int *indices);

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
