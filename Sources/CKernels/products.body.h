// Adds `rows` rows of b, each times its scalar, to y, or writes their sum there. `rows` is a constant wherever this is inlined.
INLINED OVERLOADED void add_rows(
  const long rows, const int isFirst, en_row_factors f, const REAL *a, const REAL *b, REAL *y) {
  long j = 0;
  for (; j + en_nr <= f.columns; j += en_nr) {
    VECTOR sum = {0};
    if (!isFirst) sum = LOAD(y + j);
    EACH(i, 0, rows) sum += a[i] * LOAD(b + i * f.stride + j);
    STORE(y + j, sum);
  }
  for (; j < f.columns; j++) {
    REAL sum = isFirst ? 0 : y[j];
    EACH(i, 0, rows) sum += a[i] * b[i * f.stride + j];
    y[j] = sum;
  }
}

// y stays in the first-level cache; so many rows share a load and a store of it.
OVERLOADED KERNEL void en_multiply_row(en_row_factors f, const REAL *a, const REAL *b, REAL *y) {
  enum { together = 8 };
  assert(f.depth > 0 && f.columns >= 0 && (f.depth == 1 || f.stride >= f.columns));
  assert(EN_HAS(a, f.depth) && EN_HAS(b, f.columns) && EN_HAS(y, f.columns));
  long i = f.depth < together ? 1 : together;
  if (i == 1) add_rows(1, 1, f, a, b, y);
  else add_rows(together, 1, f, a, b, y);
  for (; i + together <= f.depth; i += together) add_rows(together, 0, f, a + i, b + i * f.stride, y);
  for (; i < f.depth; i++) add_rows(1, 0, f, a + i, b + i * f.stride, y);
}

OVERLOADED KERNEL void en_multiply_small(en_small_factors f, const REAL *a, const REAL *b, REAL *c) {
  assert(f.rows >= 0 && f.columns >= 0 && f.depth > 0 && f.aRow > 0 && f.aColumn > 0 && f.bRow > 0 && f.bColumn > 0);
  assert(EN_HAS(a, f.rows) && EN_HAS(b, f.columns) && EN_HAS(c, f.rows * f.columns));
  for (long i = 0; i < f.rows; i++) {
    for (long j = 0; j < f.columns; j++) {
      REAL sum = 0;
      for (long k = 0; k < f.depth; k++) sum += a[i * f.aRow + k * f.aColumn] * b[k * f.bRow + j * f.bColumn];
      *c++ = sum;
    }
  }
}
