// Movement of scalars: what arrives is what was sent, and nothing beside it is touched.
#include "check.h"

enum { most_axes = 5 };
typedef struct {
  long rank, dimensions[most_axes], strides[most_axes];
} layout;

static long size_of(layout l) {
  long size = 1;
  for (long axis = 0; axis < l.rank; axis++) size *= l.dimensions[axis];
  return size;
}

/// The offset of element `index` in row-major order.
static long offset_of(layout l, long index) {
  long offset = 0;
  for (long axis = l.rank - 1; axis >= 0; axis--) {
    offset += index % l.dimensions[axis] * l.strides[axis];
    index /= l.dimensions[axis];
  }
  return offset;
}

static const layout layouts[] = {
  {0, {0}, {0}}, {1, {1}, {1}}, {1, {17}, {1}}, {1, {17}, {0}}, {1, {7}, {3}}, {1, {7}, {-2}},
  // Rows, repeated or reversed.
  {2, {3, 17}, {17, 1}}, {2, {3, 17}, {0, 1}}, {2, {5, 7}, {-7, 1}}, {2, {5, 3}, {9, 1}}, {2, {3, 5}, {2, 1}},
  // Transposed planes, alone and among other axes.
  {2, {17, 33}, {1, 17}}, {2, {3, 33}, {1, 3}}, {2, {33, 3}, {1, 40}}, {3, {2, 17, 16}, {272, 1, 17}},
  {3, {16, 3, 18}, {1, 300, 16}}, {4, {2, 3, 5, 7}, {105, 1, 21, 3}}, {4, {2, 5, 7, 3}, {105, 7, 1, 35}},
  // Any others.
  {3, {3, 1, 7}, {1, 5, 4}}, {3, {2, 3, 5}, {-15, 5, -1}}, {4, {2, 3, 3, 2}, {0, 2, 0, 1}},
  {5, {2, 1, 3, 2, 7}, {42, 9, 14, 7, 1}}};

/// Whether two elements lie at the same place.
static int repeats(layout l) {
  for (long axis = 0; axis < l.rank; axis++)
    if (l.dimensions[axis] > 1 && l.strides[axis] == 0) return 1;
  return l.rank == 2 && l.strides[0] == 2;
}

static void check_strided(layout l) {
  const long n = size_of(l);
  long low = 0, high = 0;
  for (long i = 0; i < n; i++) {
    const long offset = offset_of(l, i);
    low = offset < low ? offset : low;
    high = offset > high ? offset : high;
  }
  const long extent = high - low + 1;
  REAL *x = numbers(extent), *y = ARRAY(REAL, n), *back = ARRAY(REAL, extent);
  double *wanted = ARRAY(double, n > extent ? n : extent);
  set_size("rank %ld, first axes of %ld and %ld, strides %ld and %ld", l.rank, l.dimensions[0], l.dimensions[1],
           l.strides[0], l.strides[1]);
  for (long i = 0; i < n; i++) wanted[i] = x[offset_of(l, i) - low];
  for (int streams = 0; streams < 2; streams++) {
    RUN(en_read_strided, l.rank, l.dimensions, l.strides, streams, x - low, y);
    expect_equal(n, y, wanted);
  }
  if (!repeats(l)) {
    for (long i = 0; i < extent; i++) wanted[i] = NAN;
    for (long i = 0; i < n; i++) wanted[offset_of(l, i) - low] = y[i];
    RUN(en_write_strided, l.rank, l.dimensions, l.strides, y, back - low);
    expect_equal(extent, back, wanted);
  }
  free_arrays();
}

static void check_transpose(long rows, long columns, long xGap, long yGap) {
  const long xColumn = rows + xGap, yRow = columns + yGap;
  const long xCount = (columns - 1) * xColumn + rows, yCount = (rows - 1) * yRow + columns;
  REAL *x = numbers(xCount), *y = ARRAY(REAL, yCount);
  double *wanted = ARRAY(double, yCount);
  for (long i = 0; i < yCount; i++) wanted[i] = i % yRow < columns ? x[i / yRow + i % yRow * xColumn] : NAN;
  set_size("%ld rows, %ld columns, %ld and %ld apart", rows, columns, yRow, xColumn);
  RUN(en_transpose_plane, rows, columns, xColumn, yRow, x, y);
  expect_equal(yCount, y, wanted);
  free_arrays();
}

static void check_copy_runs(long rows, long n, long xStep) {
  const long extent = (rows - 1) * labs(xStep) + n;
  const REAL *x = numbers(extent), *from = xStep < 0 ? x + (rows - 1) * -xStep : x;
  REAL *y = ARRAY(REAL, rows * n);
  double *wanted = ARRAY(double, rows * n);
  for (long i = 0; i < rows * n; i++) wanted[i] = from[i / n * xStep + i % n];
  set_size("%ld rows of %ld, %ld apart", rows, n, xStep);
  for (int streams = 0; streams < 2; streams++) {
    RUN(en_copy_runs, rows, n, xStep, streams, from, y);
    expect_equal(rows * n, y, wanted);
  }
  free_arrays();
}

