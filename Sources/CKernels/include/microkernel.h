#pragma once

// The micro-kernel that every product shares, whatever its operands: the register tile.
//
//                    NR = 16 columns
//                  ┌────────────────┐
//                  │ a row of the   │  one load a step: a row of the packed panel
//                  │ panel        b │
//                  └────────────────┘
//      a scalar    ┌────────────────┐
//   MR of each row │ MR × NR sums   │  sums[i] += a[i] · b: MR vectors of sums, which stay in registers
//  rows     a[i]   │                │  over KC steps, and are stored once
//                  └────────────────┘
//
// Why these sizes: a step loads one row of a panel and multiplies it by MR scalars, broadcast from where they lie. Sums must
// outlive the latency of a multiply-add: 4 cycles at two a cycle need eight independent vectors, and twelve leave registers for
// the row and the scalar. Sixteen floats are two registers of AVX2, so MR = 6 fills twelve of its sixteen; they are one of
// AVX-512, so MR = 12 fills twelve of its thirty-two, and two panels at a time, with 24 vectors of sums, save half of the loads
// where a core multiplies two vectors a cycle but loads no more than two. NR = 16 channels are a cache line of floats: weights
// are packed in panels of NR columns, so that a step reads one whole line after the other.
//
// Panels are cut to a depth of KC rows so that one stays in the first-level cache (32 KiB) while all rows of the other factor
// pass it: KC · NR floats are 32 KiB for 512 rows, 16 KiB for 256. The loops around it, for the second-level cache, are in Swift.

enum {
  /// The most rows of a tile, as en_max_mr says for this processor.
  en_mr = 12,
  /// The columns of a panel.
  en_nr = 16,
  /// The depth of a panel of the direct convolution, and that below which a panel is not cut: the last part would be short.
  en_kc = 512,
  en_shallow_kc = 768,
  /// The depth of a panel of Winograd-domain weights, beside which rows of components and sums want to be in the cache.
  en_winograd_kc = 256,
};

// The epilogue of a convolution, applied to results in registers: y = conv + bias + residual, then ReLU where `relu` is 1, and
// ReLU6 where it is 6. A null bias or residual is left out; the residual has the layout of y. Non-temporal stores bypass the
// caches: y is larger than any of them, begins at a cache line, and each pixel takes whole lines.
typedef struct {
  const float *bias, *residual;
  int relu, nontemporal;
} en_float_epilogue;

typedef struct {
  const double *bias, *residual;
  int relu, nontemporal;
} en_double_epilogue;

/// The largest MR of this processor. Six rows of sums take twelve of AVX2's sixteen registers, twelve rows take twelve of
/// AVX-512's thirty-two.
static inline __attribute__((always_inline)) long en_max_mr(void) {
#if defined(__x86_64__) && !defined(EN_AT_MOST_AVX2)
  return __builtin_cpu_supports("avx512vl") ? en_mr : en_mr / 2;
#else
  return en_mr / 2;
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
