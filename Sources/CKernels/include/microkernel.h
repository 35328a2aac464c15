#pragma once

// What the micro-kernels of products share: some rows of sixteen sums in registers.

// What a convolution does to its results while they are in registers: y = conv + bias + residual, and 0 in place of what is
// then negative. A null bias or residual is left out. The residual lies like y. What streams goes to memory without being
// fetched into a cache first: y, which no cache could hold, begins with a line of one, and each pixel takes whole lines.
typedef struct {
  const float *bias, *residual;
  int rectifies, streams;
} en_float_epilogue;

typedef struct {
  const double *bias, *residual;
  int rectifies, streams;
} en_double_epilogue;

/// How many rows of sums stay in registers: six take twelve of AVX2's sixteen, twelve as many of AVX-512's thirty-two.
static inline __attribute__((always_inline)) long en_most_rows(void) {
#if defined(__x86_64__) && !defined(EN_AT_MOST_AVX2)
  return __builtin_cpu_supports("avx512vl") ? 12 : 6;
#else
  return 6;
#endif
}

/// How many of `left` rows a micro-kernel of at most `most` takes next: whole ones, and a rest of more than three where it can
/// be, for fewer cannot keep the arithmetic busy.
static inline __attribute__((always_inline)) long en_share(long left, long most) {
  if (most == 12 && (left == 12 || left > 15)) return 12;
  if (most == 12 && left == 9) return 9;
  return left == 7 || left == 8 ? 4 : left == 9 || left == 10 ? 5 : left < 6 ? left : 6;
}

/// The cases of a switch over what `en_share` gives.
#define EN_EACH_SHARE(CASE) CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(9); CASE(12)

/// Memory that is needed soon. What computes brings it near, a share at each of its steps, as it would else be waited for.
typedef struct {
  const void *start;
  long bytes;
} en_ahead;

/// Fetches the share of `count` of `steps` steps from `step` on; a fetch beyond what is there does no harm.
static inline __attribute__((always_inline)) void en_bring_near(en_ahead ahead, long step, long steps, long count) {
  const char *start = (const char *)ahead.start, *end = start + ahead.bytes * (step + count) / steps;
  for (const char *line = start + ahead.bytes * step / steps; line < end; line += 64) __builtin_prefetch(line, 0, 2);
}
