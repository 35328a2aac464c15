// `width` is a constant wherever these are inlined, but for the last columns, of less than a vector.
#define EACH_COLUMN VECTORIZED for (long c = 0; c < width; c++)

INLINED OVERLOADED void softmax_columns(const long width, long n, long stride, const REAL *x, REAL *y) {
  REAL top[en_columns], scale[en_columns];
  double totals[en_columns];
  for (long c = 0; c < width; c++) top[c] = -LARGEST, totals[c] = 0;
  for (long row = 0; row < n; row++) {
    // NaN is no largest number.
    EACH_COLUMN top[c] = x[row * stride + c] > top[c] ? x[row * stride + c] : top[c];
  }
  EACH_COLUMN top[c] = top[c] < LARGEST ? top[c] : LARGEST;
  for (long row = 0, end; row < n; row = end) {
    end = row + en_rows_of_part < n ? row + en_rows_of_part : n;
    REAL sums[en_columns] = {0};
    for (long i = row; i < end; i++) {
      EACH_COLUMN {
        const REAL term = exp_of_negative(x[i * stride + c] - top[c]);
        y[i * stride + c] = term;
        sums[c] += term;
      }
    }
    for (long c = 0; c < width; c++) totals[c] += sums[c];
  }
  for (long c = 0; c < width; c++) scale[c] = (REAL)(1 / totals[c]);
  for (long row = 0; row < n; row++) EACH_COLUMN y[row * stride + c] *= scale[c];
}

INLINED OVERLOADED void softmax_columns_backward(
  const long width, long n, long stride, const REAL *y, const REAL *dy, REAL *dx) {
  REAL mean[en_columns];
  double totals[en_columns];
  for (long c = 0; c < width; c++) totals[c] = 0;
  for (long row = 0, end; row < n; row = end) {
    end = row + en_rows_of_part < n ? row + en_rows_of_part : n;
    REAL sums[en_columns] = {0};
    for (long i = row; i < end; i++) EACH_COLUMN sums[c] += y[i * stride + c] * dy[i * stride + c];
    for (long c = 0; c < width; c++) totals[c] += sums[c];
  }
  for (long c = 0; c < width; c++) mean[c] = (REAL)totals[c];
  for (long row = 0; row < n; row++) {
    EACH_COLUMN dx[row * stride + c] = y[row * stride + c] * (dy[row * stride + c] - mean[c]);
  }
}
#undef EACH_COLUMN

// As many columns at a time as there are registers for.
#define EACH_WIDTH(CALL)                                                                            \
  long c = 0;                                                                                       \
  for (; c + en_columns <= columns; c += en_columns) CALL(en_columns);                              \
  for (; c + en_columns_of_vector <= columns; c += en_columns_of_vector) CALL(en_columns_of_vector); \
  if (c < columns) CALL(columns - c);

OVERLOADED KERNEL void en_softmax_columns(long n, long columns, long stride, const REAL *x, REAL *y) {
  assert(n >= 0 && columns >= 0 && stride >= columns && EN_HAS(x, n * columns) && EN_HAS(y, n * columns));
  assert(n * columns == 0 || x != y);
#define CALL(width) softmax_columns(width, n, stride, x + c, y + c)
  EACH_WIDTH(CALL)
#undef CALL
}

OVERLOADED KERNEL void en_softmax_columns_backward(
  long n, long columns, long stride, const REAL *y, const REAL *dy, REAL *dx) {
  assert(n >= 0 && columns >= 0 && stride >= columns);
  assert(EN_HAS(y, n * columns) && EN_HAS(dy, n * columns) && EN_HAS(dx, n * columns));
#define CALL(width) softmax_columns_backward(width, n, stride, y + c, dy + c, dx + c)
  EACH_WIDTH(CALL)
#undef CALL
}
#undef EACH_WIDTH
