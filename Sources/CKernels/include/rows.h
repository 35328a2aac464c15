#pragma once
#include "multiversion.h"

// Operations along the rows of [rows, n] that read a row once from memory: a row stays in a cache from its first use to its last.
// Sums are in a fixed number of lanes and blocks, with totals in double. The largest number by which exponents are shifted is
// finite: the shift of a row of -∞ by -∞ would be NaN.

/// y = exp(x) / Σ exp(x); y may be x.
OVERLOADED void en_softmax(long rows, long n, const float *x, float *y);
OVERLOADED void en_softmax(long rows, long n, const double *x, double *y);

/// dx = y (dy - Σ dy y); dx may be dy.
OVERLOADED void en_softmax_backward(long rows, long n, const float *y, const float *dy, float *dx);
OVERLOADED void en_softmax_backward(long rows, long n, const double *y, const double *dy, double *dx);

/// y = x - log Σ exp(x), apart from x.
OVERLOADED void en_log_softmax(long rows, long n, const float *x, float *y);
OVERLOADED void en_log_softmax(long rows, long n, const double *x, double *y);

/// y[row] = log Σ exp(x)
OVERLOADED void en_log_sum_exp(long rows, long n, const float *x, float *y);
OVERLOADED void en_log_sum_exp(long rows, long n, const double *x, double *y);

/// dx = dy[row] exp(x) / Σ exp(x)
OVERLOADED void en_log_sum_exp_backward(long rows, long n, const float *x, const float *dy, float *dx);
OVERLOADED void en_log_sum_exp_backward(long rows, long n, const double *x, const double *dy, double *dx);

/// dx = dy - exp(y) Σ dy; dx may be dy.
OVERLOADED void en_log_softmax_backward(long rows, long n, const float *y, const float *dy, float *dx);
OVERLOADED void en_log_softmax_backward(long rows, long n, const double *y, const double *dy, double *dx);

/// The targets of a cross-entropy of [rows, n]: of each row `smoothing` / n · weights[c] for each class c, and (1 - smoothing) ·
/// weights[label] more for the label. A null `weights` is 1 for every class; a negative label is a target of 0.
typedef struct {
  long rows, n;
  const long *labels;
  const float *weights;
  float smoothing;
} en_float_targets;

typedef struct {
  long rows, n;
  const long *labels;
  const double *weights;
  double smoothing;
} en_double_targets;

/// losses[row] = -Σ target · (x - log Σ exp(x)), of which a target of 0 counts nothing. tops[row] and logs[row] get the shift of the
/// row and log Σ exp(x - top).
OVERLOADED void en_cross_entropy(en_float_targets targets, const float *x, float *tops, float *logs, float *losses);
OVERLOADED void en_cross_entropy(en_double_targets targets, const double *x, double *tops, double *logs, double *losses);

/// dx = losses[row] · (Σ target · softmax(x) - target), where `losses` are the gradients of the losses.
OVERLOADED void en_cross_entropy_backward(
  en_float_targets targets, const float *x, const float *tops, const float *logs, const float *losses, float *dx);
OVERLOADED void en_cross_entropy_backward(
  en_double_targets targets, const double *x, const double *tops, const double *logs, const double *losses, double *dx);

/// A norm of rows: (x - mean) · rstd · gamma + beta, rstd = 1 / √(variance + epsilon); beta may be null.
typedef struct {
  long rows, n;
  float epsilon;
  const float *gamma, *beta;
} en_float_row_norm;

typedef struct {
  long rows, n;
  double epsilon;
  const double *gamma, *beta;
} en_double_row_norm;

/// y = the norm of x; means and rstds get those of each row.
OVERLOADED void en_layer_norm(en_float_row_norm norm, const float *x, float *means, float *rstds, float *y);
OVERLOADED void en_layer_norm(en_double_row_norm norm, const double *x, double *means, double *rstds, double *y);

/// What reached a norm of rows on the way back, and what it computed.
typedef struct {
  long rows, n;
  const float *gamma, *means, *rstds, *x, *dy;
} en_float_row_gradient;

typedef struct {
  long rows, n;
  const double *gamma, *means, *rstds, *x, *dy;
} en_double_row_gradient;

/// dx = rstd · (g - Σ g / n - hat · Σ g hat / n), g = dy · gamma, hat = (x - mean) · rstd; dx may be dy. sums[0..<n] += Σ dy · hat and
/// sums[n..<2n] += Σ dy over the rows.
OVERLOADED void en_layer_norm_backward(en_float_row_gradient gradient, float *dx, float *sums);
OVERLOADED void en_layer_norm_backward(en_double_row_gradient gradient, double *dx, double *sums);
