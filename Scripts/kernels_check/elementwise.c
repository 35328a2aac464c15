// Functions of two arguments and of an argument with parameters.
#include "check.h"

static double maximum(double a, double b) { return isnan(a) || isnan(b) ? NAN : a > b ? a : b; }
static double minimum(double a, double b) { return isnan(a) || isnan(b) ? NAN : a < b ? a : b; }

// Rounded once, a result in double is that of the type: 53 digits are more than twice 24.
#define EACH_BINARY(FUNCTION)                                                                                       \
  FUNCTION(add, a + b) FUNCTION(subtract, a - b) FUNCTION(multiply, a * b) FUNCTION(divide, a / b)                  \
  FUNCTION(maximum, maximum(a, b)) FUNCTION(minimum, minimum(a, b)) FUNCTION(weighted, a == 0 ? 0 : a * b)          \
  FUNCTION(less, a < b) FUNCTION(less_or_equal, a <= b) FUNCTION(equal, a == b) FUNCTION(not_equal, a != b)         \
  FUNCTION(power, pow(a, b))
#define REFERENCE(name, result) \
  static double reference_##name(double a, double b) { return result; }
EACH_BINARY(REFERENCE)
#undef REFERENCE

/// Multiples of 1/8, zeros of both signs, infinities and NaN.
static REAL *operands(long n, long shift) {
  const REAL special[] = {0, (REAL)-0.0, 1, -1, 2, -3, (REAL)0.5, INFINITY, -INFINITY, NAN};
  REAL *x = eighths(n);
  for (long i = shift % 3; i < n; i += 3) x[i] = special[(i / 3 + shift) % COUNT(special)];
  return x;
}

static void check_binary(
  const char *name, void (*run)(en_pairs, const REAL *, const REAL *, REAL *), double (*exact)(double, double),
  int isPower) {
  const long lengths[] = {0, 1, 3, 7, 16, 17, 63, 64, 65, 130, 2100};
  for (long k = 0; k < COUNT(lengths) * 32; k++) {
    const long n = lengths[k / 32], rows = k & 8 ? 6 : 3;
    en_pairs p = {.rows = rows, .n = n, .aStep = k & 1, .bStep = k >> 1 & 1, .streams = k >> 4 & 1};
    // Rows apart, or the same row again.
    p.aRow = k & 4 ? 0 : p.aStep ? n + 2 : 1;
    p.bRow = k & 8 ? 0 : p.bStep ? n : 2;
    const long aCount = n ? (rows - 1) * p.aRow + (n - 1) * p.aStep + 1 : 0;
    const long bCount = n ? (rows - 1) * p.bRow + (n - 1) * p.bStep + 1 : 0;
    REAL *a = operands(aCount, k), *b = operands(bCount, k / 3), *y = ARRAY(REAL, rows * n);
    set_size("%ld rows of %ld, rows %ld and %ld apart, steps %ld and %ld%s", rows, n, p.aRow, p.bRow, p.aStep, p.bStep,
      p.streams ? ", streaming" : "");
    begin_call(name, TYPE);
    run(p, a, b, y);
    for (long i = 0; i < rows * n; i++) {
      const long row = i / n, column = i % n;
      const double wanted = exact(a[row * p.aRow + column * p.aStep], b[row * p.bRow + column * p.bStep]);
      const int isSame = y[i] == (REAL)wanted || (isnan(y[i]) && isnan(wanted));
      compare(i, isSame || (isPower && distance(y[i], wanted) <= 0.51), y[i], wanted);
    }
    free_arrays();
  }
}

/// A result that takes the place of the first operand.
static void check_binary_in_place(void) {
  const long n = 131;
  REAL *a = numbers(n), *b = numbers(n);
  double *wanted = zeros(n);
  for (long i = 0; i < n; i++) wanted[i] = (double)a[i] + b[i];
  set_size("n %ld in place", n);
  RUN(en_add, ((en_pairs){.rows = 1, .n = n, .aStep = 1, .bStep = 1, .streams = 1}), a, b, a);
  expect_equal(n, a, wanted);
  free_arrays();
}

