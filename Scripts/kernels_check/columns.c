// Softmax along columns.
#include "check.h"

static void check_softmax_columns(long n, long columns, long stride, int isExtreme) {
  REAL *x = numbers(n * stride), *y = ARRAY(REAL, n * stride), *dy = numbers(n * stride), *dx = copy(n * stride, dy);
  double *shares = zeros(n * stride), *slopes = zeros(n * stride);
  for (long i = 0; i < n * stride; i++) {
    x[i] = isExtreme && i % 7 == 0 ? -INFINITY : 5 * x[i] + 20 * (REAL)(i % 5);
    y[i] = 0;
    slopes[i] = dy[i];
  }
  for (long c = 0; c < columns; c++) {
    double top = -INFINITY, sum = 0, mean = 0;
    for (long i = c; i < n * stride; i += stride) top = x[i] > top ? x[i] : top;
    for (long i = c; i < n * stride; i += stride) sum += exp(x[i] - top);
    for (long i = c; i < n * stride; i += stride) {
      shares[i] = exp(x[i] - top) / sum;
      mean += shares[i] * dy[i];
    }
    for (long i = c; i < n * stride; i += stride) slopes[i] = shares[i] * (dy[i] - mean);
  }
  set_size("%ld rows of %ld columns, %ld apart", n, columns, stride);
  RUN(en_softmax_columns, n, columns, stride, x, y);
  expect(n * stride, y, shares, 16);
  RUN(en_softmax_columns_backward, n, columns, stride, y, dy, dx);
  // In place, and nothing else.
  for (long i = 0; i < n * stride; i++) if (i % stride >= columns) slopes[i] = dx[i];
  expect(n * stride, dx, slopes, 64);
  free_arrays();
}

/// Columns of nothing but -∞, with +∞ and with NaN are NaN, and their neighbours are not.
static void check_extreme_columns(void) {
  enum { n = 3, columns = 20 };
  REAL *x = numbers(n * columns), *y = ARRAY(REAL, n * columns);
  for (long i = 0; i < n; i++) x[i * columns + 1] = -INFINITY;
  x[columns + 2] = INFINITY;
  x[columns + 19] = NAN;
  set_size("%d rows of %d columns", n, columns);
  RUN(en_softmax_columns, n, columns, columns, x, y);
  for (long i = 0; i < n; i++) {
    compare(i, isnan(y[i * columns + 1]), y[i * columns + 1], NAN);
    compare(i, isnan(y[i * columns + 19]), y[i * columns + 19], NAN);
    compare(i, isnan(y[i * columns + 2]) || (i != 1 && y[i * columns + 2] == 0), y[i * columns + 2], NAN);
    compare(i, y[i * columns] > 0 && y[i * columns + 3] > 0 && y[i * columns + 18] > 0, NAN, 1);
  }
  free_arrays();
}

void TYPED(check_columns)(void) {
  const long depths[] = {1, 2, 63, 64, 65, 200}, widths[] = {1, 7, 15, 16, 17, 64, 65, 81, 130};
  for (long i = 0; i < COUNT(depths); i++) {
    for (long j = 0; j < COUNT(widths); j++) {
      check_softmax_columns(depths[i], widths[j], widths[j], 0);
      check_softmax_columns(depths[i], widths[j], widths[j] + 5, depths[i] > 8);
    }
  }
  check_extreme_columns();
}
