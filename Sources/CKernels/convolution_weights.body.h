// The gradient of weights by the direct algorithm: for each tap, xᵀ dy summed over the pixels; x by rows, dy by panels.

// The micro-kernel: `count` rows of a panel or two. dy is packed; x is packed for these rows, or read in place.
INLINED OVERLOADED void rows_of_panels(
  const long count, const long panels, const int isPacked, long pixels, const int *from, const REAL *x, const REAL *dy,
  REAL *panel, long panelSize) {
  VECTOR sums[2 * en_mr];
  load_tile(count, panels, panel, en_nr, panelSize, sums);
#pragma clang loop unroll_count(4)
  for (long p = 0; p < pixels; p++, dy += panels * en_nr) {
    const REAL *a = isPacked ? x + p * count : x + from[p];
    const VECTOR b[2] = {LOAD(dy), LOAD(panels > 1 ? dy + en_nr : dy)};
    ADD_PRODUCTS(count, panels, sums, a[i], b);
  }
  store_tile(count, panels, sums, panel, en_nr, panelSize);
}

INLINED OVERLOADED void pack_rows(const long count, long pixels, const int *from, const REAL *x, REAL *packed) {
  for (long p = 0; p < pixels; p++) EACH(i, 0, count) packed[p * count + i] = x[from[p] + i];
}

/// packed[p][panel][j] = dy's columns from `first` on, in `panels` panels, zeros after the last one.
INLINED OVERLOADED void pack_columns(
  long pixels, const int *to, const REAL *dy, long first, long columns, long panels, REAL *packed) {
  for (long panel = 0; panel < panels; panel++) {
    const long column = first + panel * en_nr, width = columns - column < en_nr ? columns - column : en_nr;
    for (long p = 0; p < pixels; p++) {
      const REAL *pixel = dy + column + to[p];
      REAL *out = packed + (p * panels + panel) * en_nr;
      if (width == en_nr)
        STORE(out, LOAD(pixel));
      else
        for (long j = 0; j < en_nr; j++) out[j] = j < width ? pixel[j] : 0;
    }
  }
}

// Takes a block of pixels at a time. Each panel of dy in turn is packed for the first-level cache, or two where there are
// registers for the sums of both. Where there are many panels, x is packed too, in the order in which the micro-kernel reads it,
// once for all panels; two panels at a time would then load the sums too often.
OVERLOADED KERNEL void en_convolve_weights(
  en_weight_rows block, const REAL *x, const REAL *dy, REAL *panels, const en_prefetch next[2]) {
  enum { max_pixels = 256 };
  REAL packed[max_pixels * en_max_weight_rows];
  // Aligned, as a row across two cache lines takes two reads.
  REAL packedDy[2 * max_pixels * en_nr] __attribute__((aligned(64)));
  const long maxMR = en_max_mr(), panelCount = (block.columns + en_nr - 1) / en_nr;
  const int isPacked = panelCount > en_panel_threshold;
  assert(block.pixels >= 0 && block.length > 0 && block.firstRow >= 0 && block.rows > 0 && block.columns > 0);
  assert(panelCount == 1 || block.panelSize >= block.rows * en_nr);
  assert(!isPacked || block.rows <= en_max_weight_rows);
  assert(EN_HAS(block.from, block.pixels) && EN_HAS(block.to, block.pixels) && block.segments && next && panels);
  assert(EN_HAS(x, block.pixels) && EN_HAS(dy, block.pixels));
  const int takesTwo = maxMR > 6 && sizeof(REAL) == 4 && panelCount > 1;
  const long step = takesTwo && !isPacked ? max_pixels / 2 : max_pixels;
  const long works = (block.pixels + step - 1) / step * panelCount * block.rows;
  long work = 0;
  for (long first = 0; first < block.pixels; first += step) {
    const long count = block.pixels - first < step ? block.pixels - first : step;
    const int *from = block.from + first;
    for (long k = 0, taken; k < panelCount; k += taken) {
      taken = takesTwo && k + 1 < panelCount ? 2 : 1;
      pack_columns(count, block.to + first, dy, k * en_nr, block.columns, taken, packedDy);
      for (long row = 0, mr; row < block.rows; row += mr) {
        // Rows of one segment, which are contiguous.
        const long segment = (block.firstRow + row) / block.length, start = (block.firstRow + row) % block.length;
        mr = en_split_mr(block.length - start < block.rows - row ? block.length - start : block.rows - row, maxMR);
        const REAL *source = x + block.segments[segment] + start;
        for (int i = 0; i < 2; i++) en_prefetch_part(next[i], work, works, mr * taken);
        work += mr * taken;
        REAL *packedRows = isPacked ? packed + row * count : 0, *sums = panels + k * block.panelSize + row * en_nr;
#define ROWS(n) \
  case n: \
    if (isPacked && k == 0) pack_rows(n, count, from, source, packedRows); \
    if (isPacked && taken == 2) rows_of_panels(n, 2, 1, count, from, packedRows, packedDy, sums, block.panelSize); \
    else if (isPacked) rows_of_panels(n, 1, 1, count, from, packedRows, packedDy, sums, block.panelSize); \
    else if (taken == 2) rows_of_panels(n, 2, 0, count, from, source, packedDy, sums, block.panelSize); \
    else rows_of_panels(n, 1, 0, count, from, source, packedDy, sums, block.panelSize); \
    break
        switch (mr) { EN_EACH_MR(ROWS); }
#undef ROWS
      }
    }
  }
}
