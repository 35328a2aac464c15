#pragma once
#include "multiversion.h"

// Reductions over the middle axis of [outer, n, inner].

typedef struct {
  long outer, n, inner;
} en_axes;

/// y[o][i] = Σ x[o][k][i] over `from` ≤ k < `to`, summed in blocks, which keeps the rounding of long sums small.
OVERLOADED void en_sum(en_axes axes, long from, long to, const float *x, float *y);
OVERLOADED void en_sum(en_axes axes, long from, long to, const double *x, double *y);

/// y[o][i] = Σ x[o][k][i]² over `from` ≤ k < `to`, summed likewise.
OVERLOADED void en_sum_squares(en_axes axes, long from, long to, const float *x, float *y);
OVERLOADED void en_sum_squares(en_axes axes, long from, long to, const double *x, double *y);

/// y[k] = Σ |x[i] - z[i]| over the k-th `width` of n numbers, the last of fewer; or Σ (x[i] - z[i])² if squared.
OVERLOADED void en_sum_distances(int squared, long n, long width, const float *x, const float *z, float *y);
OVERLOADED void en_sum_distances(int squared, long n, long width, const double *x, const double *z, double *y);

/// y[o][i] = the largest x[o][k][i] over `from` ≤ k < `to`, or the smallest if sign is -1; NaN where one is NaN.
OVERLOADED void en_extreme(en_axes axes, int sign, long from, long to, const float *x, float *y);
OVERLOADED void en_extreme(en_axes axes, int sign, long from, long to, const double *x, double *y);

/// indices[o][i] = the first k where x[o][k][i] is the extreme y[o][i].
OVERLOADED void en_places(en_axes axes, const float *x, const float *y, long *indices);
OVERLOADED void en_places(en_axes axes, const double *x, const double *y, long *indices);

/// y[row] = Π x[row][k]
OVERLOADED void en_product(long rows, long n, const float *x, float *y);
OVERLOADED void en_product(long rows, long n, const double *x, double *y);

/// y[row][k] = Π x[row][j] over j ≠ k
OVERLOADED void en_products_of_others(long rows, long n, const float *x, float *y);
OVERLOADED void en_products_of_others(long rows, long n, const double *x, double *y);

/// y[o][k][i] = Σ x[o][j][i] over j ≤ k, or over j ≥ k if reversed, added up in double.
OVERLOADED void en_cumulative_sum(en_axes axes, int reversed, const float *x, float *y);
OVERLOADED void en_cumulative_sum(en_axes axes, int reversed, const double *x, double *y);
