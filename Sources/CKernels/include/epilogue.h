#pragma once

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
