// The norm of channels. Its numbers are multiples of 1/8, so that rounding decides nothing about a ReLU.
#include <string.h>

#include "check.h"

/// A sum over rows, whose parts are added in the type.
static void expect_sum(long channel, double found, double wanted, long rows) {
  const double size = fabs(wanted) > 1 ? fabs(wanted) : 1;
  compare(channel, fabs(found - wanted) <= epsilon * (double)(16 + 4 * rows) * size, found, wanted);
}

static void check_moments(long rows, long channels) {
  REAL *x = numbers(rows * channels), *shift = numbers(channels);
  double *sums = zeros(channels), *squares = zeros(channels), *wanted = zeros(channels), *wantedSquares = zeros(channels);
  for (long c = 0; c < channels; c++) sums[c] = wanted[c] = squares[c] = wantedSquares[c] = (double)c;
  for (long i = 0; i < rows * channels; i++) {
    const double d = (double)x[i] - shift[i % channels];
    wanted[i % channels] += d;
    wantedSquares[i % channels] += d * d;
  }
  set_size("[%ld, %ld]", rows, channels);
  RUN(en_channel_moments, rows, channels, shift, x, sums, squares);
  for (long c = 0; c < channels; c++) {
    expect_sum(c, sums[c], wanted[c], rows);
    expect_sum(c, squares[c], wantedSquares[c], rows);
  }
  free_arrays();
}

static void check_scale(long rows, long channels, int hasResidual, int relu, int streams) {
  const long n = rows * channels;
  REAL *x = eighths(n), *residual = eighths(n), *y = ARRAY(REAL, n);
  REAL *mean = eighths(channels), *scale = eighths(channels), *offset = eighths(channels);
  double *wanted = ARRAY(double, n);
  for (long i = 0; i < n; i++) {
    const long c = i % channels;
    const double v = (double)scale[c] * (x[i] - mean[c]) + offset[c] + (hasResidual ? residual[i] : 0);
    wanted[i] = relu && v < 0 ? 0 : v;
  }
  // NaN passes a ReLU.
  x[n / 2] = NAN;
  wanted[n / 2] = NAN;
  const DESCRIPTOR(channel_norm) norm = {
    .rows = rows, .channels = channels, .mean = mean, .scale = scale, .offset = offset, .x = x,
    .residual = hasResidual ? residual : 0, .relu = relu, .streams = streams};
  set_size(
    "[%ld, %ld]%s%s%s", rows, channels, hasResidual ? ", residual" : "", relu ? ", ReLU" : "", streams ? ", streams" : "");
  RUN(en_scale_channels, norm, y);
  expect_equal(n, y, wanted);
  free_arrays();
}

/// Where a ReLU stands after the norm: nowhere, with its output given, or recomputed; dz is written nowhere, apart or in place.
enum { none, given, recomputed };
enum { nowhere, apart, in_place };

static void check_gradient(long rows, long channels, int relu, int dzMode) {
  const long n = rows * channels;
  REAL *x = eighths(n), *dy = eighths(n), *y = eighths(n), *dx = ARRAY(REAL, n), *dz = dzMode == in_place ? dy : ARRAY(REAL, n);
  REAL *mean = eighths(channels), *scale = eighths(channels), *offset = eighths(channels);
  REAL *p = eighths(channels), *q = eighths(channels), *r = eighths(channels);
  double *sums = zeros(channels), *products = zeros(channels), *wantedDx = ARRAY(double, n), *wantedDz = ARRAY(double, n);
  double *wanted = zeros(channels), *wantedProducts = zeros(channels);
  for (long i = 0; i < n; i++) {
    const long c = i % channels;
    const double hat = (double)x[i] - mean[c], output = relu == given ? y[i] : scale[c] * hat + offset[c];
    wantedDz[i] = relu == none || output > 0 ? dy[i] : 0;
    wantedDx[i] = p[c] * wantedDz[i] + q[c] * hat + r[c];
    wanted[c] += wantedDz[i];
    wantedProducts[c] += wantedDz[i] * hat;
  }
  const DESCRIPTOR(channel_gradient) gradient = {
    .rows = rows, .channels = channels, .mean = mean, .scale = relu == recomputed ? scale : 0,
    .offset = relu == recomputed ? offset : 0, .dy = dy, .y = relu == given ? y : 0, .x = x};
  set_size("[%ld, %ld], ReLU %d, dz %d", rows, channels, relu, dzMode);
  for (int streams = 0; streams < 2; streams++) {
    memset(dx, 0, n * sizeof(REAL));
    RUN(en_batch_norm_backward, gradient, p, q, r, streams, dx);
    expect_equal(n, dx, wantedDx);
  }
  RUN(en_channel_products, gradient, sums, products, dzMode == nowhere ? 0 : dz);
  for (long c = 0; c < channels; c++) {
    expect_sum(c, sums[c], wanted[c], rows);
    expect_sum(c, products[c], wantedProducts[c], rows);
  }
  if (dzMode) expect_equal(n, dz, wantedDz);
  free_arrays();
}

void TYPED(check_normalization)(void) {
  const long channels[] = {1, 3, 7, 16, 17, 31, 32, 33, 64, 65, 130}, rows[] = {1, 3, 127, 129, 257};
  for (long k = 0; k < COUNT(channels); k++) {
    for (long i = 0; i < COUNT(rows); i++) {
      check_moments(rows[i], channels[k]);
      if (rows[i] > 3 && rows[i] < 257 && channels[k] > 64) continue;
      for (int mode = 0; mode < 8; mode++) check_scale(rows[i], channels[k], mode & 1, mode >> 1 & 1, mode >> 2);
      for (int dz = nowhere; dz <= in_place; dz++) check_gradient(rows[i], channels[k], given, dz);
      check_gradient(rows[i], channels[k], none, nowhere);
      check_gradient(rows[i], channels[k], recomputed, nowhere);
    }
  }
}
