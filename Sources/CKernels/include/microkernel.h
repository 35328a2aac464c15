#pragma once

// The register tile that the micro-kernels of products share: MR rows of sixteen sums.

// The epilogue of a convolution, applied to results in registers: y = conv + bias + residual, then ReLU where relu is 1, and
// ReLU6 where it is 6. A null bias or
// residual is left out; the residual has the layout of y. Non-temporal stores bypass the caches: y is larger than any of them,
// begins at a cache line, and each pixel takes whole lines.
typedef struct {
  const float *bias, *residual;
  int relu, nontemporal;
} en_float_epilogue;

typedef struct {
  const double *bias, *residual;
  int relu, nontemporal;
} en_double_epilogue;

/// The maximum MR. Six rows of sums take twelve of AVX2's sixteen registers, twelve rows take twelve of AVX-512's thirty-two.
static inline __attribute__((always_inline)) long en_max_mr(void) {
#if defined(__x86_64__) && !defined(EN_AT_MOST_AVX2)
  return __builtin_cpu_supports("avx512vl") ? 12 : 6;
#else
  return 6;
#endif
}

/// The MR split: how many of `left` rows a micro-kernel takes next. The rest keeps more than three rows where it can, as fewer
/// rows leave the arithmetic units idle.
static inline __attribute__((always_inline)) long en_split_mr(long left, long maxMR) {
  if (maxMR == 12 && (left == 12 || left > 15)) return 12;
  if (maxMR == 12 && left == 9) return 9;
  return left == 7 || left == 8 ? 4 : left == 9 || left == 10 ? 5 : left < 6 ? left : 6;
}

/// The cases of a switch over what `en_split_mr` returns.
#define EN_EACH_MR(CASE) CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(9); CASE(12)

/// Memory to prefetch: a kernel prefetches a part of it at each of its steps.
typedef struct {
  const void *start;
  long bytes;
} en_prefetch;

/// Prefetches the part of `count` of `steps` steps from `step` on; a prefetch beyond the range is harmless.
static inline __attribute__((always_inline)) void en_prefetch_part(en_prefetch prefetch, long step, long steps, long count) {
  const char *start = (const char *)prefetch.start, *end = start + prefetch.bytes * (step + count) / steps;
  for (const char *line = start + prefetch.bytes * step / steps; line < end; line += 64) __builtin_prefetch(line, 0, 2);
}