/// Powers of many sizes.
static void check_powers(void) {
  const long n = 4000;
  REAL *a = ARRAY(REAL, n), *b = ARRAY(REAL, n), *y = ARRAY(REAL, n);
  for (long i = 0; i < n; i++) {
    a[i] = (REAL)(i % 2 ? exp2((double)(i % 250) - 125.3) * (1 + next_number() / 2) : (double)(i % 200) / 100 - 0.7);
    b[i] = (REAL)(i % 2 ? (double)(i % 37 - 18) / 5 : (double)(i % 300 - 150));
  }
  set_size("n %ld", n);
  RUN(en_power, ((en_pairs){.rows = 1, .n = n, .aStep = 1, .bStep = 1}), a, b, y);
  for (long i = 0; i < n; i++) compare(i, distance(y[i], pow(a[i], b[i])) <= 0.51, y[i], pow(a[i], b[i]));
  free_arrays();
}

static void check_selections(long n) {
  REAL *x = operands(n, n), *dy = numbers(n), *b = numbers(n), *y = ARRAY(REAL, n);
  double *wanted = zeros(n);
  set_size("n %ld", n);
  for (long i = 0; i < n; i++) wanted[i] = x[i] != 0 ? dy[i] : b[i];
  RUN(en_select, n, x, dy, b, y);
  expect_equal(n, y, wanted);
  for (int k = 0; k < 4; k++) {
    const REAL slope = k & 1 ? (REAL)0.25 : 0;
    const int streams = k >> 1;
    set_size("n %ld, slope %g%s", n, (double)slope, streams ? ", streaming" : "");
    // A slope of 0 makes no NaN of an infinity.
    for (long i = 0; i < n; i++) wanted[i] = isnan(x[i]) || x[i] > 0 ? x[i] : slope == 0 ? 0 : slope * x[i];
    RUN(en_leaky_relu, n, streams, slope, x, y);
    expect_equal(n, y, wanted);
    for (long i = 0; i < n; i++) wanted[i] = x[i] > 0 ? dy[i] : slope * dy[i];
    RUN(en_leaky_relu_backward, n, streams, slope, x, dy, y);
    expect_equal(n, y, wanted);
  }
  free_arrays();
}

static void check_elu(long n) {
  const REAL scale = (REAL)1.5;
  REAL *x = operands(n, n + 1), *dy = numbers(n), *y = copy(n, x);
  double *wanted = zeros(n);
  set_size("n %ld, scale 1.5, in place", n);
  for (long i = 0; i < n; i++) wanted[i] = x[i] > 0 ? x[i] : scale * expm1(x[i]);
  RUN(en_elu, n, 1, scale, y, y);
  expect(n, y, wanted, 4);
  for (long i = 0; i < n; i++) wanted[i] = x[i] > 0 ? dy[i] : dy[i] * scale * exp(x[i]);
  RUN(en_elu_backward, n, 1, scale, x, dy, dy);
  expect(n, dy, wanted, 4);
  free_arrays();
}

static void check_clamp_and_huber(long n) {
  const REAL low = (REAL)-0.5, high = 1, threshold = (REAL)0.75;
  REAL *x = operands(n, n + 2), *dy = numbers(n), *d = copy(n, dy), *y = copy(n, x), *z = copy(n, x);
  double *wanted = zeros(n);
  set_size("n %ld, in place", n);
  for (long i = 0; i < n; i++) wanted[i] = x[i] < low ? low : x[i] > high ? high : x[i];
  RUN(en_clamp, n, 1, low, high, y, y);
  expect_equal(n, y, wanted);
  for (long i = 0; i < n; i++) wanted[i] = x[i] >= low && x[i] <= high ? dy[i] : 0;
  RUN(en_clamp_backward, n, 1, low, high, x, d, d);
  expect_equal(n, d, wanted);
  for (long i = 0; i < n; i++) {
    const double a = fabs((double)x[i]);
    wanted[i] = a > threshold ? threshold * (a - (double)threshold / 2) : a * a / 2;
  }
  RUN(en_huber, n, 1, threshold, z, z);
  expect(n, z, wanted, 2);
  free_arrays();
}

void TYPED(check_elementwise)(void) {
#define CHECK(name, result) check_binary("en_" #name, en_##name, reference_##name, reference_##name == reference_power);
  EACH_BINARY(CHECK)
#undef CHECK
  check_binary_in_place();
  check_powers();
  const long lengths[] = {0, 1, 3, 7, 15, 16, 17, 33, 65, 100};
  for (long k = 0; k < COUNT(lengths); k++) {
    check_selections(lengths[k]);
    check_elu(lengths[k]);
    check_clamp_and_huber(lengths[k]);
  }
}
