// Windows and parts of an image, and what is taken from them.
#include "check.h"

/// An image with equal numbers, and with NaN here and there.
static REAL *image_of(long n) {
  REAL *x = eighths(n);
  for (long i = 5; i < n; i += 37) x[i] = NAN;
  return x;
}

/// The first index of the largest number of a box, or of NaN.
static long largest_of_box(
  const REAL *x, long width, long channels, long channel, long top, long bottom, long left, long right) {
  long best = -1;
  for (long row = top; row < bottom; row++) {
    for (long column = left; column < right; column++) {
      const long at = (row * width + column) * channels + channel;
      if (best < 0 || (!isnan(x[best]) && (isnan(x[at]) || x[at] > x[best]))) best = at;
    }
  }
  return best;
}

static long at_least_0(long i) { return i < 0 ? 0 : i; }
static long at_most(long i, long most) { return i < most ? i : most; }

static void check_max_pool(en_windows w) {
  const long n = w.outHeight * w.outWidth * w.channels;
  REAL *x = image_of(w.height * w.width * w.channels), *y = ARRAY(REAL, n), *again = ARRAY(REAL, n);
  REAL *dy = eighths(n), *dx = eighths(w.height * w.width * w.channels);
  int *indices = ARRAY(int, n);
  double *wanted = ARRAY(double, n), *wantedDx = ARRAY(double, w.height * w.width * w.channels);
  set_size("%ld×%ld×%ld, windows of %ld, stride %ld, padding %ld", w.height, w.width, w.channels, w.size, w.stride, w.padding);
  RUN(en_max_pool, w, x, y, indices);
  for (long i = 0; i < n; i++) {
    const long top = i / w.channels / w.outWidth * w.stride - w.padding;
    const long left = i / w.channels % w.outWidth * w.stride - w.padding;
    const long best = largest_of_box(
      x, w.width, w.channels, i % w.channels, at_least_0(top), at_most(top + w.size, w.height), at_least_0(left),
      at_most(left + w.size, w.width));
    wanted[i] = x[best];
    expect_integer(i, indices[i], best);
  }
  expect_equal(n, y, wanted);
  RUN(en_gather, n, indices, x, again);
  expect_equal(n, again, wanted);
  for (long i = 0; i < w.height * w.width * w.channels; i++) wantedDx[i] = dx[i];
  for (long i = 0; i < n; i++) wantedDx[indices[i]] += dy[i];
  RUN(en_scatter_add, n, indices, dy, dx);
  expect_equal(w.height * w.width * w.channels, dx, wantedDx);
  free_arrays();
}

static void check_max_parts(en_parts p) {
  const long n = p.outHeight * p.outWidth * p.channels;
  REAL *x = image_of(p.height * p.width * p.channels), *y = ARRAY(REAL, n);
  int *indices = ARRAY(int, n);
  double *wanted = ARRAY(double, n);
  set_size("%ld×%ld×%ld in %ld×%ld parts", p.height, p.width, p.channels, p.outHeight, p.outWidth);
  RUN(en_max_parts, p, x, y, indices);
  for (long i = 0; i < n; i++) {
    const long row = i / p.channels / p.outWidth, column = i / p.channels % p.outWidth;
    const long best = largest_of_box(
      x, p.width, p.channels, i % p.channels, row * p.height / p.outHeight,
      (long)ceil((double)((row + 1) * p.height) / (double)p.outHeight), column * p.width / p.outWidth,
      (long)ceil((double)((column + 1) * p.width) / (double)p.outWidth));
    wanted[i] = x[best];
    expect_integer(i, indices[i], best);
  }
  expect_equal(n, y, wanted);
  free_arrays();
}

