// Measures the largest errors of the elementary functions of one instruction set; see Scripts/elementary-check.
//
// usage: elementary_check STRIDE, to try every STRIDE-th float. Exits with 1 where an error is above its bound in
// Docs/elementary-functions.md.
#include <stdio.h>
#include <stdlib.h>

#include "activations.h"
#include "periodic.h"

enum { block = 4096 };

static double logistic(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double soft_plus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double distribution(double x) { return erfc(-x * M_SQRT1_2) / 2; }
static double density(double x) { return exp(-x * x / 2) * 0.398942280401432677939946; }
static double gaussian_unit(double x) { return x == -INFINITY ? -0.0 : x * distribution(x); }
// The tail of the normal distribution is a quotient of polynomials, whose products are rounded where they are not fused with sums.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
enum { tail_bound = 6 };
#else
enum { tail_bound = 8 };
#endif

static double sigmoid_unit(double x) { return x == -INFINITY ? -0.0 : x * logistic(x); }

// The function, its bound in units in the last place, and what it must be.
#define EACH(FUNCTION)                                                                                      \
  FUNCTION(exp, 1.1, exp)                                                                                   \
  FUNCTION(expm1, 1.6, expm1)                                                                               \
  FUNCTION(log, 1, log)                                                                                     \
  FUNCTION(log1p, 1.6, log1p)                                                                               \
  FUNCTION(tanh, 1.6, tanh)                                                                                 \
  FUNCTION(erf, 1.6, erf)                                                                                   \
  FUNCTION(sigmoid, 2, logistic)                                                                            \
  FUNCTION(softplus, 2, soft_plus)                                                                          \
  FUNCTION(gelu, tail_bound, gaussian_unit)                                                                 \
  FUNCTION(silu, 3, sigmoid_unit)                                                                           \
  FUNCTION(normal_distribution, tail_bound, distribution)                                                   \
  FUNCTION(normal_density, 2.1, density)

// Beyond en_largest_periodic the C library's functions serve.
#define EACH_PERIODIC(FUNCTION) \
  FUNCTION(sin, 0.6, sin)       \
  FUNCTION(cos, 0.6, cos)       \
  FUNCTION(tan, 0.6, tan)

#define LOOP(name, bound, exact)                                                \
  static __attribute__((noinline)) void block_##name(const float *x, float *y) { \
    _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")          \
    for (long i = 0; i < block; i++) y[i] = name##_of(x[i]);                    \
  }
EACH(LOOP)
EACH_PERIODIC(LOOP)

/// The distance from what is right in units in the last place; what is below the normal numbers may be 0.
static double distance(float y, double right) {
  if (isnan(right) || isnan(y)) return isnan(right) && isnan(y) ? 0 : INFINITY;
  if (isinf((float)right) || isinf(y)) return y == (float)right || fabs(right) >= 3.4028234e38 ? 0 : INFINITY;
  if (fabs(right) < 0x1p-126) return fabs(y - right) <= 0x1p-126 && !signbit(y) == !signbit(right) ? 0 : INFINITY;
  int exponent;
  frexp(right, &exponent);
  return fabs(y - right) / ldexp(1, exponent - 24);
}

static int check(
  const char *name, double bound, void (*function)(const float *, float *), double (*exact)(double), float largest,
  unsigned long stride) {
  static float x[block], y[block];
  double worst = 0;
  float place = 0;
  for (unsigned long first = 0; first < 1ul << 32; first += block * stride) {
    for (long i = 0; i < block; i++) x[i] = float_of((int)(unsigned)(first + (unsigned long)i * stride));
    function(x, y);
    for (long i = 0; i < block; i++) {
      if (fabsf(x[i]) > largest) continue;
      const double error = distance(y[i], exact(x[i]));
      if (error > worst) worst = error, place = x[i];
    }
  }
  printf("%-20s %.3f units in the last place at %.9g%s\n", name, worst, place, worst > bound ? ": above its bound" : "");
  fflush(stdout);
  return worst > bound;
}

int main(int count, char **arguments) {
  const unsigned long stride = count > 1 ? strtoul(arguments[1], NULL, 10) : 997;
  int failures = 0;
#define CHECK_TO(name, bound, exact, largest) \
  failures += check(#name, bound, block_##name, exact, largest, stride ? stride : 1);
#define CHECK(name, bound, exact) CHECK_TO(name, bound, exact, INFINITY)
#define CHECK_PERIODIC(name, bound, exact) CHECK_TO(name, bound, exact, en_largest_periodic)
  EACH(CHECK)
  EACH_PERIODIC(CHECK_PERIODIC)
  return failures > 0;
}
