// Matrix products of a single row and of a few scalars.
#include "check.h"

static void check_row(en_row_factors f) {
  const REAL *a = numbers(f.depth);
  REAL *b = numbers((f.depth - 1) * f.stride + f.columns), *y = ARRAY(REAL, f.columns);
  double *wanted = zeros(f.columns);
  // NaN stays in its column.
  if (f.columns > 2) b[(f.depth - 1) * f.stride + f.columns / 2] = NAN;
  for (long i = 0; i < f.depth; i++)
    for (long j = 0; j < f.columns; j++) wanted[j] += (double)a[i] * b[i * f.stride + j];
  set_size("depth %ld, %ld columns, stride %ld", f.depth, f.columns, f.stride);
  RUN(en_multiply_row, f, a, b, y);
  expect(f.columns, y, wanted, 16 + (double)f.depth);
  free_arrays();
}

static void check_small(en_small_factors f) {
  const long last = f.depth - 1;
  const REAL *a = numbers(f.rows ? (f.rows - 1) * f.aRow + last * f.aColumn + 1 : 0);
  const REAL *b = numbers(f.columns ? last * f.bRow + (f.columns - 1) * f.bColumn + 1 : 0);
  REAL *c = ARRAY(REAL, f.rows * f.columns);
  double *wanted = zeros(f.rows * f.columns);
  for (long i = 0; i < f.rows * f.columns; i++) {
    const long row = i / f.columns, column = i % f.columns;
    for (long k = 0; k < f.depth; k++)
      wanted[i] += (double)a[row * f.aRow + k * f.aColumn] * b[k * f.bRow + column * f.bColumn];
  }
  set_size("%ld×%ld by %ld columns, strides %ld, %ld and %ld, %ld", f.rows, f.depth, f.columns, f.aRow, f.aColumn, f.bRow,
           f.bColumn);
  RUN(en_multiply_small, f, a, b, c);
  expect(f.rows * f.columns, c, wanted, 16 + (double)f.depth);
  free_arrays();
}

void TYPED(check_products)(void) {
  const long depths[] = {1, 2, 7, 8, 9, 15, 16, 17, 24, 33, 100}, columns[] = {0, 1, 3, 15, 16, 17, 31, 32, 33, 63, 130};
  for (long k = 0; k < COUNT(depths) * COUNT(columns); k++) {
    const long depth = depths[k / COUNT(columns)], n = columns[k % COUNT(columns)];
    check_row((en_row_factors){depth, n, n});
    check_row((en_row_factors){depth, n, n + 1});
    check_row((en_row_factors){depth, n, n + 19});
  }
  const long sizes[] = {0, 1, 2, 3, 8, 17};
  for (long k = 0; k < COUNT(sizes) * COUNT(sizes) * COUNT(sizes); k++) {
    const long rows = sizes[k % 6], n = sizes[k / 6 % 6], depth = sizes[k / 36];
    if (depth == 0) continue;
    // Either factor as it is and transposed, with a gap between rows, and with one between scalars.
    for (long gap = 0; gap < 4; gap += 3) {
      const long step = 1 + gap / 3;
      check_small((en_small_factors){rows, n, depth, step * depth + gap, step, step * (n + 1) + gap, step});
      check_small((en_small_factors){rows, n, depth, 1, rows + 1 + gap, n + 1 + gap, 1});
      check_small((en_small_factors){rows, n, depth, depth + gap, 1, 1, depth + gap});
      check_small((en_small_factors){rows, n, depth, step, step * (rows + 1), step, step * depth});
    }
  }
}
