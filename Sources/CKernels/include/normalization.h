#pragma once
#include "multiversion.h"

// These see a tensor as rows of channels.

/// sums[c] += Σ d and squares[c] += Σ d², d = x[row][c] - shift[c]; a shift near the mean keeps the variance accurate.
OVERLOADED void en_channel_moments(
  long rows, long channels, const float *shift, const float *x, double *sums, double *squares);
OVERLOADED void en_channel_moments(
  long rows, long channels, const double *shift, const double *x, double *sums, double *squares);

// A ReLU after the norm lets dy through where its output is positive: that is y, where it is given, else scale · (x - mean) +
// offset, where these are. Without y there is less to read; where a residual was added, there is no way without.

/// sums[c] += Σ dz[row][c] and products[c] += Σ dz[row][c] · (x[row][c] - mean[c]), dz being dy as it was let through, which is
/// kept in dz where there is room for it and y is given; dz may be dy.
OVERLOADED void en_channel_products(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *dy, const float *y,
  const float *x, double *sums, double *products, float *dz);
OVERLOADED void en_channel_products(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *dy, const double *y,
  const double *x, double *sums, double *products, double *dz);

/// y = scale · (x - mean) + offset, plus residual where there is one, and 0 in place of what is negative if it rectifies.
OVERLOADED void en_scale_channels(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *x,
  const float *residual, int rectifies, float *y);
OVERLOADED void en_scale_channels(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *x,
  const double *residual, int rectifies, double *y);

/// dx = p · dy + q · (x - mean) + r
OVERLOADED void en_batch_norm_backward(
  long rows, long channels, const float *mean, const float *scale, const float *offset, const float *p, const float *q,
  const float *r, const float *dy, const float *y, const float *x, float *dx);
OVERLOADED void en_batch_norm_backward(
  long rows, long channels, const double *mean, const double *scale, const double *offset, const double *p, const double *q,
  const double *r, const double *dy, const double *y, const double *x, double *dx);
