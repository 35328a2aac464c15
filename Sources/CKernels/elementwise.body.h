#define UNARY(name, result)                                             \
  OVERLOADED KERNEL void en_##name(long n, const REAL *x, REAL *y) {    \
    for (long i = 0; i < n; i++) {                                      \
      const REAL v = x[i];                                              \
      y[i] = result;                                                    \
    }                                                                   \
  }
#include "unary.table.h"
#undef UNARY

// Branches on the operands' steps along a row, 0 or 1, so that the loops vectorise.
#define BINARY(name, result)                                                                                      \
  OVERLOADED KERNEL void en_##name(                                                                               \
    long rows, long n, long aRow, long aStep, long bRow, long bStep, const REAL *x, const REAL *z, REAL *y) {     \
    for (long row = 0; row < rows; row++, x += aRow, z += bRow, y += n) {                                         \
      if (aStep && bStep) {                                                                                       \
        for (long i = 0; i < n; i++) { const REAL a = x[i], b = z[i]; y[i] = result; }                            \
      } else if (aStep) {                                                                                         \
        const REAL b = *z;                                                                                        \
        for (long i = 0; i < n; i++) { const REAL a = x[i]; y[i] = result; }                                      \
      } else if (bStep) {                                                                                         \
        const REAL a = *x;                                                                                        \
        for (long i = 0; i < n; i++) { const REAL b = z[i]; y[i] = result; }                                      \
      } else {                                                                                                    \
        const REAL a = *x, b = *z;                                                                                \
        for (long i = 0; i < n; i++) y[i] = result;                                                               \
      }                                                                                                           \
    }                                                                                                             \
  }
#include "binary.table.h"
#undef BINARY

OVERLOADED KERNEL void en_select(long n, const REAL *mask, const REAL *a, const REAL *b, REAL *y) {
  for (long i = 0; i < n; i++) y[i] = mask[i] != 0 ? a[i] : b[i];
}

// A slope of 0 is a branch of its own, as 0 · -∞ is NaN.
OVERLOADED KERNEL void en_leaky_relu(long n, REAL slope, const REAL *x, REAL *y) {
  if (slope == 0) {
    for (long i = 0; i < n; i++) y[i] = x[i] <= 0 ? 0 : x[i];
    return;
  }
  for (long i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

OVERLOADED KERNEL void en_leaky_relu_backward(long n, REAL slope, const REAL *x, const REAL *dy, REAL *dx) {
  if (slope == 0) {
    for (long i = 0; i < n; i++) dx[i] = x[i] > 0 ? dy[i] : 0;
    return;
  }
  for (long i = 0; i < n; i++) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
}
