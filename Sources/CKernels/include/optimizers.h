#pragma once
#include "multiversion.h"

/// w ← w - rate · (g + decay · w)
OVERLOADED void en_sgd(long n, float rate, float decay, const float *g, float *w);
OVERLOADED void en_sgd(long n, double rate, double decay, const double *g, double *w);

/// v ← momentum · v + (g + decay · w), then w ← w - rate · v, or with Nesterov w ← w - rate · (g + decay · w + momentum · v)
OVERLOADED void en_sgd_momentum(
  long n, float rate, float decay, float momentum, int nesterov, const float *g, float *w, float *v);
OVERLOADED void en_sgd_momentum(
  long n, double rate, double decay, double momentum, int nesterov, const double *g, double *w, double *v);

/// d = g + decay · w; m ← β₁ m + (1 - β₁) d; v ← β₂ v + (1 - β₂) d²; w ← shrink · w - stepSize · m / (√v / rootCorrection + ε)
OVERLOADED void en_adam(
  long n, float stepSize, float beta1, float beta2, float epsilon, float rootCorrection, float decay, float shrink,
  const float *g, float *w, float *m, float *v);
OVERLOADED void en_adam(
  long n, double stepSize, double beta1, double beta2, double epsilon, double rootCorrection, double decay, double shrink,
  const double *g, double *w, double *m, double *v);