/// The sums of windows, and the adjoint.
static void check_window_sums(en_windows w) {
  const long n = w.outHeight * w.outWidth * w.channels, pixels = w.height * w.width * w.channels;
  REAL *x = eighths(pixels), *y = ARRAY(REAL, n), *dy = eighths(n), *dx = ARRAY(REAL, pixels);
  double *wanted = zeros(n), *wantedDx = zeros(pixels);
  for (long i = 0; i < n * w.size * w.size; i++) {
    const long out = i / w.size / w.size, tap = i % (w.size * w.size), pixel = out / w.channels;
    const long row = pixel / w.outWidth * w.stride - w.padding + tap / w.size;
    const long column = pixel % w.outWidth * w.stride - w.padding + tap % w.size;
    if (row < 0 || row >= w.height || column < 0 || column >= w.width) continue;
    const long at = (row * w.width + column) * w.channels + out % w.channels;
    wanted[out] += x[at] * 0.25;
    wantedDx[at] += dy[out] * 0.25;
  }
  set_size("%ld×%ld×%ld, windows of %ld, stride %ld, padding %ld", w.height, w.width, w.channels, w.size, w.stride, w.padding);
  RUN(en_window_sum, w, (REAL)0.25, x, y);
  expect_equal(n, y, wanted);
  RUN(en_window_spread, w, (REAL)0.25, dy, dx);
  expect_equal(pixels, dx, wantedDx);
  free_arrays();
}

static void check_subsampling(long height, long width, long channels, long stride, long before, long after) {
  const en_subsampling s = {
    .width = width, .channels = channels, .stride = stride, .outHeight = (height + stride - 1) / stride,
    .outWidth = (width + stride - 1) / stride, .outChannels = before + channels + after, .before = before};
  const long n = s.outHeight * s.outWidth * s.outChannels, pixels = height * width * channels;
  REAL *x = eighths(pixels), *y = ARRAY(REAL, n), *dy = eighths(n), *dx = eighths(pixels);
  double *wanted = zeros(n), *wantedDx = ARRAY(double, pixels);
  for (long i = 0; i < pixels; i++) wantedDx[i] = dx[i];
  for (long i = 0; i < n; i++) {
    const long c = i % s.outChannels - before, pixel = i / s.outChannels;
    const long at = (pixel / s.outWidth * stride * width + pixel % s.outWidth * stride) * channels + c;
    if (c < 0 || c >= channels) continue;
    wanted[i] = x[at];
    wantedDx[at] += dy[i];
  }
  set_size("%ld×%ld×%ld, stride %ld, channels from %ld of %ld", height, width, channels, stride, before, s.outChannels);
  RUN(en_subsample, s, x, y);
  expect_equal(n, y, wanted);
  RUN(en_subsample_adjoint, s, dy, dx);
  expect_equal(pixels, dx, wantedDx);
  free_arrays();
}

void TYPED(check_pooling)(void) {
  const long channels[] = {1, 3, 7, 16, 17, 33};
  const struct { long height, width, size, stride, padding; } kinds[] = {
    {1, 1, 1, 1, 0}, {4, 6, 2, 2, 0}, {7, 5, 3, 2, 1}, {3, 9, 3, 1, 1}, {9, 9, 3, 3, 0}, {5, 4, 4, 1, 2}, {8, 3, 3, 4, 2}};
  const struct { long height, width, outHeight, outWidth; } parts[] = {
    {1, 1, 1, 1}, {7, 5, 3, 2}, {4, 4, 4, 4}, {3, 2, 5, 7}, {9, 8, 1, 3}};
  for (long k = 0; k < COUNT(channels); k++) {
    const long c = channels[k];
    for (long i = 0; i < COUNT(kinds); i++) {
      const long height = kinds[i].height, width = kinds[i].width, size = kinds[i].size, stride = kinds[i].stride;
      const long margins = 2 * kinds[i].padding - size;
      const en_windows w = {
        .height = height, .width = width, .channels = c, .size = size, .stride = stride, .padding = kinds[i].padding,
        .outHeight = (height + margins) / stride + 1, .outWidth = (width + margins) / stride + 1};
      check_max_pool(w);
      check_window_sums(w);
    }
    for (long i = 0; i < COUNT(parts); i++)
      check_max_parts((en_parts){parts[i].height, parts[i].width, c, parts[i].outHeight, parts[i].outWidth});
    check_subsampling(6, 8, c, 2, 0, 0);
    check_subsampling(5, 7, c, 2, c / 2, c - c / 2);
    check_subsampling(4, 3, c, 1, 3, 0);
    check_subsampling(7, 7, c, 3, 0, 5);
  }
}
