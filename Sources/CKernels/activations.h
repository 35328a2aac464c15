#pragma once
// Activations of one scalar and their slopes, made of elementary functions; see elementary.h for the conventions. What is scaled
// by a power of 2 is scaled last, as a factor may have fewer digits than the product.
#include "elementary.h"

/// Φ(-|x|) = (1 + e.fraction) · 2^e.exponent · share, and e^(-x²/2) without the share: the tail of the normal distribution keeps
/// its digits as far out as it has any; from |x| = 13.2 on, where it is no normal number, the exponent makes it 0.
typedef struct {
  en_exponential e;
  float share;
  /// |x|, or what is past the last normal number.
  float limited;
} en_normal_tail;

ELEMENTARY_INLINE en_normal_tail normal_tail(float x) {
  const float a = fabsf(x), limited = a > 13.26f ? 13.26f : a;
  // The square of the high half is exact.
  const float high = float_of(bits_of(limited) & -4096);
  const float low = limited - high;
  // Two short chains of products, whose latencies overlap.
  const float top =
    0.5f + limited * (0.43569988f + limited * (0.181316748f + limited * (0.0399875194f + limited * 0.00402067835f)));
  const float bottom =
    1
    + limited * (1.6692847f
                 + limited * (1.19452584f + limited * (0.464406669f + limited * (0.100241221f + limited * 0.0100782029f))));
  return (en_normal_tail){exponential(-0.5f * high * high, -0.5f * low * (limited + high)), top / bottom, limited};
}

/// Φ, the distribution function of the standard normal distribution.
ELEMENTARY_INLINE float normal_distribution_of(float x) {
  const en_normal_tail tail = normal_tail(x);
  const float q = scaled_once((1 + tail.e.fraction) * tail.share, tail.e.exponent);
  return x > 0 ? 1 - q : x <= 0 ? q : x;
}

/// φ, its density.
ELEMENTARY_INLINE float normal_density_of(float x) {
  const en_exponential e = normal_tail(x).e;
  const float y = scaled_once((1 + e.fraction) * 0.398942280f, e.exponent);
  return x == x ? y : x;
}

/// x Φ(x) = max(x, 0) - |x| Φ(-|x|). Scaled last, as Φ may have fewer digits than the product.
ELEMENTARY_INLINE float gelu_of(float x) {
  const en_normal_tail tail = normal_tail(x);
  const float q = scaled_once(tail.limited * ((1 + tail.e.fraction) * tail.share), tail.e.exponent);
  return (x < 0 ? -0.0f : x) - q;
}

/// Φ(x) + x φ(x): of -|x|, or that of 1.
ELEMENTARY_INLINE float gelu_slope(float x) {
  const en_normal_tail tail = normal_tail(x);
  const float m = (1 + tail.e.fraction) * (tail.share - tail.limited * 0.398942280f);
  const float q = scaled_once(m, tail.e.exponent);
  return x > 0 ? 1 - q : x <= 0 ? q : x;
}

// √(2/π) · 2 and the cubic's share of Hendrycks' and Gimpel's form with a hyperbolic tangent:
// (1 + tanh u) / 2 = 1 / (1 + e^-2u).
#define EN_GELU_LINEAR 1.59576912f
#define EN_GELU_CUBIC 0.0713548163f

/// x / (1 + e^-u). With 2²⁶ more, the power of 2 is a normal number as far as the product is one, and 0 further out.
ELEMENTARY_INLINE float gated(float x, float u) {
  const float a = fabsf(u);
  const en_exponential e = exponential(a > 106 ? -106 : -a, 0);
  const float m = scaled_once(1 + e.fraction, e.exponent + 26);
  const float q = x / (1 + m * 0x1p-26f);
  return u < 0 ? q * m * 0x1p-26f : q;
}

/// x / (1 + e^-x)
ELEMENTARY_INLINE float silu_of(float x) { return gated(x < -200 ? -200 : x, x); }

ELEMENTARY_INLINE float silu_slope(float x) {
  const float s = sigmoid_of(x), limited = x < -200 ? -200 : x > 200 ? 200 : x;
  return s + limited * (s * sigmoid_of(-x));
}

ELEMENTARY_INLINE float gelu_tanh_of(float x) {
  const float limited = x < -20 ? -20 : x;
  return gated(limited, limited * (EN_GELU_LINEAR + EN_GELU_CUBIC * (limited * limited)));
}

ELEMENTARY_INLINE float gelu_tanh_slope(float x) {
  const float limited = x < -20 ? -20 : x > 20 ? 20 : x, z = limited * limited;
  const float u = limited * (EN_GELU_LINEAR + EN_GELU_CUBIC * z), s = sigmoid_of(u);
  return s + s * sigmoid_of(-u) * (limited * (EN_GELU_LINEAR + 3 * EN_GELU_CUBIC * z));
}

ELEMENTARY_INLINE double normal_distribution_of(double x) { return erfc(x * -0.707106781186547524400844) / 2; }
ELEMENTARY_INLINE double normal_density_of(double x) { return exp(x * x / -2) * 0.398942280401432677939946; }
ELEMENTARY_INLINE double gelu_of(double x) { return (x < -50 ? -50 : x) * normal_distribution_of(x); }
ELEMENTARY_INLINE double gelu_slope(double x) {
  return normal_distribution_of(x) + (x < -50 ? -50 : x > 50 ? 50 : x) * normal_density_of(x);
}
ELEMENTARY_INLINE double silu_of(double x) { return (x < -800 ? -800 : x) * sigmoid_of(x); }
ELEMENTARY_INLINE double silu_slope(double x) {
  const double s = sigmoid_of(x);
  return s + (x < -800 ? -800 : x > 800 ? 800 : x) * (s * sigmoid_of(-x));
}
ELEMENTARY_INLINE double gelu_tanh_of(double x) {
  const double limited = x < -50 ? -50 : x;
  return limited * sigmoid_of(limited * (1.5957691216057308 + 0.07135481627260025 * (limited * limited)));
}
ELEMENTARY_INLINE double gelu_tanh_slope(double x) {
  const double limited = x < -50 ? -50 : x > 50 ? 50 : x, z = limited * limited;
  const double u = limited * (1.5957691216057308 + 0.07135481627260025 * z), s = sigmoid_of(u);
  return s + s * sigmoid_of(-u) * (limited * (1.5957691216057308 + 0.21406444881780074 * z));
}
