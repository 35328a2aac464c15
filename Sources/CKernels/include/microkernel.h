#pragma once

// What the micro-kernels of products share: six rows of sixteen sums in registers.

// What a convolution does to its results while they are in registers: y = conv + bias + residual, and 0 in place of what is
// then negative. A null bias or residual is left out. The residual lies like y.

typedef struct {
  const float *bias, *residual;
  int rectifies;
} en_float_epilogue;

typedef struct {
  const double *bias, *residual;
  int rectifies;
} en_double_epilogue;

/// How many of `left` rows a micro-kernel of at most 6 takes next: sixes, and a rest of more than three where it can be, for
/// fewer cannot keep the arithmetic busy.
static inline __attribute__((always_inline)) long en_share(long left) {
  return left == 7 || left == 8 ? 4 : left == 9 || left == 10 ? 5 : left < 6 ? left : 6;
}
