#include "taps.h"

#include <assert.h>

// Vectors aligned like a scalar, for unaligned loads and stores, and aligned to their size, for stores past the caches.
typedef float float_16 __attribute__((vector_size(64), aligned(4)));
typedef float float_8 __attribute__((vector_size(32), aligned(4)));
typedef float float_4 __attribute__((vector_size(16), aligned(4)));
typedef float float_16_line __attribute__((vector_size(64), aligned(64)));
typedef double double_16 __attribute__((vector_size(128), aligned(8)));
typedef double double_8 __attribute__((vector_size(64), aligned(8)));
typedef double double_4 __attribute__((vector_size(32), aligned(8)));
typedef double double_16_line __attribute__((vector_size(128), aligned(64)));
typedef float float_1;
typedef double double_1;

/// How many of `left` pixels a micro-kernel takes next: as few strips as can be, of nearly the same length.
static inline __attribute__((always_inline)) long strip_of(long left, long maxMR) {
  if (maxMR == 12 && left >= 12) return 12;
  return left == 7 || left == 8 ? 4 : left == 9 || left == 10 ? 5 : left < 6 ? left : 6;
}

static inline __attribute__((unused)) int is_within(en_tap_plan plan, long xChannels, long yChannels) {
  for (long r = 0; r < plan.runCount; r++) {
    const en_tap_run run = plan.runs[r];
    if (run.pixels <= 0 || run.firstTap < 0 || run.firstTap + run.tapCount > plan.tapCount || run.leadCount > run.tapCount) return 0;
    if (run.to < 0 || run.to + (run.pixels - 1) * plan.toStep + yChannels > plan.yCount) return 0;
    for (long t = run.firstTap; t < run.firstTap + run.tapCount; t++) {
      const long first = run.from + plan.taps[t].offset;
      if (first < 0 || first + (run.pixels - 1) * plan.fromStep + xChannels > plan.xCount) return 0;
      if (plan.taps[t].tap < 0 || plan.taps[t].tap >= plan.kernelTaps) return 0;
    }
  }
  return 1;
}

#define REAL float
#define TYPE(name) en_float_##name
#define VECTOR_OF(lanes) float_##lanes
#include "taps.body.h"
#undef REAL
#undef TYPE
#undef VECTOR_OF
#define REAL double
#define TYPE(name) en_double_##name
#define VECTOR_OF(lanes) double_##lanes
#include "taps.body.h"
