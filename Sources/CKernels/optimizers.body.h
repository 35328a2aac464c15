OVERLOADED KERNEL void en_sgd(long n, REAL rate, REAL decay, const REAL *g, REAL *w) {
  for (long i = 0; i < n; i++) w[i] -= rate * (g[i] + decay * w[i]);
}

OVERLOADED KERNEL void en_sgd_momentum(
  long n, REAL rate, REAL decay, REAL momentum, int nesterov, const REAL *g, REAL *w, REAL *v) {
  if (nesterov)
    for (long i = 0; i < n; i++) {
      const REAL d = g[i] + decay * w[i];
      v[i] = momentum * v[i] + d;
      w[i] -= rate * (d + momentum * v[i]);
    }
  else
    for (long i = 0; i < n; i++) {
      v[i] = momentum * v[i] + (g[i] + decay * w[i]);
      w[i] -= rate * v[i];
    }
}

OVERLOADED KERNEL void en_adam(
  long n, REAL stepSize, REAL beta1, REAL beta2, REAL epsilon, REAL rootCorrection, REAL decay, REAL shrink,
  const REAL *g, REAL *w, REAL *m, REAL *v) {
  for (long i = 0; i < n; i++) {
    const REAL d = g[i] + decay * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * d;
    v[i] = beta2 * v[i] + (1 - beta2) * d * d;
    // The builtin compiles to the vector instruction; the C library's sqrt may set errno, and would not.
    w[i] = shrink * w[i] - stepSize * m[i] / (__builtin_elementwise_sqrt(v[i]) / rootCorrection + epsilon);
  }
}
