// Padding, panels, and whole convolutions by the direct kernels against the definition.
#include "definition.h"

static void check_pad(en_margins m) {
  const long count = m.images * m.height * m.width * m.channels, line = m.paddedWidth * m.channels;
  const long n = m.images * m.paddedHeight * line;
  REAL *x = numbers(count), *padded = ARRAY(REAL, n);
  double *wanted = zeros(n);
  for (long i = 0; i < n; i++) {
    const long row = i / line % m.paddedHeight - m.top, column = i % line / m.channels - m.left;
    const long image = i / line / m.paddedHeight;
    if (row >= 0 && row < m.height && column >= 0 && column < m.width)
      wanted[i] = x[((image * m.height + row) * m.width + column) * m.channels + i % m.channels];
  }
  set_size("%ld images %ld×%ld×%ld, margins %ld and %ld, to %ld×%ld", m.images, m.height, m.width, m.channels, m.top, m.left,
           m.paddedHeight, m.paddedWidth);
  RUN(en_pad_images, m, x, padded);
  expect_equal(n, padded, wanted);
  free_arrays();
}

static void check_pack(long rows, long columns, long rowGap, int isTransposed) {
  const int taps[] = {0, 5, 40};
  const long tapCount = COUNT(taps);
  const en_tap_matrices m = {
    .tapCount = tapCount, .taps = taps, .rows = rows, .columns = columns, .rowStride = isTransposed ? 1 : columns + rowGap,
    .columnStride = isTransposed ? rows + rowGap : 1};
  const REAL *w = numbers(taps[tapCount - 1] + (rows - 1) * m.rowStride + (columns - 1) * m.columnStride + 1);
  const long n = tapCount * rows * en_nr;
  REAL *panel = ARRAY(REAL, n);
  double *wanted = zeros(n);
  for (long i = 0; i < n; i++) {
    const long j = i % en_nr, row = i / en_nr % rows;
    if (j < columns) wanted[i] = w[taps[i / en_nr / rows] + row * m.rowStride + j * m.columnStride];
  }
  set_size("%ld rows, %ld columns, strides %ld and %ld", rows, columns, m.rowStride, m.columnStride);
  RUN(en_pack_panel, m, w, panel);
  expect_equal(n, panel, wanted);
  free_arrays();
}

/// Images that are convolved as if every tap reached every pixel: padded ones.
typedef struct {
  long images, height, width, channels, outputs, outHeight, outWidth, size, stride, dilation;
} plan;

/// The pixels, and segments of a row of taps or of one tap.
static en_region region_of(plan p) {
  const long pixels = p.images * p.outHeight * p.outWidth, joined = p.dilation == 1 ? p.size : 1;
  const long segmentCount = p.size * p.size / joined;
  int *from = ARRAY(int, pixels), *to = ARRAY(int, pixels), *segments = ARRAY(int, segmentCount), *rows = ARRAY(int, segmentCount);
  for (long i = 0; i < pixels; i++) {
    const long image = i / p.outWidth / p.outHeight, row = i / p.outWidth % p.outHeight * p.stride;
    from[i] = (int)(((image * p.height + row) * p.width + i % p.outWidth * p.stride) * p.channels);
    to[i] = (int)(i * p.outputs);
  }
  for (long s = 0; s < segmentCount; s++) {
    const long tap = s * joined;
    segments[s] = (int)((tap / p.size * p.width + tap % p.size) * p.dilation * p.channels);
    rows[s] = (int)(tap * p.channels);
  }
  return (en_region){
    .pixels = pixels, .from = from, .to = to, .segmentCount = segmentCount, .segments = segments, .rows = rows,
    .length = joined * p.channels};
}

/// y = x ∗ w, a panel at a time. Taps are `tapStride` apart, in reverse where that is negative.
static void convolve(plan p, const REAL *x, const REAL *w, long tapStride, const long strides[2], REAL *y) {
  const long tapCount = p.size * p.size;
  int *taps = ARRAY(int, tapCount);
  for (long t = 0; t < tapCount; t++) taps[t] = (int)(tapStride < 0 ? (t + 1 - tapCount) * tapStride : t * tapStride);
  en_region region = region_of(p);
  REAL *panel = ARRAY(REAL, tapCount * p.channels * en_nr);
  for (long first = 0; first < p.outputs; first += en_nr) {
    region.columns = p.outputs - first < en_nr ? p.outputs - first : en_nr;
    const en_tap_matrices m = {
      .tapCount = tapCount, .taps = taps, .rows = p.channels, .columns = region.columns, .rowStride = strides[0],
      .columnStride = strides[1]};
    RUN(en_pack_panel, m, w + first * strides[1], panel);
    RUN(en_convolve, region, x, panel, (DESCRIPTOR(epilogue)){0}, y + first);
  }
}

