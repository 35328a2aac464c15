// Functions of one argument against the C library's in double precision, within the bounds of Docs/elementary-functions.md, and
// their gradients against closed forms.
#include "check.h"

static double logistic(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double soft_plus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double distribution(double x) { return erfc(-x * M_SQRT1_2) / 2; }
static double density(double x) { return exp(-x * x / 2) * 0.398942280401432677939946; }
static double gaussian_unit(double x) { return x == -INFINITY ? -0.0 : x * distribution(x); }
static double sigmoid_unit(double x) { return x == -INFINITY ? -0.0 : x * logistic(x); }
static double cubic(double x) { return 1.59576912160573071 * (x + 0.044715 * x * x * x); }
static double tanh_unit(double x) { return x == -INFINITY ? -0.0 : x * logistic(cubic(x)); }
static double negative(double x) { return -x; }
static double reciprocal_root(double x) { return 1 / sqrt(x); }
static double sign(double x) { return (x > 0) - (x < 0); }
static double square(double x) { return x * x; }
static double relu6(double x) { return x < 0 ? 0 : x > 6 ? 6 : x; }

// The function, its bound in units in the last place where it is Float's, and what it must be. A bound of 0 is that of what is
// exact; that of gelu_tanh is 2e-7 of the larger of 1 and the result.
#define EACH_UNARY(FUNCTION)                                                                                           \
  FUNCTION(negate, 0, negative) FUNCTION(sqrt, 0.5, sqrt) FUNCTION(rsqrt, 1.5, reciprocal_root) FUNCTION(abs, 0, fabs) \
  FUNCTION(sign, 0, sign) FUNCTION(square, 0.5, square) FUNCTION(floor, 0, floor) FUNCTION(ceil, 0, ceil)              \
  FUNCTION(round, 0, rint) FUNCTION(sin, 0.6, sin) FUNCTION(cos, 0.6, cos) FUNCTION(tan, 0.6, tan)                     \
  FUNCTION(exp, 1.1, exp) FUNCTION(expm1, 1.6, expm1) FUNCTION(log, 1, log) FUNCTION(log1p, 1.6, log1p)                \
  FUNCTION(tanh, 1.6, tanh) FUNCTION(erf, 1.6, erf) FUNCTION(sigmoid, 2, logistic) FUNCTION(softplus, 2, soft_plus)    \
  FUNCTION(gelu, 6, gaussian_unit) FUNCTION(gelu_tanh, INFINITY, tanh_unit) FUNCTION(silu, 3, sigmoid_unit)            \
  FUNCTION(normal_density, 2.1, density) FUNCTION(normal_distribution, 6, distribution) FUNCTION(relu6, 0, relu6)

static const long lengths[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 129, 300};

/// Zeros, infinities, NaN and the borders of ranges, then numbers of many sizes.
static REAL *arguments_of_functions(long n) {
  const double special[] = {
    0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 0.5, -0.5, 1.5, 2.5, -2.5, 88.5, -87.5, -104, 20, -20, 13.2, -13.2, 106, -106,
    -200, 1000, -1000, 1e7, 33554432, smallest, -smallest, smallest / 4, -smallest / 4, largest, -largest};
  REAL *x = ARRAY(REAL, n);
  for (long i = 0; i < n; i++) {
    const long k = (i + n) % 100;
    const double u = next_number();
    x[i] = (REAL)(k < COUNT(special) ? special[k] : k % 2 ? 12 * u : ldexp(u, (int)(k / 2) - 30));
  }
  return x;
}

static void check_unary(
  const char *name, void (*run)(long, int, const REAL *, REAL *), double bound, double (*exact)(double)) {
  for (long k = 0; k < COUNT(lengths); k++) {
    const long n = lengths[k];
    const REAL *x = arguments_of_functions(n);
    for (int way = 0; way < 4; way++) {
      const int inPlace = way & 1, streams = way >> 1;
      REAL *y = inPlace ? copy(n, x) : ARRAY(REAL, n);
      set_size("n %ld%s%s", n, inPlace ? " in place" : "", streams ? ", streaming" : "");
      begin_call(name, TYPE);
      run(n, streams, inPlace ? y : x, y);
      for (long i = 0; i < n; i++) {
        const double wanted = exact(x[i]), size = fabs(wanted) > 1 ? fabs(wanted) : 1;
        // The C library serves for large angles, and for double, where what is compared with has as few digits.
        const double units = bound == 0 || digits == 24 ? fabs(x[i]) > 33554432 && bound == 0.6 ? 1.1 : bound : bound + 2;
        const int isSame = y[i] == (REAL)wanted || (isnan(y[i]) && isnan(wanted));
        const int isNear = isinf(bound) ? fabs(y[i] - wanted) <= 1.7 * epsilon * size : distance(y[i], wanted) <= units;
        compare(i, isSame || (bound > 0 && isNear), y[i], wanted);
      }
    }
    free_arrays();
  }
}

static double power_e(double x) { return exp(x); }
static double reciprocal_of_next(double x) { return 1 / (1 + x); }
static double slope_by_root(double y) { return 0.5 / y; }
static double slope_by_reciprocal_root(double y) { return -0.5 * y * y * y; }
static double twice(double x) { return 2 * x; }
static double slope_by_tanh(double y) { return 1 - y * y; }
static double slope_by_sigmoid(double y) { return y * (1 - y); }
static double slope_of_erf(double x) { return 2 / sqrt(M_PI) * exp(-x * x); }
static double slope_of_relu6(double y) { return y > 0 && y < 6; }
static double limited(double x) { return x > 100 ? 100 : x < -100 ? -100 : x; }
static double slope_of_gelu(double x) { return distribution(x) + limited(x) * density(x); }
static double slope_of_silu(double x) { return logistic(x) + limited(x) * logistic(x) * logistic(-x); }
static double slope_of_gelu_tanh(double unlimited) {
  const double x = limited(unlimited), s = logistic(cubic(x)), rest = logistic(-cubic(x));
  return s + x * s * rest * 1.59576912160573071 * (1 + 3 * 0.044715 * x * x);
}

// The function, the range of its argument, and the slope. What takes any number takes infinities too.
#define EACH_PULLBACK(FUNCTION)                                                                                       \
  FUNCTION(expm1, -9, 9, power_e) FUNCTION(log1p, -0.9, 9, reciprocal_of_next)                                        \
  FUNCTION(sqrt_by_output, 0.2, 9, slope_by_root) FUNCTION(rsqrt_by_output, 0.2, 5, slope_by_reciprocal_root)         \
  FUNCTION(abs, -9, 9, sign) FUNCTION(square, -9, 9, twice) FUNCTION(tanh_by_output, -1, 1, slope_by_tanh)            \
  FUNCTION(sigmoid_by_output, 0, 1, slope_by_sigmoid) FUNCTION(erf, -9, 9, slope_of_erf)                              \
  FUNCTION(softplus, -9, 9, logistic) FUNCTION(gelu, -9, 9, slope_of_gelu)                                            \
  FUNCTION(gelu_tanh, -9, 9, slope_of_gelu_tanh) FUNCTION(silu, -9, 9, slope_of_silu)                                 \
  FUNCTION(normal_distribution, -9, 9, density) FUNCTION(relu6_by_output, -9, 9, slope_of_relu6)

static void check_pullback(
  const char *name, void (*run)(long, int, const REAL *, const REAL *, REAL *), double low, double high,
  double (*slope)(double)) {
  for (long k = 0; k < COUNT(lengths); k++) {
    const long n = lengths[k];
    REAL *v = numbers(n), *dy = numbers(n);
    double *wanted = zeros(n);
    for (long i = 0; i < n; i++) {
      v[i] = (REAL)(low + (high - low) * (1 + v[i]) / 2);
      if (low == -9 && i % 40 == 2) v[i] = INFINITY;
      if (low == -9 && i % 40 == 5) v[i] = -INFINITY;
      // The borders of ReLU6.
      if (low == -9 && i % 40 == 8) v[i] = 6;
      if (low == -9 && i % 40 == 11) v[i] = 0;
      if (i % 40 == 14) v[i] = NAN;
      wanted[i] = dy[i] * slope(v[i]);
    }
    for (int way = 0; way < 3; way++) {
      const int inPlace = way == 2, streams = way == 1;
      REAL *dx = inPlace ? dy : ARRAY(REAL, n);
      set_size("n %ld%s%s", n, inPlace ? " in place" : "", streams ? ", streaming" : "");
      begin_call(name, TYPE);
      run(n, streams, v, dy, dx);
      expect(n, dx, wanted, 8);
    }
    free_arrays();
  }
}

void TYPED(check_elementary)(void) {
#define CHECK(name, bound, exact) check_unary("en_" #name, en_##name, bound, exact);
  EACH_UNARY(CHECK)
#undef CHECK
#define CHECK(name, low, high, slope) check_pullback("en_" #name "_pullback", en_##name##_pullback, low, high, slope);
  EACH_PULLBACK(CHECK)
#undef CHECK
}
