#pragma once
#include "multiversion.h"

// Matrix products that leave the register tile empty: of a single row, and of a few scalars.

/// A row of `depth` scalars by a matrix of as many rows, `stride` apart, of `columns` scalars.
typedef struct {
  long depth, columns, stride;
} en_row_factors;

/// y[j] = Σ a[i] · b[i · stride + j]; reads b once, in its order.
OVERLOADED void en_multiply_row(en_row_factors factors, const float *a, const float *b, float *y);
OVERLOADED void en_multiply_row(en_row_factors factors, const double *a, const double *b, double *y);

/// Matrices of `rows` × `depth` and `depth` × `columns`, and the scalars from row to row and from column to column of each.
typedef struct {
  long rows, columns, depth;
  long aRow, aColumn, bRow, bColumn;
} en_small_factors;

/// c[i · columns + j] = Σ a[i · aRow + k · aColumn] · b[k · bRow + j · bColumn], by the definition.
OVERLOADED void en_multiply_small(en_small_factors factors, const float *a, const float *b, float *c);
OVERLOADED void en_multiply_small(en_small_factors factors, const double *a, const double *b, double *c);