static void check_weights_gradient(convolution c, plan p, const REAL *padded, const products *a) {
  const en_region region = region_of(p);
  const long rows = c.size * c.size * c.inputs, panelSize = rows * en_nr;
  REAL *panels = ARRAY(REAL, (c.outputs + en_nr - 1) / en_nr * panelSize), *dw = ARRAY(REAL, rows * c.outputs);
  for (long i = 0; i < (c.outputs + en_nr - 1) / en_nr * panelSize; i++) panels[i] = 0;
  const en_prefetch next[2] = {{0}};
  RUN(en_convolve_weights,
      ((en_weight_rows){
        .pixels = region.pixels, .from = region.from, .to = region.to, .segments = region.segments,
        .length = region.length, .rows = rows, .columns = c.outputs, .panelSize = panelSize}),
      padded, a->dy, panels, next);
  for (long i = 0; i < rows * c.outputs; i++) {
    const long j = i % c.outputs;
    dw[i] = panels[j / en_nr * panelSize + i / c.outputs * en_nr + j % en_nr];
  }
  expect(rows * c.outputs, dw, a->dw, 16 + (double)region.pixels);
}

static void check_convolution(convolution c) {
  const long reach = (c.size - 1) * c.dilation + 1;
  c = sized(c);
  const products a = products_of(c);
  const long height = c.height + 2 * c.padding, width = c.width + 2 * c.padding;
  const long yCount = c.images * c.outHeight * c.outWidth * c.outputs, xCount = c.images * c.height * c.width * c.inputs;
  REAL *padded = ARRAY(REAL, c.images * height * width * c.inputs), *y = ARRAY(REAL, yCount), *dx = ARRAY(REAL, xCount);
  const double depth = 16 + (double)(c.size * c.size * (c.inputs + c.outputs));
  set_size("%ld images %ld×%ld, %ld to %ld, %ld×%ld taps, stride %ld, padding %ld, dilation %ld", c.images, c.height,
           c.width, c.inputs, c.outputs, c.size, c.size, c.stride, c.padding, c.dilation);
  RUN(en_pad_images,
      ((en_margins){c.images, c.height, c.width, c.inputs, c.padding, c.padding, height, width}), a.x, padded);
  const plan forward = {
    c.images, height, width, c.inputs, c.outputs, c.outHeight, c.outWidth, c.size, c.stride, c.dilation};
  convolve(forward, padded, a.w, c.inputs * c.outputs, (const long[]){c.outputs, 1}, y);
  expect(yCount, y, a.y, depth);
  check_weights_gradient(c, forward, padded, &a);
  const long margin = reach - 1 - c.padding;
  if (c.stride == 1) {
    const long dyHeight = c.height + reach - 1, dyWidth = c.width + reach - 1;
    REAL *paddedDy = ARRAY(REAL, c.images * dyHeight * dyWidth * c.outputs);
    RUN(en_pad_images,
        ((en_margins){c.images, c.outHeight, c.outWidth, c.outputs, margin, margin, dyHeight, dyWidth}), a.dy, paddedDy);
    const plan backward = {c.images, dyHeight, dyWidth, c.outputs, c.inputs, c.height, c.width, c.size, 1, c.dilation};
    convolve(backward, paddedDy, a.w, -c.inputs * c.outputs, (const long[]){1, c.outputs}, dx);
    expect(xCount, dx, a.dx, depth);
  }
  free_arrays();
}

void TYPED(check_convolution)(void) {
  const long margins[][4] = {{0, 0, 5, 7}, {1, 1, 7, 9}, {2, 0, 9, 7}, {-1, -2, 3, 3}, {-2, 1, 4, 9}, {0, -9, 5, 2}, {6, 8, 6, 8}};
  const long channels[] = {1, 3, 16, 17};
  for (long k = 0; k < COUNT(margins) * COUNT(channels); k++) {
    const long *m = margins[k / COUNT(channels)];
    check_pad((en_margins){2, 5, 7, channels[k % COUNT(channels)], m[0], m[1], m[2], m[3]});
  }
  for (long columns = 1; columns <= en_nr; columns++) {
    for (long k = 0; k < 4; k++) {
      check_pack(7, columns, k & 1 ? 3 : 0, (int)(k >> 1));
      check_pack(1, columns, k & 1 ? 19 : 0, (int)(k >> 1));
    }
  }
  const convolution kinds[] = {
    {1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1}, {2, 5, 7, 3, 17, 3, 1, 1, 1, 0, 0, 1}, {1, 7, 7, 16, 16, 3, 2, 1, 1, 0, 0, 1},
    {3, 6, 5, 17, 3, 3, 1, 0, 1, 0, 0, 1}, {1, 9, 8, 5, 33, 3, 1, 2, 2, 0, 0, 1}, {1, 9, 9, 3, 7, 5, 2, 2, 1, 0, 0, 1},
    {2, 4, 4, 130, 20, 1, 1, 0, 1, 0, 0, 1}, {1, 3, 3, 100, 17, 3, 1, 2, 1, 0, 0, 1}, {1, 7, 6, 4, 4, 3, 1, 3, 1, 0, 0, 1}};
  for (long k = 0; k < COUNT(kinds); k++) check_convolution(kinds[k]);
}
