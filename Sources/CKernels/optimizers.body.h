OVERLOADED KERNEL void en_sgd(long n, REAL rate, REAL decay, const REAL *g, REAL *w) {
  assert(n >= 0 && EN_HAS(g, n) && EN_HAS(w, n));
  for (long i = 0; i < n; i++) w[i] -= rate * (g[i] + decay * w[i]);
}

OVERLOADED KERNEL void en_sgd_momentum(long n, MOMENTUM s, const REAL *g, REAL *w, REAL *v) {
  assert(n >= 0 && EN_HAS(g, n) && EN_HAS(w, n) && EN_HAS(v, n));
  if (s.nesterov)
    for (long i = 0; i < n; i++) {
      const REAL d = g[i] + s.decay * w[i];
      v[i] = s.momentum * v[i] + d;
      w[i] -= s.rate * (d + s.momentum * v[i]);
    }
  else
    for (long i = 0; i < n; i++) {
      v[i] = s.momentum * v[i] + (g[i] + s.decay * w[i]);
      w[i] -= s.rate * v[i];
    }
}

OVERLOADED KERNEL void en_adam(long n, ADAM s, const REAL *g, REAL *w, REAL *m, REAL *v) {
  assert(n >= 0 && EN_HAS(g, n) && EN_HAS(w, n) && EN_HAS(m, n) && EN_HAS(v, n));
  for (long i = 0; i < n; i++) {
    const REAL d = g[i] + s.decay * w[i];
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * d;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * d * d;
    // The builtin compiles to the vector instruction; the C library's sqrt may set errno, and would not.
    w[i] = s.shrink * w[i] - s.stepSize * m[i] / (__builtin_elementwise_sqrt(v[i]) / s.rootCorrection + s.epsilon);
  }
}
