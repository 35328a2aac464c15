#pragma once
#include "multiversion.h"

/// w ← w - rate · (g + decay · w)
OVERLOADED void en_sgd(long n, float rate, float decay, const float *g, float *w);
OVERLOADED void en_sgd(long n, double rate, double decay, const double *g, double *w);

/// Gradient descent with momentum.
typedef struct {
  float rate, decay, momentum;
  int nesterov;
} en_float_momentum;

typedef struct {
  double rate, decay, momentum;
  int nesterov;
} en_double_momentum;

/// v ← momentum · v + (g + decay · w), then w ← w - rate · v, or with Nesterov w ← w - rate · (g + decay · w + momentum · v)
OVERLOADED void en_sgd_momentum(long n, en_float_momentum step, const float *g, float *w, float *v);
OVERLOADED void en_sgd_momentum(long n, en_double_momentum step, const double *g, double *w, double *v);

/// A step of Adam or, with `shrink`, of AdamW.
typedef struct {
  float stepSize, beta1, beta2, epsilon, rootCorrection, decay, shrink;
} en_float_adam;

typedef struct {
  double stepSize, beta1, beta2, epsilon, rootCorrection, decay, shrink;
} en_double_adam;

/// d = g + decay · w; m ← β₁ m + (1 - β₁) d; v ← β₂ v + (1 - β₂) d²; w ← shrink · w - stepSize · m / (√v / rootCorrection + ε)
OVERLOADED void en_adam(long n, en_float_adam step, const float *g, float *w, float *m, float *v);
OVERLOADED void en_adam(long n, en_double_adam step, const double *g, double *w, double *m, double *v);
