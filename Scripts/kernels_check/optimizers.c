// Steps of the optimizers.
#include "check.h"

static void check_sgd(long n) {
  const REAL rate = (REAL)0.25, decay = (REAL)0.125;
  REAL *g = numbers(n), *w = numbers(n);
  double *wanted = zeros(n);
  for (long i = 0; i < n; i++) wanted[i] = w[i] - rate * (g[i] + (double)decay * w[i]);
  set_size("n %ld", n);
  RUN(en_sgd, n, rate, decay, g, w);
  expect(n, w, wanted, 4);
  free_arrays();
}

static void check_momentum(long n, int nesterov) {
  const DESCRIPTOR(momentum) s = {.rate = (REAL)0.25, .decay = (REAL)0.125, .momentum = (REAL)0.9, .nesterov = nesterov};
  REAL *g = numbers(n), *w = numbers(n), *v = numbers(n);
  double *wanted = zeros(n), *wantedV = zeros(n);
  for (long i = 0; i < n; i++) {
    const double d = g[i] + (double)s.decay * w[i];
    wantedV[i] = (double)s.momentum * v[i] + d;
    wanted[i] = w[i] - s.rate * (nesterov ? d + s.momentum * wantedV[i] : wantedV[i]);
  }
  set_size("n %ld%s", n, nesterov ? ", Nesterov" : "");
  RUN(en_sgd_momentum, n, s, g, w, v);
  expect(n, w, wanted, 4);
  expect(n, v, wantedV, 4);
  free_arrays();
}

static void check_adam(long n) {
  const DESCRIPTOR(adam) s = {
    .stepSize = (REAL)0.01, .beta1 = (REAL)0.9, .beta2 = (REAL)0.99, .epsilon = (REAL)0.001, .rootCorrection = (REAL)0.5,
    .decay = (REAL)0.125, .shrink = (REAL)0.75};
  REAL *g = numbers(n), *w = numbers(n), *m = numbers(n), *v = numbers(n);
  double *wanted = zeros(n), *wantedM = zeros(n), *wantedV = zeros(n);
  for (long i = 0; i < n; i++) {
    v[i] = v[i] < 0 ? -v[i] : v[i];
    const double d = g[i] + (double)s.decay * w[i];
    // 1 - β is rounded, as the type has it.
    wantedM[i] = (double)s.beta1 * m[i] + (1 - s.beta1) * d;
    wantedV[i] = (double)s.beta2 * v[i] + (1 - s.beta2) * d * d;
    wanted[i] = s.shrink * w[i] - s.stepSize * wantedM[i] / (sqrt(wantedV[i]) / s.rootCorrection + s.epsilon);
  }
  set_size("n %ld", n);
  RUN(en_adam, n, s, g, w, m, v);
  expect(n, m, wantedM, 4);
  expect(n, v, wantedV, 4);
  expect(n, w, wanted, 8);
  free_arrays();
}

void TYPED(check_optimizers)(void) {
  const long lengths[] = {0, 1, 3, 7, 8, 15, 16, 17, 33, 1000};
  for (long k = 0; k < COUNT(lengths); k++) {
    check_sgd(lengths[k]);
    check_momentum(lengths[k], 0);
    check_momentum(lengths[k], 1);
    check_adam(lengths[k]);
  }
}
