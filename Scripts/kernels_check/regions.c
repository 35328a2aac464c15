// The kernels of the direct convolution by the formulas of their header, at any offsets.
#include "check.h"

enum { has_bias = 1, has_residual = 2, has_relu = 4, is_nontemporal = 8 };

typedef struct {
  long pixels, segments, length, columns;
  /// From pixel to pixel of x, and beside each pixel of y.
  long step, gap;
  int epilogue;
} sizes;

/// The lists of a region: pixels ascend in y, and segments descend in the panel.
static en_region region_of(sizes s) {
  int *from = ARRAY(int, s.pixels), *to = ARRAY(int, s.pixels), *segments = ARRAY(int, s.segments), *rows = ARRAY(int, s.segments);
  for (long p = 0; p < s.pixels; p++) {
    from[p] = (int)(p * s.step);
    to[p] = (int)(p * (s.columns + s.gap));
  }
  for (long i = 0; i < s.segments; i++) {
    segments[i] = (int)(i * (s.length + 2));
    rows[i] = (int)((s.segments - 1 - i) * s.length);
  }
  return (en_region){
    .pixels = s.pixels, .from = from, .to = to, .segmentCount = s.segments, .segments = segments, .rows = rows,
    .length = s.length, .columns = s.columns};
}

static long input_count(sizes s) {
  return s.segments == 0 ? 1 : (s.pixels - 1) * s.step + (s.segments - 1) * (s.length + 2) + s.length;
}

/// What `panel` must give, in which scalar `row` of column j lies at row · rowStride + j · columnStride; NaN beside the pixels.
static double *results_of(
  sizes s, en_region r, const REAL *x, const REAL *panel, const long strides[2], DESCRIPTOR(epilogue) epilogue) {
  double *y = ARRAY(double, s.pixels * (s.columns + s.gap));
  for (long i = 0; i < s.pixels * s.columns; i++) {
    const long p = i / s.columns, j = i % s.columns, to = r.to[p] + j;
    double sum = (epilogue.bias ? epilogue.bias[j] : 0) + (double)(epilogue.residual ? epilogue.residual[to] : 0);
    for (long segment = 0; segment < s.segments; segment++) {
      for (long k = 0; k < s.length; k++)
        sum += (double)x[r.from[p] + r.segments[segment] + k] * panel[(r.rows[segment] + k) * strides[0] + j * strides[1]];
    }
    y[to] = epilogue.relu && sum < 0 ? 0 : sum;
  }
  return y;
}

static void check_region(sizes s, int isNarrow) {
  const en_region r = region_of(s);
  const long rows = s.segments * s.length, depth = rows + 3, yCount = s.pixels * (s.columns + s.gap);
  const REAL *x = numbers(input_count(s)), *bias = numbers(s.columns > 0 && !isNarrow ? en_nr : s.columns);
  const REAL *panel = numbers(isNarrow ? (s.columns - 1) * depth + rows : rows > 0 ? rows * en_nr : 1);
  const REAL *residual = numbers(yCount);
  // NaN reaches its pixels, through a ReLU too.
  if (s.pixels > 2 && rows > 0) ((REAL *)x)[2 * s.step] = NAN;
  REAL *y = ARRAY(REAL, yCount);
  const DESCRIPTOR(epilogue) epilogue = {
    s.epilogue & has_bias ? bias : 0, s.epilogue & has_residual ? residual : 0, (s.epilogue & has_relu) != 0,
    (s.epilogue & is_nontemporal) != 0};
  const double *wanted = results_of(
    s, r, x, panel, isNarrow ? (const long[]){1, depth} : (const long[]){en_nr, 1}, epilogue);
  set_size("%ld pixels, %ld segments of %ld, %ld columns, epilogue %d", s.pixels, s.segments, s.length, s.columns, s.epilogue);
  if (isNarrow) RUN(en_convolve_narrow, r, x, panel, depth, epilogue, y);
  else RUN(en_convolve, r, x, panel, epilogue, y);
  expect(yCount, y, wanted, 16 + (double)rows);
  free_arrays();
}

