// The norm of rows and its gradient.
#include "check.h"

enum { rows = 5 };

static void check_forward(long n, int hasBeta) {
  REAL *x = numbers(rows * n), *y = ARRAY(REAL, rows * n), *gamma = numbers(n), *beta = numbers(n);
  REAL *means = ARRAY(REAL, rows), *rstds = ARRAY(REAL, rows);
  double *wanted = ARRAY(double, rows * n), *wantedMeans = zeros(rows), *wantedRstds = ARRAY(double, rows);
  const DESCRIPTOR(row_norm)
    norm = {.rows = rows, .n = n, .epsilon = (REAL)0.01, .gamma = gamma, .beta = hasBeta ? beta : 0};
  for (long row = 0; row < rows; row++) {
    const REAL *a = x + row * n;
    double variance = 0;
    for (long i = 0; i < n; i++) wantedMeans[row] += a[i] / (double)n;
    for (long i = 0; i < n; i++) variance += (a[i] - wantedMeans[row]) * (a[i] - wantedMeans[row]) / (double)n;
    wantedRstds[row] = 1 / sqrt(variance + norm.epsilon);
    for (long i = 0; i < n; i++)
      wanted[row * n + i] = (a[i] - wantedMeans[row]) * wantedRstds[row] * gamma[i] + (hasBeta ? beta[i] : 0);
  }
  set_size("%d rows of %ld%s", rows, n, hasBeta ? "" : " without beta");
  RUN(en_layer_norm, norm, x, means, rstds, y);
  expect(rows, means, wantedMeans, 16);
  expect(rows, rstds, wantedRstds, 16);
  expect(rows * n, y, wanted, 64);
  free_arrays();
}

static void check_backward(long n) {
  REAL *x = numbers(rows * n), *dy = numbers(rows * n), *gamma = numbers(n), *sums = numbers(2 * n);
  REAL *means = numbers(rows), *rstds = numbers(rows);
  double *wanted = ARRAY(double, rows * n), *wantedSums = ARRAY(double, 2 * n);
  for (long i = 0; i < 2 * n; i++) wantedSums[i] = sums[i];
  for (long row = 0; row < rows; row++) {
    const REAL *a = x + row * n, *d = dy + row * n;
    double total = 0, products = 0;
    for (long i = 0; i < n; i++) {
      const double hat = ((double)a[i] - means[row]) * rstds[row], g = (double)d[i] * gamma[i];
      total += g / (double)n;
      products += g * hat / (double)n;
      wantedSums[i] += d[i] * hat;
      wantedSums[n + i] += d[i];
    }
    for (long i = 0; i < n; i++) {
      const double hat = ((double)a[i] - means[row]) * rstds[row];
      wanted[row * n + i] = rstds[row] * ((double)d[i] * gamma[i] - total - hat * products);
    }
  }
  const DESCRIPTOR(row_gradient)
    gradient = {.rows = rows, .n = n, .gamma = gamma, .means = means, .rstds = rstds, .x = x, .dy = dy};
  set_size("%d rows of %ld in place", rows, n);
  RUN(en_layer_norm_backward, gradient, dy, sums);
  expect(rows * n, dy, wanted, 32);
  expect(2 * n, sums, wantedSums, 32);
  free_arrays();
}

void TYPED(check_layer_norm)(void) {
  const long widths[] = {1, 2, 3, 7, 16, 17, 31, 32, 33, 64, 511, 512, 513, 1300};
  for (long k = 0; k < COUNT(widths); k++) {
    check_forward(widths[k], 0);
    check_forward(widths[k], 1);
    check_backward(widths[k]);
  }
}
