// Reductions of [outer, n, inner] over the middle axis.
#include "check.h"

static const long inners[] = {1, 3, 17, 63, 64, 65}, counts[] = {1, 3, 7, 31, 32, 33, 65, 129, 513, 1100};

static void check_sums(en_axes axes, long from, long to) {
  const long n = axes.n, inner = axes.inner, results = axes.outer * inner;
  REAL *x = numbers(axes.outer * n * inner), *y = ARRAY(REAL, results), *q = ARRAY(REAL, results);
  double *sums = zeros(results), *squares = zeros(results);
  for (long i = 0; i < results; i++) {
    for (long k = from; k < to; k++) {
      const double v = x[(i / inner * n + k) * inner + i % inner];
      sums[i] += v;
      squares[i] += v * v;
    }
  }
  set_size("[%ld, %ld, %ld] from %ld to %ld", axes.outer, n, inner, from, to);
  RUN(en_sum, axes, from, to, x, y);
  expect(results, y, sums, 16 + (double)n);
  RUN(en_sum_squares, axes, from, to, x, q);
  expect(results, q, squares, 16 + (double)n);
  free_arrays();
}

/// Extremes and their places, of which equal numbers have the first; some are `odd`, which is NaN or infinite.
static void check_extremes(en_axes axes, long from, long to, int sign, double odd) {
  const long n = axes.n, inner = axes.inner, results = axes.outer * inner;
  REAL *x = eighths(axes.outer * n * inner), *y = ARRAY(REAL, results);
  for (long i = 0; odd != 0 && i < axes.outer * n * inner; i += 1 + n * inner / 3) x[i] = (REAL)odd;
  double *wanted = zeros(results);
  long *places = ARRAY(long, results), *wantedPlaces = ARRAY(long, results);
  for (long i = 0; i < results; i++) {
    const REAL *column = x + i / inner * n * inner + i % inner;
    long best = from;
    for (long k = from; k < to; k++) {
      const double v = column[k * inner], top = column[best * inner];
      if (!isnan(top) && (isnan(v) || sign * v > sign * top)) best = k;
    }
    wanted[i] = column[best * inner];
    wantedPlaces[i] = best;
  }
  set_size("[%ld, %ld, %ld] from %ld to %ld, sign %d", axes.outer, n, inner, from, to, sign);
  RUN(en_extreme, axes, sign, from, to, x, y);
  expect_equal(results, y, wanted);
  if (from == 0 && to == n) {
    RUN(en_places, axes, x, y, places);
    for (long i = 0; i < results; i++) expect_integer(i, places[i], wantedPlaces[i]);
  }
  free_arrays();
}

static void check_distances(long n, long width) {
  REAL *x = numbers(n), *z = numbers(n);
  const long blocks = (n + width - 1) / width;
  double *distances = zeros(blocks), *squares = zeros(blocks);
  for (long i = 0; i < n; i++) {
    const double d = (double)x[i] - (double)z[i];
    distances[i / width] += fabs(d);
    squares[i / width] += d * d;
  }
  REAL *y = ARRAY(REAL, blocks);
  set_size("%ld in blocks of %ld", n, width);
  RUN(en_sum_distances, 0, n, width, x, z, y);
  expect(blocks, y, distances, 16 + (double)width);
  RUN(en_sum_distances, 1, n, width, x, z, y);
  expect(blocks, y, squares, 16 + (double)width);
  free_arrays();
}

static void check_products(long rows, long n) {
  const long size = rows * n;
  REAL *x = numbers(size), *y = ARRAY(REAL, size), *whole = ARRAY(REAL, rows);
  double *others = ARRAY(double, size), *wanted = ARRAY(double, rows);
  // Near 1, so that long products stay where they can be compared.
  for (long i = 0; i < size; i++) x[i] = (x[i] < 0 ? -1 : 1) + x[i] / 32;
  if (size > 4) x[size / 2] = 0;
  for (long i = 0; i < size; i++) {
    others[i] = 1;
    for (long k = 0; k < n; k++)
      if (k != i % n) others[i] *= x[i / n * n + k];
  }
  set_size("%ld rows of %ld", rows, n);
  RUN(en_products_of_others, rows, n, x, y);
  expect(size, y, others, 4 + (double)n);
  for (long i = 0; i < rows; i++) wanted[i] = others[i * n] * x[i * n];
  RUN(en_product, rows, n, x, whole);
  expect(rows, whole, wanted, 4 + (double)n);
  free_arrays();
}

static void check_cumulative_sums(en_axes axes, int reversed) {
  const long n = axes.n, inner = axes.inner, size = axes.outer * n * inner;
  REAL *x = numbers(size), *y = ARRAY(REAL, size);
  double *wanted = ARRAY(double, size);
  for (long column = 0; column < axes.outer * inner; column++) {
    double total = 0;
    for (long k = 0; k < n; k++) {
      const long i = (column / inner * n + (reversed ? n - 1 - k : k)) * inner + column % inner;
      total += x[i];
      wanted[i] = total;
    }
  }
  set_size("[%ld, %ld, %ld]%s", axes.outer, n, inner, reversed ? " reversed" : "");
  RUN(en_cumulative_sum, axes, reversed, x, y);
  expect(size, y, wanted, 1);
  free_arrays();
}

void TYPED(check_reductions)(void) {
  for (long k = 0; k < COUNT(counts); k++) {
    for (long i = 0; i < COUNT(inners); i++) {
      const long n = counts[k], outer = inners[i] == 1 ? 5 : 2;
      const en_axes axes = {.outer = outer, .n = n, .inner = inners[i]};
      check_sums(axes, 0, n);
      check_sums(axes, n / 3, n - n / 4);
      check_extremes(axes, 0, n, 1, 0);
      check_extremes(axes, 0, n, -1, NAN);
      check_extremes(axes, 0, n, 1, -INFINITY);
      check_extremes(axes, 0, n, -1, -INFINITY);
      check_extremes(axes, n / 3, n - n / 4, 1, NAN);
      if (n < 200) check_products(inners[i], n);
      check_cumulative_sums(axes, 0);
      check_cumulative_sums(axes, 1);
    }
  }
  for (long k = 0; k < COUNT(counts); k++) {
    check_distances(counts[k], 4096);
    check_distances(3 * counts[k] + 1, 1 + counts[k]);
  }
  check_sums((en_axes){.outer = 2, .n = 3, .inner = 5}, 1, 1);
  check_sums((en_axes){.outer = 0, .n = 3, .inner = 5}, 0, 3);
}