/// Every number of pixels around MR, lengths around KC, every column, every epilogue.
static void check_regions(void) {
  const long pixels[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 25}, columns[] = {1, 3, 7, 15, 16};
  for (long k = 0; k < COUNT(pixels); k++) {
    for (long j = 0; j < COUNT(columns); j++) {
      const int epilogue = (int)(k + j) % 8;
      check_region((sizes){pixels[k], 3, 7, columns[j], 5, 0, epilogue}, 0);
      check_region((sizes){pixels[k], 1, 17, columns[j], 17, columns[j] == 16 ? 16 : 3, (epilogue + 3) % 8}, 0);
    }
    for (int epilogue = 0; epilogue < 16; epilogue++) check_region((sizes){pixels[k], 2, 5, 16, 3, 0, epilogue}, 0);
    for (long j = 1; j <= en_narrow_columns; j++) {
      check_region((sizes){pixels[k], 2, 16, j, 9, 0, (int)(k + j) % 8}, 1);
      check_region((sizes){pixels[k], 3, 48, j, 48, 2, (int)(k + j + 4) % 8}, 1);
    }
  }
  const long lengths[] = {1, 3, 511, 512, 513, 767, 768, 769, 1025};
  for (long k = 0; k < COUNT(lengths); k++) {
    for (int epilogue = 0; epilogue < 8; epilogue++) {
      check_region((sizes){7, 1, lengths[k], 16, 11, 0, epilogue}, 0);
      check_region((sizes){13, 2, lengths[k], 7, 11, 1, epilogue}, 0);
    }
    check_region((sizes){12, 1, lengths[k], 16, 11, 0, is_nontemporal | has_bias}, 0);
  }
  // Pixels that no tap reaches; and those of a column of an image, which share a set of the cache.
  for (int epilogue = 0; epilogue < 8; epilogue++) {
    check_region((sizes){5, 0, 3, 16, 1, 0, epilogue}, 0);
    check_region((sizes){5, 0, 3, 7, 1, 2, epilogue}, 0);
    check_region((sizes){14, 1, 33, 16, 4096 / (long)sizeof(REAL), 0, epilogue}, 0);
  }
}

static void check_weight_rows(long pixels, long segments, long length, long firstRow, long rows, long columns) {
  const sizes s = {pixels, segments, length, columns, length > 3 ? length - 2 : 3, 2, 0};
  const long panelCount = (columns + en_nr - 1) / en_nr, panelSize = rows * en_nr + 7;
  const en_region r = region_of(s);
  const REAL *x = numbers(pixels == 0 ? 1 : input_count(s)), *dy = numbers(pixels * (columns + s.gap));
  const long count = (panelCount - 1) * panelSize + rows * en_nr;
  REAL *panels = numbers(count);
  double *wanted = ARRAY(double, count);
  for (long i = 0; i < count; i++) wanted[i] = panels[i];
  for (long i = 0; i < rows * columns; i++) {
    const long row = firstRow + i / columns, j = i % columns;
    double *sum = wanted + j / en_nr * panelSize + i / columns * en_nr + j % en_nr;
    for (long p = 0; p < pixels; p++)
      *sum += (double)x[r.from[p] + r.segments[row / length] + row % length] * dy[r.to[p] + j];
  }
  const en_weight_rows block = {
    .pixels = pixels, .from = r.from, .to = r.to, .segments = r.segments, .length = length, .firstRow = firstRow,
    .rows = rows, .columns = columns, .panelSize = panelSize};
  const en_prefetch next[2] = {{x, 4096}, {dy, 100}};
  set_size("%ld pixels, rows %ld + %ld of %ld segments of %ld, %ld columns", pixels, firstRow, rows, segments, length, columns);
  RUN(en_convolve_weights, block, x, dy, panels, next);
  expect(count, panels, wanted, 16 + (double)pixels);
  free_arrays();
}

static void check_weights(void) {
  const long pixels[] = {0, 1, 5, 127, 129, 255, 256, 257, 600}, columns[] = {1, 3, 16, 17, 33, 128, 129, 150};
  for (long k = 0; k < COUNT(pixels); k++) {
    for (long j = 0; j < COUNT(columns); j++) check_weight_rows(pixels[k], 2, 9, 5, 11, columns[j]);
  }
  for (long rows = 1; rows <= 25; rows++) {
    check_weight_rows(7, 1, 25, 0, rows, 19);
    check_weight_rows(7, 5, 5, 0, rows, 140);
  }
  check_weight_rows(300, 9, 16, 40, en_max_weight_rows, 144);
  check_weight_rows(300, 9, 16, 0, 144, 20);
}

void TYPED(check_regions)(void) {
  check_regions();
  check_weights();
}
