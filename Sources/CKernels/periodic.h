#pragma once
// Sine, cosine and tangent of one scalar, for the conventions see elementary.h. Those of float are computed in double, whose digits
// leave the result half a unit in the last place, or hardly more.
#include "elementary.h"

/// The largest magnitude that ``quadrant`` reduces; beyond it the C library's functions serve.
static const float en_largest_periodic = 33554432.0f;

/// x = count · π/2 + rest, |rest| ≤ π/4.
typedef struct {
  double rest;
  int count;
} en_quadrant;

/// π/2 is subtracted in two parts, of which the first has 27 bits: its products are exact. Adding 1.5 · 2⁵² rounds to an integer,
/// which is then in the low bits.
ELEMENTARY_INLINE en_quadrant quadrant(float x) {
  const double shifted = (double)x * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = shifted - 0x1.8p52;
  return (en_quadrant){((double)x - n * 0x1.921fb54p0) - n * 0x1.10b4611a62633p-30, (int)bits_of(shifted)};
}

/// Taylor's polynomials: the first term left out is 2e-9 of the result. A factor of its own keeps the sign of zero.
ELEMENTARY_INLINE double sine_of_rest(double r) {
  const double z = r * r;
  return r * (1 + z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880)))));
}
ELEMENTARY_INLINE double cosine_of_rest(double r) {
  const double z = r * r;
  return 1 + z * (-1.0 / 2 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800)))));
}

ELEMENTARY_INLINE float sin_of(float x) {
  const en_quadrant q = quadrant(x);
  const double s = sine_of_rest(q.rest), c = cosine_of_rest(q.rest);
  const double y = q.count & 1 ? c : s;
  return (float)(q.count & 2 ? -y : y);
}

ELEMENTARY_INLINE float cos_of(float x) {
  const en_quadrant q = quadrant(x);
  const double s = sine_of_rest(q.rest), c = cosine_of_rest(q.rest);
  const double y = q.count & 1 ? s : c;
  return (float)((q.count + 1) & 2 ? -y : y);
}

ELEMENTARY_INLINE float tan_of(float x) {
  const en_quadrant q = quadrant(x);
  const double s = sine_of_rest(q.rest), c = cosine_of_rest(q.rest);
  return (float)((q.count & 1 ? -c : s) / (q.count & 1 ? s : c));
}

ELEMENTARY_INLINE double sin_of(double x) { return sin(x); }
ELEMENTARY_INLINE double cos_of(double x) { return cos(x); }
ELEMENTARY_INLINE double tan_of(double x) { return tan(x); }
