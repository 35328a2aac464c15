#pragma once
#include "multiversion.h"

// Operations along the columns of a matrix of n rows, `stride` scalars apart: of an axis that is not the last one. Sixteen columns
// or more lie side by side in vectors; sums are in parts of 64 rows, with totals in double, whatever the number of columns. The
// largest number by which exponents are shifted is finite, as in rows.h.

/// y = exp(x) / Σ exp(x), apart from x.
OVERLOADED void en_softmax_columns(long n, long columns, long stride, const float *x, float *y);
OVERLOADED void en_softmax_columns(long n, long columns, long stride, const double *x, double *y);

/// dx = y (dy - Σ dy y); dx may be dy.
OVERLOADED void en_softmax_columns_backward(
  long n, long columns, long stride, const float *y, const float *dy, float *dx);
OVERLOADED void en_softmax_columns_backward(
  long n, long columns, long stride, const double *y, const double *dy, double *dx);
