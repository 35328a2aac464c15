#pragma once
// What all checks of kernels share: arrays between guards, numbers, comparisons. A family of kernels is one file, which is compiled
// for float and, with DOUBLE, for double.
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "CKernels.h"

#ifdef DOUBLE
#define REAL double
#define TYPE "double"
#define TYPED(name) name##_double
#define DESCRIPTOR(name) en_double_##name
enum { digits = DBL_MANT_DIG };
static const double epsilon = DBL_EPSILON, smallest = DBL_MIN, largest = DBL_MAX;
#else
#define REAL float
#define TYPE "float"
#define TYPED(name) name##_float
#define DESCRIPTOR(name) en_float_##name
enum { digits = FLT_MANT_DIG };
static const double epsilon = FLT_EPSILON, smallest = FLT_MIN, largest = FLT_MAX;
#endif
#define SHARED static inline __attribute__((unused))
#define COUNT(array) ((long)(sizeof(array) / sizeof *(array)))

/// Calls a kernel, after which what is compared is its result.
#define RUN(function, ...) (begin_call(#function, TYPE), function(__VA_ARGS__))
void begin_call(const char *function, const char *type);
/// What is compared is of several kernels together.
void name_composition(const char *name);
/// The sizes of the calls that come next, for messages.
void set_size(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// So many bytes of ones, which are NaN as scalars and -1 as integers, right before a page that can be neither read nor written.
/// They stay until `free_arrays`, which also looks whether something was written before them.
void *room(size_t bytes);
void free_arrays(void);
#define ARRAY(type, n) ((type *)room((size_t)(n) * sizeof(type)))

/// A number in -1 ..< 1 of a sequence that is the same everywhere.
double next_number(void);

SHARED REAL *numbers(long n) {
  REAL *x = ARRAY(REAL, n);
  for (long i = 0; i < n; i++) x[i] = (REAL)next_number();
  return x;
}
/// Multiples of 1/8, with which sums and products of a few are exact, and many are equal.
SHARED REAL *eighths(long n) {
  REAL *x = ARRAY(REAL, n);
  for (long i = 0; i < n; i++) x[i] = (REAL)(rint(next_number() * 16) / 8);
  return x;
}
SHARED double *zeros(long n) {
  double *x = ARRAY(double, n);
  for (long i = 0; i < n; i++) x[i] = 0;
  return x;
}
SHARED REAL *copy(long n, const REAL *from) {
  REAL *x = ARRAY(REAL, n);
  for (long i = 0; i < n; i++) x[i] = from[i];
  return x;
}

/// Counts a comparison, and prints one that fails.
void compare(long index, int isRight, double found, double wanted);

/// Whether `found` is the number nearest to `wanted`, or both are NaN.
SHARED void expect_equal(long n, const REAL *found, const double *wanted) {
  for (long i = 0; i < n; i++)
    compare(i, found[i] == (REAL)wanted[i] || (isnan(found[i]) && isnan(wanted[i])), found[i], wanted[i]);
}
SHARED void expect_integer(long index, long found, long wanted) {
  compare(index, found == wanted, (double)found, (double)wanted);
}

/// Whether they differ by so many epsilons of the type at most, times the larger of 1 and what is wanted.
SHARED void expect(long n, const REAL *found, const double *wanted, double epsilons) {
  for (long i = 0; i < n; i++) {
    const double difference = fabs(found[i] - wanted[i]), size = fabs(wanted[i]);
    const int isSame = found[i] == (REAL)wanted[i] || (isnan(found[i]) && isnan(wanted[i]));
    compare(i, isSame || difference <= epsilons * epsilon * (size > 1 ? size : 1), found[i], wanted[i]);
  }
}

/// The distance in units in the last place; what is below the normal numbers may be 0.
SHARED double distance(REAL y, double right) {
  if (isnan(right) || isnan(y)) return isnan(right) && isnan(y) ? 0 : INFINITY;
  if (isinf((REAL)right) || isinf(y)) return y == (REAL)right || fabs(right) >= largest ? 0 : INFINITY;
  if (fabs(right) < smallest) return fabs(y - right) <= smallest && !signbit(y) == !signbit(right) ? 0 : INFINITY;
  int exponent;
  frexp(right, &exponent);
  return fabs(y - right) / ldexp(1, exponent - digits);
}

// The families; threads have no type.
#define EACH_FAMILY(FAMILY)                                                                                          \
  FAMILY(elementary) FAMILY(elementwise) FAMILY(movement) FAMILY(reductions) FAMILY(rows) FAMILY(layer_norm)         \
  FAMILY(normalization) FAMILY(pooling) FAMILY(resampling) FAMILY(optimizers) FAMILY(random) FAMILY(convolution)     \
  FAMILY(regions) FAMILY(winograd) FAMILY(depthwise) FAMILY(groups) FAMILY(products) FAMILY(sorting) FAMILY(columns)
#define DECLARED(family)              \
  void check_##family##_float(void); \
  void check_##family##_double(void);
EACH_FAMILY(DECLARED)
#undef DECLARED
void check_threads(void);
