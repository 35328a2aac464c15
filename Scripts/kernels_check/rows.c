// Softmax and cross-entropy along rows.
#include "check.h"

enum { rows = 5 };
static const long widths[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 511, 512, 513, 1300};

/// exp(x) / Σ exp(x) of a row, and log Σ exp(x).
static double shares_of(long n, const REAL *x, double *shares) {
  double top = -INFINITY, sum = 0;
  for (long i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
  for (long i = 0; i < n; i++) sum += exp(x[i] - top);
  for (long i = 0; i < n; i++) shares[i] = exp(x[i] - top) / sum;
  return top + log(sum);
}

static void check_softmax(long n) {
  // More than the 64 rows whose logarithms are taken at once.
  enum { rows = 67 };
  REAL *x = numbers(rows * n), *y = ARRAY(REAL, rows * n), *z = ARRAY(REAL, rows * n), *sums = ARRAY(REAL, rows);
  double *shares = ARRAY(double, rows * n), *logs = ARRAY(double, rows * n), *totals = ARRAY(double, rows);
  double *wanted = ARRAY(double, rows * n);
  REAL *dy = numbers(rows);
  for (long i = 0; i < rows * n; i++) x[i] = 5 * x[i] + 20 * (REAL)(i / n % 5);
  for (long row = 0; row < rows; row++) {
    totals[row] = shares_of(n, x + row * n, shares + row * n);
    for (long i = row * n; i < (row + 1) * n; i++) logs[i] = x[i] - totals[row];
  }
  set_size("%d rows of %ld", rows, n);
  RUN(en_softmax, rows, n, x, y);
  expect(rows * n, y, shares, 16);
  RUN(en_log_sum_exp, rows, n, x, sums);
  expect(rows, sums, totals, 8);
  RUN(en_log_softmax, rows, n, x, z);
  expect(rows * n, z, logs, 80);
  for (long i = 0; i < rows * n; i++) wanted[i] = shares[i] * dy[i / n];
  RUN(en_log_sum_exp_backward, rows, n, x, dy, z);
  expect(rows * n, z, wanted, 16);
  set_size("%d rows of %ld in place", rows, n);
  RUN(en_softmax, rows, n, x, x);
  expect(rows * n, x, shares, 16);
  free_arrays();
}

static void check_softmax_backward(long n) {
  REAL *x = numbers(rows * n), *y = ARRAY(REAL, rows * n), *logs = ARRAY(REAL, rows * n);
  REAL *dy = numbers(rows * n), *dx = ARRAY(REAL, rows * n);
  double *shares = ARRAY(double, rows * n), *wanted = ARRAY(double, rows * n), *wantedOfLogs = ARRAY(double, rows * n);
  for (long row = 0; row < rows; row++) {
    const double total = shares_of(n, x + row * n, shares + row * n);
    double mean = 0, sum = 0;
    for (long i = row * n; i < (row + 1) * n; i++) {
      y[i] = (REAL)shares[i];
      logs[i] = (REAL)(x[i] - total);
      mean += shares[i] * dy[i];
      sum += dy[i];
    }
    for (long i = row * n; i < (row + 1) * n; i++) {
      wanted[i] = shares[i] * (dy[i] - mean);
      wantedOfLogs[i] = dy[i] - shares[i] * sum;
    }
  }
  set_size("%d rows of %ld", rows, n);
  RUN(en_softmax_backward, rows, n, y, dy, dx);
  expect(rows * n, dx, wanted, 16);
  set_size("%d rows of %ld in place", rows, n);
  RUN(en_log_softmax_backward, rows, n, logs, dy, dy);
  expect(rows * n, dy, wantedOfLogs, 64);
  free_arrays();
}

/// The target of each class of a row.
static void targets_of(DESCRIPTOR(targets) t, long label, double *target) {
  for (long c = 0; c < t.n; c++) {
    const double weight = t.weights ? t.weights[c] : 1, share = c == label ? 1 - (double)t.smoothing : 0;
    target[c] = label < 0 ? 0 : weight * (t.smoothing / (double)t.n + share);
  }
}

static void check_cross_entropy(long n, int isWeighted, REAL smoothing) {
  REAL *x = numbers(rows * n), *weights = ARRAY(REAL, n), *upstream = numbers(rows);
  REAL *tops = ARRAY(REAL, rows), *logs = ARRAY(REAL, rows), *losses = ARRAY(REAL, rows), *dx = ARRAY(REAL, rows * n);
  double *shares = ARRAY(double, n), *target = ARRAY(double, n);
  double *wanted = zeros(rows), *wantedLogs = ARRAY(double, rows), *wantedDx = ARRAY(double, rows * n);
  long *labels = ARRAY(long, rows);
  for (long row = 0; row < rows; row++) labels[row] = row == 2 ? -1 : row * (n - 1) / 4;
  for (long c = 0; c < n; c++) weights[c] = (REAL)(c % 3) / 2;
  for (long i = 0; i < rows * n; i++) x[i] *= 4;
  // Where the target is 0, an infinity counts nothing.
  if (n > 16 && smoothing == 0) x[n - 2] = -INFINITY;
  const DESCRIPTOR(targets)
    t = {.rows = rows, .n = n, .labels = labels, .weights = isWeighted ? weights : 0, .smoothing = smoothing};
  for (long row = 0; row < rows; row++) {
    wantedLogs[row] = shares_of(n, x + row * n, shares);
    double sum = 0;
    targets_of(t, labels[row], target);
    for (long c = 0; c < n; c++) {
      if (target[c] != 0) wanted[row] -= target[c] * (x[row * n + c] - wantedLogs[row]);
      sum += target[c];
    }
    for (long c = 0; c < n; c++) wantedDx[row * n + c] = upstream[row] * (sum * shares[c] - target[c]);
  }
  set_size("%d rows of %ld, smoothing %g%s", rows, n, (double)smoothing, isWeighted ? ", weights" : "");
  RUN(en_cross_entropy, t, x, tops, logs, losses);
  expect(rows, losses, wanted, 64 + (double)n);
  for (long row = 0; row < rows; row++) {
    const double found = (double)tops[row] + logs[row];
    compare(row, fabs(found - wantedLogs[row]) <= 64 * epsilon, found, wantedLogs[row]);
  }
  RUN(en_cross_entropy_backward, t, x, tops, logs, upstream, dx);
  expect(rows * n, dx, wantedDx, 64);
  free_arrays();
}

/// Rows of large numbers, of infinities, of nothing but infinities, and with NaN: none changes another.
static void check_extreme_rows(long n) {
  REAL *x = numbers(4 * n), *y = ARRAY(REAL, 4 * n), *sums = ARRAY(REAL, 4);
  double *shares = ARRAY(double, 4 * n), *totals = ARRAY(double, 4);
  for (long i = 0; i < n; i++) {
    x[i] = (REAL)(1e7 + (double)(i % 3));
    x[n + i] = i % 2 ? -INFINITY : x[n + i];
    x[2 * n + i] = -INFINITY;
  }
  x[3 * n + n / 2] = NAN;
  for (long row = 0; row < 2; row++) totals[row] = shares_of(n, x + row * n, shares + row * n);
  totals[2] = -INFINITY;
  totals[3] = NAN;
  for (long i = 2 * n; i < 4 * n; i++) shares[i] = NAN;
  set_size("4 rows of %ld with infinities and NaN", n);
  RUN(en_softmax, 4, n, x, y);
  expect(4 * n, y, shares, 16);
  RUN(en_log_sum_exp, 4, n, x, sums);
  expect(4, sums, totals, 16);
  free_arrays();
}

/// Shifts are finite, those of infinities too.
static void check_shifts(long n) {
  REAL *x = numbers(2 * n), *tops = ARRAY(REAL, 2), *logs = ARRAY(REAL, 2), *losses = ARRAY(REAL, 2);
  const long labels[2] = {-1, -1};
  const double wanted[2] = {largest, -largest}, nothing[2] = {0};
  x[n / 2] = INFINITY;
  for (long i = n; i < 2 * n; i++) x[i] = -INFINITY;
  set_size("2 rows of %ld with infinities, without labels", n);
  RUN(en_cross_entropy, ((DESCRIPTOR(targets)){.rows = 2, .n = n, .labels = labels}), x, tops, logs, losses);
  expect_equal(2, tops, wanted);
  expect_equal(2, losses, nothing);
  free_arrays();
}

void TYPED(check_rows)(void) {
  for (long k = 0; k < COUNT(widths); k++) {
    check_softmax(widths[k]);
    check_softmax_backward(widths[k]);
    for (int i = 0; i < 4; i++) check_cross_entropy(widths[k], i & 1, i & 2 ? (REAL)0.25 : 0);
    check_extreme_rows(widths[k]);
    check_shifts(widths[k]);
  }
}
