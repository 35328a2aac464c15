#pragma once
// Every epilogue of a convolution, and what it must give.
#include "check.h"

/// Epilogues are numbered: these bits, and above them one of no ReLU, ReLU and ReLU6.
enum { has_bias = 1, has_residual = 2, is_nontemporal = 4, relu_kinds = 8, epilogue_count = 24 };

SHARED DESCRIPTOR(epilogue) epilogue_of(int kind, const REAL *bias, const REAL *residual) {
  const int relus[] = {0, 1, 6};
  return (DESCRIPTOR(epilogue)){
    kind & has_bias ? bias : 0, kind & has_residual ? residual : 0, relus[kind / relu_kinds], (kind & is_nontemporal) != 0};
}

/// A result of an epilogue, of which `sum` is without it; NaN passes.
SHARED double finished(DESCRIPTOR(epilogue) epilogue, double sum, long channel, long at) {
  if (epilogue.bias) sum += (double)epilogue.bias[channel];
  if (epilogue.residual) sum += (double)epilogue.residual[at];
  return epilogue.relu && sum < 0 ? 0 : epilogue.relu == 6 && sum > 6 ? 6 : sum;
}

/// Numbers of which many are beyond what ReLU6 passes.
SHARED REAL *wide_numbers(long n) {
  REAL *x = numbers(n);
  for (long i = 0; i < n; i++) x[i] *= 10;
  return x;
}
