#include "random.h"

#include <math.h>

#include "contract.h"
#include "elementary.h"
#include "vectors.h"

/// The output of SplitMix64 at `index`.
INLINED unsigned long hash(unsigned long seed, unsigned long index) {
  unsigned long z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

OVERLOADED KERNEL void en_uniform(unsigned long seed, long first, long n, float *y) {
  assert(n >= 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i++) y[i] = (float)(hash(seed, first + i) >> 40) * 0x1p-24f;
}
OVERLOADED KERNEL void en_uniform(unsigned long seed, long first, long n, double *y) {
  assert(n >= 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i++) y[i] = (double)(hash(seed, first + i) >> 11) * 0x1p-53;
}

// Logarithm, sine and cosine of double without branches, so that loops over them vectorise, and with every digit but the last or two: a
// float made of them is almost always that of the C library's.

/// log(u) for u of 2⁻⁵³ to 1: 2 artanh(s) of the mantissa in √½ ..< √2, by its Taylor series, and the exponent's share.
INLINED double log_of_fraction(double u) {
  const long bits = bits_of(u) - 0x3fe6a09e667f3bcd;
  const double n = (double)(int)(bits >> 52), m = double_of((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
  const double s = (m - 1) / (m + 1), z = s * s;
  const double rest =
    z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * (1.0 / 15
    + z * (1.0 / 17 + z * (1.0 / 19 + z * (1.0 / 21 + z * (1.0 / 23)))))))))));
  // ln 2 in two parts, of which the first has few digits: its products are exact.
  return n * 0x1.62e42feep-1 + (2 * s + (2 * s * rest + n * 0x1.a39ef35793c76p-33));
}

/// Cosine and sine of an angle of 0 to 2π: it is reduced by multiples of π/2, as ``quadrant`` does, to Taylor's polynomials.
INLINED void cosine_and_sine(double angle, double *cosine, double *sine) {
  const double shifted = angle * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = shifted - 0x1.8p52;
  const double r = (angle - n * 0x1.921fb54p0) - n * 0x1.10b4611a62633p-30, z = r * r;
  const double s =
    r + r * (z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800
    + z * (1.0 / 6227020800 + z * (-1.0 / 1307674368000 + z * (1.0 / 355687428096000)))))))));
  const double c =
    1 + z * (-1.0 / 2 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800
    + z * (1.0 / 479001600 + z * (-1.0 / 87178291200 + z * (1.0 / 20922789888000))))))));
  const long quadrant = bits_of(shifted);
  const double x = quadrant & 1 ? s : c, y = quadrant & 1 ? c : s;
  *cosine = (quadrant + 1) & 2 ? -x : x;
  *sine = quadrant & 2 ? -y : y;
}

/// Two normal numbers from indices `index` and `index` + 1. 1 - u is never 0, so that its logarithm is finite. The square root is the
/// instruction: that of the C library sets errno, and no loop with it vectorises.
INLINED void normal_pair(unsigned long seed, long index, double *first, double *second) {
  const double u = 1 - (double)(hash(seed, index) >> 11) * 0x1p-53;
  const double angle = 2 * M_PI * (double)(hash(seed, index + 1) >> 11) * 0x1p-53;
  const double radius = __builtin_elementwise_sqrt(-2 * log_of_fraction(u));
  cosine_and_sine(angle, first, second);
  *first *= radius;
  *second *= radius;
}

#define NORMALS(REAL)                                                                   \
  assert(n >= 0 && first % 2 == 0 && EN_HAS(y, n));                                     \
  for (long pair = 0; pair < n / 2; pair++) {                                           \
    double a, b;                                                                        \
    normal_pair(seed, first + 2 * pair, &a, &b);                                        \
    y[2 * pair] = (REAL)a;                                                              \
    y[2 * pair + 1] = (REAL)b;                                                          \
  }                                                                                     \
  if (n % 2 == 1) {                                                                     \
    double a, b;                                                                        \
    normal_pair(seed, first + n - 1, &a, &b);                                           \
    y[n - 1] = (REAL)a;                                                                 \
  }

OVERLOADED KERNEL void en_normal(unsigned long seed, long first, long n, float *y) { NORMALS(float) }
OVERLOADED KERNEL void en_normal(unsigned long seed, long first, long n, double *y) { NORMALS(double) }

// As a tensor of uniform numbers, compared with `keep`, would do.
OVERLOADED KERNEL void en_dropout(unsigned long seed, long first, long n, float keep, const float *x, float *y) {
  assert(n >= 0 && keep > 0 && EN_HAS(x, n) && EN_HAS(y, n));
  const float scale = 1 / keep;
  for (long i = 0; i < n; i++) y[i] = x[i] * ((float)(hash(seed, first + i) >> 40) * 0x1p-24f < keep ? scale : 0);
}
OVERLOADED KERNEL void en_dropout(unsigned long seed, long first, long n, double keep, const double *x, double *y) {
  assert(n >= 0 && keep > 0 && EN_HAS(x, n) && EN_HAS(y, n));
  const double scale = 1 / keep;
  for (long i = 0; i < n; i++) y[i] = x[i] * ((double)(hash(seed, first + i) >> 11) * 0x1p-53 < keep ? scale : 0);
}
