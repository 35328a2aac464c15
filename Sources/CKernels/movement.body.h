/// y[i · yRow + j] = x[i + j · xColumn] for i and j below 8: three perfect shuffles of the rows.
INLINED OVERLOADED void transpose_eight(long xColumn, long yRow, const REAL *x, REAL *y) {
  EIGHT a[8], b[8];
  EACH(j, 0, 8) a[j] = *(const EIGHT *)(x + j * xColumn);
  EACH(step, 0, 3) {
    EACH(k, 0, 4) {
      b[2 * k] = __builtin_shufflevector(a[k], a[k + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    EACH(j, 0, 8) a[j] = b[j];
  }
  EACH(i, 0, 8) *(EIGHT *)(y + i * yRow) = a[i];
}

/// A plane of few columns, whose rows follow each other: as many streams become one.
INLINED OVERLOADED void interleave(long rows, const long columns, long xColumn, const REAL *restrict x, REAL *restrict y) {
  for (long i = 0; i < rows; i++) {
    for (long j = 0; j < columns; j++) y[i * columns + j] = x[i + j * xColumn];
  }
}

/// A plane of few rows, whose columns follow each other: one stream becomes as many.
INLINED OVERLOADED void deinterleave(const long rows, long columns, long yRow, const REAL *restrict x, REAL *restrict y) {
  for (long j = 0; j < columns; j++) {
    for (long i = 0; i < rows; i++) y[i * yRow + j] = x[i + j * rows];
  }
}

// Tiles of 16 by 16, which are whole cache lines of both sides: no line waits in a cache for its other half.
OVERLOADED KERNEL void en_transpose_plane(long rows, long columns, long xColumn, long yRow, const REAL *x, REAL *y) {
  enum { tile = 16 };
  assert(rows >= 0 && columns >= 0 && EN_HAS(x, rows * columns) && EN_HAS(y, rows * columns) && x != y);
  assert(columns <= 1 || xColumn > 0);
  assert(rows <= 1 || yRow >= columns);
  if (columns == 3 && yRow == 3) return interleave(rows, 3, xColumn, x, y);
  if (rows == 3 && xColumn == 3) return deinterleave(3, columns, yRow, x, y);
  for (long i = 0; i < rows; i += tile) {
    for (long j = 0; j < columns; j += tile) {
      const REAL *from = x + i + j * xColumn;
      REAL *to = y + i * yRow + j;
      if (rows - i >= tile && columns - j >= tile) {
        for (long half = 0; half < tile; half += 8) {
          transpose_eight(xColumn, yRow, from + half * xColumn, to + half);
          transpose_eight(xColumn, yRow, from + half * xColumn + 8, to + half + 8 * yRow);
        }
        continue;
      }
      const long height = rows - i < tile ? rows - i : tile, width = columns - j < tile ? columns - j : tile;
      for (long a = 0; a < height; a++) {
        for (long b = 0; b < width; b++) to[a * yRow + b] = from[a + b * xColumn];
      }
    }
  }
}

OVERLOADED KERNEL void en_fill(long n, REAL value, REAL *y) {
  assert(n >= 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i++) y[i] = value;
}

OVERLOADED KERNEL void en_count(long first, long n, double start, double step, REAL *y) {
  assert(n >= 0 && EN_HAS(y, n));
  for (long i = 0; i < n; i++) y[i] = (REAL)(start + (double)(first + i) * step);
}

/// The axes but `across` and the last one, from `axis` on, around planes of those two.
static OVERLOADED void transpose_planes(
  long axis, long across, long rank, const long *dimensions, const long *strides, const REAL *x, REAL *y) {
  const long last = rank - 1;
  if (axis == across) axis++;
  if (axis == last) {
    long row = 1;
    for (long a = across + 1; a < rank; a++) row *= dimensions[a];
    en_transpose_plane(dimensions[across], dimensions[last], strides[last], row, x, y);
    return;
  }
  long size = 1;
  for (long a = axis + 1; a < rank; a++) size *= dimensions[a];
  for (long i = 0; i < dimensions[axis]; i++)
    transpose_planes(axis + 1, across, rank, dimensions, strides, x + i * strides[axis], y + i * size);
}

OVERLOADED void en_read_strided(
  long rank, const long *dimensions, const long *strides, int streams, const REAL *x, REAL *y) {
  assert(rank >= 0 && EN_HAS(dimensions, rank) && EN_HAS(strides, rank));
  for (long axis = 0; axis < rank; axis++) assert(dimensions[axis] >= 0);
  const long n = rank > 0 ? dimensions[0] : 1, step = rank > 0 ? strides[0] : 0;
  if (rank > 1) {
    // Where an axis before the last is the contiguous one, the last one is read across it.
    for (long axis = 0; axis < rank - 1 && strides[rank - 1] > 1; axis++) {
      if (strides[axis] == 1) return transpose_planes(0, axis, rank, dimensions, strides, x, y);
    }
    long size = 1;
    for (long axis = 1; axis < rank; axis++) size *= dimensions[axis];
    if (rank == 2 && strides[1] == 1 && (step == 0 || labs(step) >= size)) {
      en_copy_runs(n, size, step, streams, x, y);
    } else if (rank == 2 && strides[1] == 0 && size < en_few_repeats) {
      en_repeat(n, size, step, x, y);
    } else {
      for (long i = 0; i < n; i++) en_read_strided(rank - 1, dimensions + 1, strides + 1, streams, x + i * step, y + i * size);
    }
  } else if (step == 1) {
    en_copy_runs(1, n, 0, streams, x, y);
  } else if (step == 0) {
    en_fill(n, *x, y);
  } else {
    for (long i = 0; i < n; i++) y[i] = x[i * step];
  }
}

OVERLOADED void en_write_strided(
  long rank, const long *dimensions, const long *strides, const REAL *x, REAL *y) {
  assert(rank >= 0 && EN_HAS(dimensions, rank) && EN_HAS(strides, rank));
  for (long axis = 0; axis < rank; axis++) assert(dimensions[axis] >= 0);
  const long n = rank > 0 ? dimensions[0] : 1, step = rank > 0 ? strides[0] : 0;
  if (rank > 1) {
    long size = 1;
    for (long axis = 1; axis < rank; axis++) size *= dimensions[axis];
    if (rank == 2 && strides[1] == 1) {
      for (long i = 0; i < n; i++) memcpy(y + i * step, x + i * size, size * sizeof(REAL));
    } else {
      for (long i = 0; i < n; i++) en_write_strided(rank - 1, dimensions + 1, strides + 1, x + i * size, y + i * step);
    }
  } else if (step == 1) {
    memcpy(y, x, n * sizeof(REAL));
  } else {
    for (long i = 0; i < n; i++) y[i * step] = x[i];
  }
}

OVERLOADED KERNEL void en_scatter_add_rows(long rows, long n, const long *indices, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(indices, rows) && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  for (long row = 0; row < rows; row++) assert(indices[row] >= 0);
  if (n == 1) {
    for (long row = 0; row < rows; row++) y[indices[row]] += x[row];
    return;
  }
  for (long row = 0; row < rows; row++) {
    for (long i = 0; i < n; i++) y[indices[row] * n + i] += x[row * n + i];
  }
}
