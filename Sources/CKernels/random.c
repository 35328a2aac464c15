#include "random.h"

#include <math.h>

#include "contract.h"
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

/// Two normal numbers from indices `index` and `index` + 1. 1 - u is never 0, so that its logarithm is finite.
static inline void normal_pair(unsigned long seed, long index, double *pair) {
  const double u = 1 - (double)(hash(seed, index) >> 11) * 0x1p-53;
  const double angle = 2 * M_PI * (double)(hash(seed, index + 1) >> 11) * 0x1p-53;
  const double radius = sqrt(-2 * log(u));
  pair[0] = radius * cos(angle);
  pair[1] = radius * sin(angle);
}
OVERLOADED void en_normal(unsigned long seed, long first, long n, float *y) {
  assert(n >= 0 && first % 2 == 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i += 2) {
    double pair[2];
    normal_pair(seed, first + i, pair);
    y[i] = (float)pair[0];
    if (i + 1 < n) y[i + 1] = (float)pair[1];
  }
}
OVERLOADED void en_normal(unsigned long seed, long first, long n, double *y) {
  assert(n >= 0 && first % 2 == 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i += 2) {
    double pair[2];
    normal_pair(seed, first + i, pair);
    y[i] = pair[0];
    if (i + 1 < n) y[i + 1] = pair[1];
  }
}

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
