OVERLOADED void en_read_strided(
  long rank, const long *dimensions, const long *strides, const REAL *x, REAL *y) {
  const long n = rank > 0 ? dimensions[0] : 1, step = rank > 0 ? strides[0] : 0;
  if (rank > 1) {
    long size = 1;
    for (long axis = 1; axis < rank; axis++) size *= dimensions[axis];
    for (long i = 0; i < n; i++) en_read_strided(rank - 1, dimensions + 1, strides + 1, x + i * step, y + i * size);
  } else if (step == 1) {
    memcpy(y, x, n * sizeof(REAL));
  } else {
    for (long i = 0; i < n; i++) y[i] = x[i * step];
  }
}

OVERLOADED void en_write_strided(
  long rank, const long *dimensions, const long *strides, const REAL *x, REAL *y) {
  const long n = rank > 0 ? dimensions[0] : 1, step = rank > 0 ? strides[0] : 0;
  if (rank > 1) {
    long size = 1;
    for (long axis = 1; axis < rank; axis++) size *= dimensions[axis];
    for (long i = 0; i < n; i++) en_write_strided(rank - 1, dimensions + 1, strides + 1, x + i * size, y + i * step);
  } else if (step == 1) {
    memcpy(y, x, n * sizeof(REAL));
  } else {
    for (long i = 0; i < n; i++) y[i * step] = x[i];
  }
}

OVERLOADED void en_gather_rows(long rows, long n, const long *indices, const REAL *x, REAL *y) {
  for (long row = 0; row < rows; row++) memcpy(y + row * n, x + indices[row] * n, n * sizeof(REAL));
}

OVERLOADED KERNEL void en_scatter_add_rows(long rows, long n, const long *indices, const REAL *x, REAL *y) {
  for (long row = 0; row < rows; row++) {
    for (long i = 0; i < n; i++) y[indices[row] * n + i] += x[row * n + i];
  }
}
