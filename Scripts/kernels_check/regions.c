// The kernels of the direct convolution by the formulas of their header, at any offsets.
#include "epilogues.h"

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

/// Where scalar `row` of a column lies in the panels of a region, or in a narrow one, whose columns lie `depth` apart.
typedef struct {
  int isNarrow;
  long depth;
} panel_layout;

static long panel_index(const en_region *r, panel_layout layout, long row, long column) {
  if (layout.isNarrow) return row + column * layout.depth;
  return column / en_nr * r->panelSize + row * en_nr + column % en_nr;
}

/// What the panels must give; NaN beside the pixels.
static double *results_of(
  sizes s, en_region r, const REAL *x, const REAL *panel, panel_layout layout, DESCRIPTOR(epilogue) epilogue) {
  double *y = ARRAY(double, s.pixels * (s.columns + s.gap));
  for (long i = 0; i < s.pixels * s.columns; i++) {
    const long p = i / s.columns, j = i % s.columns;
    double sum = 0;
    for (long segment = 0; segment < s.segments; segment++) {
      for (long k = 0; k < s.length; k++)
        sum += (double)x[r.from[p] + r.segments[segment] + k] * panel[panel_index(&r, layout, r.rows[segment] + k, j)];
    }
    y[r.to[p] + j] = finished(epilogue, sum, j, r.to[p] + j);
  }
  return y;
}

static void check_region(sizes s, int isNarrow) {
  en_region r = region_of(s);
  const long rows = s.segments * s.length, yCount = s.pixels * (s.columns + s.gap), panels = (s.columns + en_nr - 1) / en_nr;
  const panel_layout layout = {isNarrow, rows + 3};
  // Beside one panel there is no other; between two there is a gap.
  if (panels > 1) r.panelSize = (rows > 0 ? rows : s.length) * en_nr + 7;
  const long panelCount = isNarrow ? (s.columns - 1) * layout.depth + rows : (panels - 1) * r.panelSize + rows * en_nr;
  const REAL *x = numbers(input_count(s)), *bias = wide_numbers(s.columns), *residual = wide_numbers(yCount);
  const REAL *panel = numbers(panelCount > 0 ? panelCount : 1);
  // NaN reaches its pixels, through a ReLU too.
  if (s.pixels > 2 && rows > 0) ((REAL *)x)[2 * s.step] = NAN;
  REAL *y = ARRAY(REAL, yCount);
  // Only whole lines stream.
  if (isNarrow || s.columns % en_nr || s.gap % en_nr) s.epilogue &= ~is_nontemporal;
  const DESCRIPTOR(epilogue) epilogue = epilogue_of(s.epilogue, bias, residual);
  const double *wanted = results_of(s, r, x, panel, layout, epilogue);
  set_size("%ld pixels, %ld segments of %ld, %ld columns, epilogue %d", s.pixels, s.segments, s.length, s.columns, s.epilogue);
  if (isNarrow) RUN(en_convolve_narrow, r, x, panel, layout.depth, epilogue, y);
  else RUN(en_convolve, r, x, panel, epilogue, y);
  expect(yCount, y, wanted, 32 + (double)rows);
  free_arrays();
}

/// Every number of pixels around MR, columns of one panel and of two, narrow ones, every epilogue.
static void check_pixels(long pixels, int kind) {
  const long columns[] = {1, 3, 7, 15, 16, 17, 19, 24, 31, 32};
  for (long j = 0; j < COUNT(columns); j++) {
    const long n = columns[j];
    check_region((sizes){pixels, 3, 7, n, 5, 0, (int)(kind + j * 5) % epilogue_count}, 0);
    check_region((sizes){pixels, 1, 17, n, 17, n % en_nr ? 3 : 16, (int)(kind + j * 5 + 7) % epilogue_count}, 0);
  }
  for (int epilogue = 0; epilogue < epilogue_count; epilogue++) {
    check_region((sizes){pixels, 2, 5, 16, 3, 0, epilogue}, 0);
    check_region((sizes){pixels, 2, 5, 32, 3, 0, epilogue}, 0);
    check_region((sizes){pixels, 2, 5, 21, 3, 0, epilogue}, 0);
  }
  for (long j = 1; j <= en_narrow_columns; j++) {
    check_region((sizes){pixels, 2, 16, j, 9, 0, (int)(kind + j * 5) % epilogue_count}, 1);
    check_region((sizes){pixels, 3, 48, j, 48, 2, (int)(kind + j * 5 + 7) % epilogue_count}, 1);
  }
}

/// Lengths around KC, and parts around what a deep panel prefetches at once.
static void check_deep_regions(void) {
  const long lengths[] = {1, 3, 511, 512, 513, 767, 768, 769, 1024, 1025, 1039, 1040, 1041, 1057};
  int kind = 0;
  for (long k = 0; k < COUNT(lengths); k++) {
    const long n = lengths[k];
    for (int i = 0; i < 6; i++, kind += 5) {
      check_region((sizes){7, 1, n, 16, 11, 0, kind % epilogue_count}, 0);
      check_region((sizes){13, 2, n, 7, 11, 1, (kind + 1) % epilogue_count}, 0);
      check_region((sizes){12, 1, n, 32, 11, 0, (kind + 2) % epilogue_count}, 0);
      check_region((sizes){9, 2, n, 17 + 2 * i, 11, 1, (kind + 3) % epilogue_count}, 0);
    }
    for (int bits = 0; bits < 4; bits++) {
      check_region((sizes){12, 1, n, 16, 11, 0, is_nontemporal | bits}, 0);
      check_region((sizes){12, 1, n, 32, 11, 0, is_nontemporal | bits}, 0);
    }
  }
  // Deep by their segments, each of which is a part.
  for (long length = 15; length <= 17; length++) {
    for (long columns = 15; columns <= 33; columns += 6)
      check_region((sizes){14, 790 / length + 1, length, columns < 33 ? columns : 32, 21, 0, (int)(length + columns) % 8}, 0);
  }
}

static void check_regions(void) {
  const long pixels[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 25};
  for (long k = 0; k < COUNT(pixels); k++) check_pixels(pixels[k], (int)k);
  check_deep_regions();
  // Pixels that no tap reaches; and those of a column of an image, which share a set of the cache.
  for (int epilogue = 0; epilogue < epilogue_count; epilogue++) {
    for (long columns = 7; columns <= 32; columns += columns < 16 ? 9 : 8) {
      check_region((sizes){5, 0, 3, columns, 1, columns % en_nr ? 2 : 0, epilogue}, 0);
      check_region((sizes){14, 1, 33, columns, 4096 / (long)sizeof(REAL), 0, epilogue}, 0);
    }
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
