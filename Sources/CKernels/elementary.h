#pragma once
// Elementary functions of one scalar, without branches, so that loops over them vectorise for every instruction set.
//
// Those of float are polynomials: Scripts/elementary_coefficients.py derives the coefficients. The largest errors, in units in
// the last place over all floats with each instruction set, are in Docs/elementary-functions.md. Those of double are the C
// library's, as double serves gradient checks.
//
// Conventions: `a ? b : c` has both sides computed. A comparison with NaN is false, so that the last operand of a selection is
// where NaN must pass. Products that must be exact are so with and without a fused multiply-add.
#include <math.h>
#include <string.h>

#include "multiversion.h"

#define ELEMENTARY_INLINE static inline __attribute__((always_inline, overloadable))

ELEMENTARY_INLINE int bits_of(float x) {
  int bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
ELEMENTARY_INLINE float float_of(int bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// 2^exponent for exponents of -126 to 127. Sums and shifts of bits wrap: those of NaN may be any number, which is not used.
ELEMENTARY_INLINE float power_of_two(int exponent) { return float_of((int)(((unsigned)exponent + 127u) << 23)); }

/// e^(x + rest) = (1 + fraction) · 2^exponent, |fraction| < 0.42; `lost` is what the reduced argument was rounded by.
typedef struct {
  float fraction;
  int exponent;
  float lost;
} en_exponential;

/// For x of -170 to 89. Range reduction by multiples of ln 2, in two parts of which the first has few bits: its products are exact. Adding
/// 1.5 · 2²³ rounds to an integer, which is then in the low bits.
ELEMENTARY_INLINE en_exponential exponential(float x, float rest) {
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float high = x - n * 0.693145752f, low = n * 1.42860677e-6f;
  const float r = high - low + rest;
  const float q = 0.49999994f + r * (0.166665211f + r * (0.041668389f + r * (0.00836874451f + r * 0.00138145685f)));
  return (en_exponential){r + r * r * q, bits_of(shifted) - 0x4b400000, (high - r) - low};
}

/// x · 2^exponent for exponents of -126 to 127; -127 gives 0.
ELEMENTARY_INLINE float scaled_once(float x, int exponent) { return x * power_of_two(exponent); }

/// x · 2^exponent for exponents of -252 to 254, rounded once.
ELEMENTARY_INLINE float scaled(float x, int exponent) {
  const int half = exponent >> 1;
  return x * power_of_two(half) * power_of_two(exponent - half);
}

ELEMENTARY_INLINE float exp_of(float x) {
  const en_exponential e = exponential(x < -104 ? -104 : x > 89 ? 89 : x, 0);
  return scaled(1 + e.fraction, e.exponent);
}

/// For x ≤ 0, e^x with 0 for what is no normal number.
ELEMENTARY_INLINE en_exponential exponential_of_negative(float x) { return exponential(x < -88 ? -88 : x, 0); }
ELEMENTARY_INLINE float exp_of_negative(float x) {
  const en_exponential e = exponential_of_negative(x);
  return scaled_once(1 + e.fraction, e.exponent);
}

/// e^x - 1: 2^n (1 + f) - 1 = 2^n f + (2^n - 1), whose parts do not cancel.
ELEMENTARY_INLINE float expm1_of(float x) {
  const en_exponential e = exponential(x < -20 ? -20 : x > 89 ? 89 : x, 0);
  const int small = e.exponent < 64 ? e.exponent : 64;
  const float power = power_of_two(small);
  const float near = power * e.fraction + (power - 1);
  const float y = e.exponent < 64 ? near : scaled(1 + e.fraction, e.exponent);
  return x == 0 ? x : y;
}

/// log(2^exponent (1 + f)), √½ ≤ 1 + f < √2.
ELEMENTARY_INLINE float log_of_parts(float exponent, float f) {
  const float s =
    0.333333135f
    + f * (-0.250000089f
           + f * (0.200021222f
                  + f * (-0.166680038f
                         + f * (0.142194986f
                                + f * (-0.124054521f + f * (0.118884139f + f * (-0.116764687f + f * 0.067470327f)))))));
  const float square = f * f;
  const float rest = square * f * s + exponent * 1.42860677e-6f;
  return exponent * 0.693145752f + (f + (rest - 0.5f * square));
}

// The bits of √½: what lies above it, in units of the exponent, is the exponent of 2 that leaves √½ … √2.
#define EN_ROOT_HALF 0x3f3504f3

ELEMENTARY_INLINE float log_of(float x) {
  const int isTiny = x < 1.17549435e-38f;
  const int bits = (int)((unsigned)bits_of(isTiny ? x * 8388608.0f : x) - EN_ROOT_HALF);
  const float exponent = (float)((bits >> 23) - (isTiny ? 23 : 0));
  const float y = log_of_parts(exponent, float_of((bits & 0x7fffff) + EN_ROOT_HALF) - 1);
  const float special = x == 0 ? -INFINITY : x < 0 ? NAN : x;
  return x > 0 && x < INFINITY ? y : special;
}

/// log(1 + x), with what the sum 1 + x rounds off added to the reduced number.
ELEMENTARY_INLINE float log1p_of(float x) {
  const float u = 1 + x;
  const float lost = x > 1 ? 1 - (u - x) : x - (u - 1);
  const int bits = (int)((unsigned)bits_of(u) - EN_ROOT_HALF);
  const int exponent = bits >> 23;
  // Of large numbers nothing is lost that counts.
  const float down = power_of_two(-(exponent < 64 ? exponent : 64));
  const float f = float_of((bits & 0x7fffff) + EN_ROOT_HALF) - 1 + lost * down;
  const float y = log_of_parts((float)exponent, f);
  const float special = x == -1 ? -INFINITY : x < -1 ? NAN : x;
  return x > -1 && x < INFINITY && x != 0 ? y : special;
}

ELEMENTARY_INLINE float tanh_of(float x) {
  const float a = fabsf(x), z = x * x;
  const float t =
    -0.333333194f + z * (0.133326024f + z * (-0.0538538545f + z * (0.021077754f + z * -0.00628246972f)));
  const float near = x + x * (z * t);
  const en_exponential e = exponential(2 * (a > 10 ? 10 : a), 0);
  const float far = 1 - 2 / (scaled_once(1 + e.fraction, e.exponent) + 1);
  return copysignf(a < 0.55f ? near : far, x);
}

/// 1 / (1 + e^-x): of e^-|x|, which does not overflow. As a numerator it gets back what was rounded off.
ELEMENTARY_INLINE float sigmoid_of(float x) {
  const en_exponential parts = exponential_of_negative(-fabsf(x));
  const float m = 1 + parts.fraction, lost = parts.fraction - (m - 1) + parts.lost;
  const float e = scaled_once(m, parts.exponent), y = (x < 0 ? e : 1) / (1 + e);
  return y + y * (x < 0 ? lost * (2 - m) : 0);
}

ELEMENTARY_INLINE float erf_of(float x) {
  const float a = fabsf(x), z = x * x;
  const float p =
    0.128379166f
    + z * (-0.37612626f
           + z * (0.112835854f + z * (-0.0268538129f + z * (0.00518832728f + z * (-0.0008010171f + z * 7.85374141e-05f)))));
  const float near = x + x * p;
  const float d = (a > 3.93f ? 3.93f : a) - 2.46f;
  const float q =
    0.000503326766f
    + d * (-0.00265619345f
           + d * (0.00653576339f
                  + d * (-0.00983299501f
                         + d * (0.00990482699f
                                + d * (-0.00679765595f
                                       + d * (0.00296351011f
                                              + d * (-0.000462164986f
                                                     + d * (-0.000391132169f
                                                            + d * (0.000301674445f
                                                                   + d * (-5.16664222e-05f
                                                                          + d * (-2.54202914e-05f
                                                                                 + d * 9.12470659e-06f)))))))))));
  const float far = 1 - q;
  return a < 1 ? near : a >= 1 ? copysignf(a > 3.92f ? 1 : far, x) : x;
}

/// log(1 + e^x) = max(x, 0) + log(1 + t), t = e^-|x|, of which 1 + t or (1 + t) / 2 is below √2.
ELEMENTARY_INLINE float softplus_of(float x) {
  const float t = exp_of_negative(-fabsf(x));
  const int isLarge = t > 0.414213562f;
  const float y = log_of_parts(isLarge ? 1 : 0, isLarge ? (t - 1) * 0.5f : t);
  return x > 0 ? x + y : x <= 0 ? y : x;
}

ELEMENTARY_INLINE double double_of(long bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
ELEMENTARY_INLINE long bits_of(double x) {
  long bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// x to the power of y as C's pow, with its exceptions: 2^(y log₂|x|) in double, so that the product keeps the digits of a float.
ELEMENTARY_INLINE float pow_of(float x, float y) {
  const float a = fabsf(x);
  const int isTiny = a < 1.17549435e-38f;
  const int bits = (int)((unsigned)bits_of(isTiny ? a * 8388608.0f : a) - EN_ROOT_HALF);
  const double m = float_of((bits & 0x7fffff) + EN_ROOT_HALF);
  const double s = (m - 1) / (m + 1), z = s * s;
  const double log =
    (double)((bits >> 23) - (isTiny ? 23 : 0))
    + s * (0x1.71547652b82ffp+1
           + z * (0x1.ec709dc39c9d5p-1
                  + z * (0x1.2776c516ab3aep-1
                         + z * (0x1.a617567494674p-2
                                + z * (0x1.484facdaec3eap-2 + z * (0x1.0bb7a59dd1fa8p-2 + z * 0x1.f1871e4a0a365p-3))))));
  const double limit = a == 0 ? -(double)INFINITY : a < INFINITY ? log : (double)a;
  const double product = (double)y * limit;
  const double p = product < -160 ? -160 : product > 130 ? 130 : product;
  const double shifted = p + 0x1.8p52, r = p - (shifted - 0x1.8p52);
  const double e =
    0x1.ffffffffab0b7p-1
    + r * (0x1.62e42ff119218p-1
           + r * (0x1.ebfbe0a5c8010p-3
                  + r * (0x1.c6b08aaafa5dfp-5
                         + r * (0x1.3b29db6138f76p-7
                                + r * (0x1.5d8a72fbcd977p-10 + r * (0x1.446ad443056e9p-13 + r * 0x1.fe16b8d2d6de8p-17))))));
  // Rounded once, to a number with fewer digits too.
  const float power = (float)double_of((long)((unsigned long)bits_of(e) + ((unsigned long)bits_of(shifted) << 52)));
  const float many = 33554432.0f;
  const float whole = y >= -many ? y <= many ? y : many : -many;
  const int n = (int)whole, isInteger = (float)n == whole;
  const float size = product == product ? power : NAN;
  const int isNegative = (bits_of(x) < 0) & isInteger & n;
  const float directed = isNegative ? -size : size;
  const int isComplex = (x < 0) & (a < INFINITY) & !isInteger;
  const float real = isComplex ? NAN : directed;
  const int isOne = (y == 0) | (x == 1) | ((x == -1) & (fabsf(y) == INFINITY));
  return isOne ? 1 : real;
}

ELEMENTARY_INLINE double pow_of(double x, double y) { return pow(x, y); }
ELEMENTARY_INLINE double exp_of(double x) { return exp(x); }
ELEMENTARY_INLINE double expm1_of(double x) { return expm1(x); }
ELEMENTARY_INLINE double log_of(double x) { return log(x); }
ELEMENTARY_INLINE double log1p_of(double x) { return log1p(x); }
ELEMENTARY_INLINE double tanh_of(double x) { return tanh(x); }
ELEMENTARY_INLINE double erf_of(double x) { return erf(x); }
ELEMENTARY_INLINE double sigmoid_of(double x) {
  const double e = exp(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
ELEMENTARY_INLINE double softplus_of(double x) { return (x > 0 ? x : x <= 0 ? 0 : x) + log1p(exp(-fabs(x))); }
ELEMENTARY_INLINE double exp_of_negative(double x) { return exp(x); }
