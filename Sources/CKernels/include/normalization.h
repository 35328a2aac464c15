#pragma once
#include "multiversion.h"

// Kernels over [rows, channels].

/// sums[c] += Σ d and squares[c] += Σ d², d = x[row][c] - shift[c]; a shift near the mean keeps the variance accurate.
OVERLOADED void en_channel_moments(
  long rows, long channels, const float *shift, const float *x, double *sums, double *squares);
OVERLOADED void en_channel_moments(
  long rows, long channels, const double *shift, const double *x, double *sums, double *squares);

/// A norm of channels: scale · (x - mean) + offset, plus residual where it is not null, then ReLU if `relu`. What `streams` is written
/// past the caches, where rows are whole lines.
typedef struct {
  long rows, channels;
  const float *mean, *scale, *offset, *x, *residual;
  int relu, streams;
} en_float_channel_norm;

typedef struct {
  long rows, channels;
  const double *mean, *scale, *offset, *x, *residual;
  int relu, streams;
} en_double_channel_norm;

/// y = the norm of x
OVERLOADED void en_scale_channels(en_float_channel_norm norm, float *y);
OVERLOADED void en_scale_channels(en_double_channel_norm norm, double *y);

/// What reached a norm of channels on the way back: dz is dy masked by the ReLU after it, dy where the ReLU's output is positive,
/// else 0. The output is y where y is given; else it is recomputed as scale · (x - mean) + offset where scale is given, which reads
/// less memory but cannot include a residual; without either there is no ReLU.
typedef struct {
  long rows, channels;
  const float *mean, *scale, *offset, *dy, *y, *x;
} en_float_channel_gradient;

typedef struct {
  long rows, channels;
  const double *mean, *scale, *offset, *dy, *y, *x;
} en_double_channel_gradient;

/// sums[c] += Σ dz[row][c] and products[c] += Σ dz[row][c] · (x[row][c] - mean[c]). Writes dz where it is not null and y is
/// given; dz may be dy.
OVERLOADED void en_channel_products(en_float_channel_gradient gradient, double *sums, double *products, float *dz);
OVERLOADED void en_channel_products(en_double_channel_gradient gradient, double *sums, double *products, double *dz);

/// dx = p · dz + q · (x - mean) + r, which `streams` as a norm does.
OVERLOADED void en_batch_norm_backward(
  en_float_channel_gradient gradient, const float *p, const float *q, const float *r, int streams, float *dx);
OVERLOADED void en_batch_norm_backward(
  en_double_channel_gradient gradient, const double *p, const double *q, const double *r, int streams, double *dx);
