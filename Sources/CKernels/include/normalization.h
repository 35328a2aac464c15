#pragma once
#include "multiversion.h"

// Kernels over [rows, channels].

/// sums[c] += Σ d and squares[c] += Σ d², d = x[row][c] - shift[c]; a shift near the mean keeps the variance accurate.
OVERLOADED void en_channel_moments(
  long rows, long channels, const float *shift, const float *x, double *sums, double *squares);
OVERLOADED void en_channel_moments(
  long rows, long channels, const double *shift, const double *x, double *sums, double *squares);

// dz is dy masked by the ReLU after the norm: dy where the ReLU's output is positive, else 0. The output is y where y is given;
// else it is recomputed as scale · (x - mean) + offset where scale is given, which reads less memory but cannot include a
// residual; without either there is no ReLU.

/// sums[c] += Σ dz[row][c] and products[c] += Σ dz[row][c] · (x[row][c] - mean[c]). Writes dz where it is not null and y is
/// given; dz may be dy.
OVERLOADED void en_channel_products(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *dy, const float *y,
  const float *x, double *sums, double *products, float *dz);
OVERLOADED void en_channel_products(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *dy, const double *y,
  const double *x, double *sums, double *products, double *dz);

/// y = scale · (x - mean) + offset, plus residual where it is not null, then ReLU if `relu`.
OVERLOADED void en_scale_channels(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *x,
  const float *residual, int relu, float *y);
OVERLOADED void en_scale_channels(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *x,
  const double *residual, int relu, double *y);

/// dx = p · dz + q · (x - mean) + r
OVERLOADED void en_batch_norm_backward(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *p, const float *q,
  const float *r, const float *dy, const float *y, const float *x, float *dx);
OVERLOADED void en_batch_norm_backward(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *p, const double *q,
  const double *r, const double *dy, const double *y, const double *x, double *dx);
