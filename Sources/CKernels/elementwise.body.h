OVERLOADED KERNEL void en_axpy(long n, REAL a, const REAL *x, REAL *y) {
  for (long i = 0; i < n; i++) y[i] += a * x[i];
}