static void check_repeat(long rows, long n, long xStep) {
  const REAL *x = numbers((rows - 1) * xStep + 1);
  REAL *y = ARRAY(REAL, rows * n);
  double *wanted = ARRAY(double, rows * n);
  for (long i = 0; i < rows * n; i++) wanted[i] = x[i / n * xStep];
  set_size("%ld rows of %ld, %ld apart", rows, n, xStep);
  RUN(en_repeat, rows, n, xStep, x, y);
  expect_equal(rows * n, y, wanted);
  free_arrays();
}

static void check_join_and_split(long rows, long parts, const long *widths) {
  const REAL *x[4];
  REAL *z[4];
  long width = 0, before = 0;
  for (long part = 0; part < parts; part++) {
    x[part] = numbers(rows * widths[part]);
    z[part] = ARRAY(REAL, rows * widths[part]);
    width += widths[part];
  }
  REAL *y = ARRAY(REAL, rows * width);
  double *wanted = ARRAY(double, rows * width);
  for (long part = 0; part < parts; before += widths[part++]) {
    for (long i = 0; i < rows * widths[part]; i++)
      wanted[i / widths[part] * width + before + i % widths[part]] = x[part][i];
  }
  set_size("%ld rows of %ld parts, the first of %ld", rows, parts, widths[0]);
  for (int streams = 0; streams < 2; streams++) {
    RUN(en_join_rows, rows, parts, widths, streams, x, y);
    expect_equal(rows * width, y, wanted);
    RUN(en_split_rows, rows, parts, widths, streams, y, z);
    for (long part = 0; part < parts; part++) {
      for (long i = 0; i < rows * widths[part]; i++) compare(i, z[part][i] == x[part][i], z[part][i], x[part][i]);
    }
  }
  free_arrays();
}

static void check_rows_by_index(long rows, long n) {
  const long count = 9;
  long *indices = ARRAY(long, rows);
  // The last row, which has nothing behind it, comes several times and last.
  for (long i = 0; i < rows; i++) indices[i] = i == rows - 1 ? count - 1 : i * 5 % count;
  REAL *x = numbers(count * n), *y = ARRAY(REAL, rows * n), *sums = numbers(count * n);
  double *wanted = ARRAY(double, rows * n), *wantedSums = ARRAY(double, count * n);
  for (long i = 0; i < rows * n; i++) wanted[i] = x[indices[i / n] * n + i % n];
  for (long i = 0; i < count * n; i++) wantedSums[i] = sums[i];
  set_size("%ld rows of %ld", rows, n);
  RUN(en_gather_rows, rows, n, count, indices, x, y);
  expect_equal(rows * n, y, wanted);
  for (long i = 0; i < rows * n; i++) wantedSums[indices[i / n] * n + i % n] += y[i];
  RUN(en_scatter_add_rows, rows, n, indices, y, sums);
  expect(count * n, sums, wantedSums, 8);
  free_arrays();
}

static void check_written(long n) {
  REAL *y = ARRAY(REAL, n);
  double *same = ARRAY(double, n), *counted = ARRAY(double, n);
  for (long i = 0; i < n; i++) {
    same[i] = 0.375;
    counted[i] = -3 + (double)(5 + i) * 0.1;
  }
  set_size("%ld", n);
  RUN(en_fill, n, (REAL)0.375, y);
  expect_equal(n, y, same);
  RUN(en_count, 5, n, -3, 0.1, y);
  expect(n, y, counted, 2);
  free_arrays();
}

void TYPED(check_movement)(void) {
  for (long n = 0; n < 70; n += 23) check_written(n);
  for (long k = 0; k < COUNT(layouts); k++) check_strided(layouts[k]);
  const long sides[] = {1, 3, 7, 8, 15, 16, 17, 31, 33, 48};
  for (long i = 0; i < COUNT(sides); i++) {
    for (long j = 0; j < COUNT(sides); j++) {
      check_transpose(sides[i], sides[j], 0, 0);
      check_transpose(sides[i], sides[j], 5, 3);
    }
  }
  const long runs[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 4095, 4097};
  for (long k = 0; k < COUNT(runs); k++) {
    const long n = runs[k], steps[] = {0, n, n + 3, -n, -n - 2};
    for (long step = 0; step < COUNT(steps); step++) {
      check_copy_runs(1, n, steps[step]);
      check_copy_runs(7, n, steps[step]);
      check_copy_runs(23, n, steps[step]);
      if (steps[step] >= 0) check_repeat(23, n, steps[step]);
    }
  }
  const long widths[][4] = {{1, 3}, {4, 4}, {2, 7}, {8, 5}, {16, 1}, {3, 1, 2}, {5, 8, 6}, {16, 9, 13, 1}, {0, 3}, {17, 5}};
  const long parts[] = {2, 2, 2, 2, 2, 3, 3, 4, 2, 2}, rowCounts[] = {1, 3, 16, 17, 40};
  for (long k = 0; k < COUNT(widths); k++) {
    for (long i = 0; i < COUNT(rowCounts); i++) check_join_and_split(rowCounts[i], parts[k], widths[k]);
  }
  for (long k = 0; k < COUNT(runs); k++) {
    for (long i = 0; i < COUNT(rowCounts); i++) check_rows_by_index(rowCounts[i], runs[k]);
  }
}
