#pragma once
#include "multiversion.h"

// `streams` stores past the caches what is larger than they are: from where y is aligned to 64 bytes, and unless y is an operand.

/// y[i] = f(x[i]), f from unary.table.h; y may be x.
#define UNARY(name, result)                                                 \
  OVERLOADED void en_##name(long n, int streams, const float *x, float *y); \
  OVERLOADED void en_##name(long n, int streams, const double *x, double *y);
#define ELEMENTARY(name) UNARY(name, )
#define PERIODIC(name) UNARY(name, )
#include "unary.table.h"
#undef PERIODIC
#undef ELEMENTARY
#undef UNARY

/// dx[i] = the gradient of y = f(x) from dy[i] and v[i], which is x[i] or y[i], by pullback.table.h; dx may be dy.
#define PULLBACK(name, result)                                                                           \
  OVERLOADED void en_##name##_pullback(long n, int streams, const float *v, const float *dy, float *dx); \
  OVERLOADED void en_##name##_pullback(long n, int streams, const double *v, const double *dy, double *dx);
#include "pullback.table.h"
#undef PULLBACK

/// Rows of `n` pairs of operands; from row to row and from pair to pair of an operand, the latter 0 or 1: a step of 0 repeats what
/// it has. The result is contiguous.
typedef struct {
  long rows, n;
  long aRow, aStep, bRow, bStep;
  int streams;
} en_pairs;

/// y[row · n + i] = f(a[row · aRow + i · aStep], b[row · bRow + i · bStep]), f from binary.table.h.
#define BINARY(name, result)                                                           \
  OVERLOADED void en_##name(en_pairs pairs, const float *a, const float *b, float *y); \
  OVERLOADED void en_##name(en_pairs pairs, const double *a, const double *b, double *y);
#include "binary.table.h"
BINARY(power, )
#undef BINARY

/// y[i] = mask[i] ≠ 0 ? a[i] : b[i]
OVERLOADED void en_select(long n, const float *mask, const float *a, const float *b, float *y);
OVERLOADED void en_select(long n, const double *mask, const double *a, const double *b, double *y);

/// y[i] = x[i] > 0 ? x[i] : slope · x[i]
OVERLOADED void en_leaky_relu(long n, int streams, float slope, const float *x, float *y);
OVERLOADED void en_leaky_relu(long n, int streams, double slope, const double *x, double *y);

/// dx[i] = x[i] > 0 ? dy[i] : slope · dy[i]
OVERLOADED void en_leaky_relu_backward(long n, int streams, float slope, const float *x, const float *dy, float *dx);
OVERLOADED void en_leaky_relu_backward(long n, int streams, double slope, const double *x, const double *dy, double *dx);

/// y[i] = x[i] > 0 ? x[i] : scale · (exp(x[i]) - 1); y may be x.
OVERLOADED void en_elu(long n, int streams, float scale, const float *x, float *y);
OVERLOADED void en_elu(long n, int streams, double scale, const double *x, double *y);

/// dx[i] = x[i] > 0 ? dy[i] : dy[i] · scale · exp(x[i]); dx may be dy.
OVERLOADED void en_elu_backward(long n, int streams, float scale, const float *x, const float *dy, float *dx);
OVERLOADED void en_elu_backward(long n, int streams, double scale, const double *x, const double *dy, double *dx);

/// y[i] = low where x[i] is below, high where it is above, else x[i]; y may be x.
OVERLOADED void en_clamp(long n, int streams, float low, float high, const float *x, float *y);
OVERLOADED void en_clamp(long n, int streams, double low, double high, const double *x, double *y);

/// dx[i] = dy[i] where low ≤ x[i] ≤ high, else 0; dx may be dy.
OVERLOADED void en_clamp_backward(long n, int streams, float low, float high, const float *x, const float *dy, float *dx);
OVERLOADED void en_clamp_backward(long n, int streams, double low, double high, const double *x, const double *dy, double *dx);

/// y[i] = x[i]²/2 where |x[i]| is below the threshold δ, else δ (|x[i]| - δ/2); y may be x.
OVERLOADED void en_huber(long n, int streams, float threshold, const float *x, float *y);
OVERLOADED void en_huber(long n, int streams, double threshold, const double *x, double *y);
