#define INLINED static inline __attribute__((always_inline))

OVERLOADED void en_pad_images(
  long images, long height, long width, long channels, long top, long left, long paddedHeight, long paddedWidth,
  const REAL *x, REAL *padded) {
  const long cropped = left < 0 ? -left : 0, margin = left > 0 ? left : 0;
  long copied = width - cropped;
  if (copied > paddedWidth - margin) copied = paddedWidth - margin;
  if (copied < 0) copied = 0;
  const size_t before = (size_t)(margin * channels), middle = (size_t)(copied * channels);
  const size_t line = (size_t)(paddedWidth * channels);
  for (long image = 0; image < images; image++) {
    for (long row = 0; row < paddedHeight; row++, padded += line) {
      const long source = row - top;
      if (source < 0 || source >= height || middle == 0) {
        memset(padded, 0, line * sizeof(REAL));
        continue;
      }
      memset(padded, 0, before * sizeof(REAL));
      memcpy(padded + before, x + ((image * height + source) * width + cropped) * channels, middle * sizeof(REAL));
      memset(padded + before + middle, 0, (line - before - middle) * sizeof(REAL));
    }
  }
}

OVERLOADED void en_pack_panel(
  long tapCount, const int *taps, long rows, long columns, long rowStride, long columnStride, const REAL *w, REAL *panel) {
  for (long t = 0; t < tapCount; t++, panel += rows * en_panel_width) {
    const REAL *tap = w + taps[t];
    for (long row = 0; row < rows; row++) {
      REAL *out = panel + row * en_panel_width;
      // A whole row where the scalars after the last column still belong to this matrix.
      if (columnStride == 1 && row * rowStride + en_panel_width <= (rows - 1) * rowStride + columns)
        *(ROW *)out = *(const ROW *)(tap + row * rowStride);
      else
        for (long j = 0; j < columns; j++) out[j] = tap[row * rowStride + j * columnStride];
      for (long j = columns; j < en_panel_width; j++) out[j] = 0;
    }
  }
}

// The micro-kernel: `count` pixels by 16 columns, whose sums stay in registers. Each step loads one row of the panel and
// multiplies it by one scalar of each pixel. `count` is a constant wherever this is inlined, so that the loops over it unroll.
// A deep panel is read strictly row by row, as it may come from memory, and each row prefetches so many bytes of `next`.
INLINED OVERLOADED void pixels_by_panel(
  const long count, const int isDeep, const int *from, const int *to, long segmentCount, const int *segments,
  const int *rows, long length, const REAL *x, const REAL *panel, const char *next, long bytes, EPILOGUE epilogue,
  long columns, REAL *y) {
  ROW sums[12] = {0};
  const REAL *pixels[12];
  if (epilogue.residual) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) __builtin_prefetch(epilogue.residual + to[i], 0, 3);
  }
  for (long s = 0; s < segmentCount; s++) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) pixels[i] = x + from[i] + segments[s];
    const REAL *row = panel + rows[s] * en_panel_width;
#pragma clang loop unroll_count(4)
    for (long k = 0; k < length; k++, row += en_panel_width) {
      if (isDeep) __builtin_prefetch(next + k * bytes, 0, 2);
      const ROW b = *(const ROW *)row;
#pragma clang loop unroll(full)
      for (long i = 0; i < count; i++) sums[i] += pixels[i][k] * b;
      if (isDeep) __asm__ volatile("" : : : "memory");
    }
  }
  if (columns == en_panel_width && epilogue.nontemporal && !epilogue.residual && !epilogue.relu) {
    ROW bias = {0};
    if (epilogue.bias) bias = *(const ROW *)epilogue.bias;
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) __builtin_nontemporal_store(sums[i] + bias, (LINE *)(y + to[i]));
  } else if (columns == en_panel_width && !epilogue.bias && !epilogue.residual && !epilogue.relu) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) *(ROW *)(y + to[i]) = sums[i];
  } else if (columns == en_panel_width) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) {
      ROW sum = sums[i];
      if (epilogue.bias) sum += *(const ROW *)epilogue.bias;
      if (epilogue.residual) sum += *(const ROW *)(epilogue.residual + to[i]);
      for (long j = 0; j < en_panel_width; j++) sum[j] = epilogue.relu && sum[j] < 0 ? 0 : sum[j];
      if (epilogue.relu == 6)
        for (long j = 0; j < en_panel_width; j++) sum[j] = sum[j] > 6 ? 6 : sum[j];
      *(ROW *)(y + to[i]) = sum;
    }
  } else {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) {
      const ROW sum = sums[i];
      for (long j = 0; j < columns; j++) {
        REAL v = sum[j];
        if (epilogue.bias) v += epilogue.bias[j];
        if (epilogue.residual) v += epilogue.residual[to[i] + j];
        y[to[i] + j] = epilogue.relu && v < 0 ? 0 : epilogue.relu == 6 && v > 6 ? 6 : v;
      }
    }
  }
}

INLINED OVERLOADED void pixels_by_part(
  const int isDeep, long pixels, const int *from, const int *to, long segmentCount, const int *segments,
  const int *rows, long length, const REAL *x, const REAL *panel, const char *next, EPILOGUE epilogue, long columns,
  REAL *y) {
#define PIXELS(n) \
  case n: \
    pixels_by_panel( \
      n, isDeep, from + p, to + p, segmentCount, segments, rows, length, x, panel, next, bytes, epilogue, columns, y); \
    break
  for (long p = 0, count; p < pixels; p += count) {
    // Pixels of one column of an image often lie a power of two apart, and share one set of the first-level cache: no more than
    // fit beside the panel.
    long conflicts = 0;
    for (long i = p; i < pixels && i < p + 12; i++)
      conflicts += (from[i] - from[p]) % (4096 / (long)sizeof(REAL)) == 0;
    count = en_split_mr(pixels - p, conflicts > 6 ? 6 : en_max_mr());
    // All pixels together prefetch as many rows as there are in this part.
    const long bytes = (long)sizeof(ROW) * count / pixels;
    switch (count) { EN_EACH_MR(PIXELS); }
    if (isDeep) next += bytes * length;
  }
#undef PIXELS
}

// A panel that is too deep for the first-level cache is split along its depth; y holds the partial sums.
OVERLOADED KERNEL void en_convolve(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const REAL *x, const REAL *panel, EPILOGUE epilogue, long columns, REAL *y) {
  enum { shallow = 768, depth = 512 };
  if (segmentCount * length <= shallow)
    return pixels_by_part(0, pixels, from, to, segmentCount, segments, rows, length, x, panel, 0, epilogue, columns, y);
  for (long s = 0; s < segmentCount; s++) {
    for (long k = 0; k < length; k += depth) {
      const int isFirst = s + k == 0, isLast = s == segmentCount - 1 && k + depth >= length;
      const EPILOGUE part = {
        isFirst ? epilogue.bias : 0, isFirst ? epilogue.residual : y, isLast ? epilogue.relu : 0};
      const int segment = segments[s] + (int)k, row = rows[s] + (int)k;
      const long count = length - k < depth ? length - k : depth;
      const char *next = (const char *)(panel + (row + count) * en_panel_width);
      pixels_by_part(1, pixels, from, to, 1, &segment, &row, count, x, panel, next, part, columns, y);
    }
  }
}

// Few columns would leave most of a vector empty. Here a vector holds sixteen scalars of a pixel; at the end their products are
// reduced across the vector: halves of two vectors are added side by side until all sums are in one.
INLINED OVERLOADED void pixels_by_columns(
  const long count, const long columns, const int *from, const int *to, long segmentCount, const int *segments,
  const int *rows, long length, const REAL *x, const REAL *panel, long depth, EPILOGUE epilogue, REAL *y) {
  ROW sums[4 * en_narrow_columns] = {0};
  for (long s = 0; s < segmentCount; s++) {
    const REAL *pixels = x + segments[s], *column = panel + rows[s];
    for (long k = 0; k < length; k += 16) {
#pragma clang loop unroll(full)
      for (long i = 0; i < count; i++) {
        const ROW a = *(const ROW *)(pixels + from[i] + k);
#pragma clang loop unroll(full)
        for (long j = 0; j < columns; j++)
          sums[i * en_narrow_columns + j] += a * *(const ROW *)(column + j * depth + k);
      }
    }
  }
#define HALVES(...) __builtin_shufflevector(sums[2 * i], sums[2 * i + 1], __VA_ARGS__)
#define FOLD(n, low, high) \
  _Pragma("clang loop unroll(full)") for (long i = 0; i < n; i++) sums[i] = low + high
  FOLD(8, HALVES(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
       HALVES(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  FOLD(4, HALVES(0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
       HALVES(4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31));
  FOLD(2, HALVES(0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29),
       HALVES(2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31));
  FOLD(1, HALVES(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
       HALVES(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
#undef FOLD
#undef HALVES
  for (long i = 0; i < count; i++) {
    for (long j = 0; j < columns; j++) {
      REAL v = sums[0][i * en_narrow_columns + j];
      if (epilogue.bias) v += epilogue.bias[j];
      if (epilogue.residual) v += epilogue.residual[to[i] + j];
      y[to[i] + j] = epilogue.relu && v < 0 ? 0 : epilogue.relu == 6 && v > 6 ? 6 : v;
    }
  }
}

OVERLOADED KERNEL void en_convolve_narrow(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, const int *rows, long length,
  const REAL *x, const REAL *panel, long depth, EPILOGUE epilogue, long columns, REAL *y) {
  const long together = en_max_mr() > 6 ? 4 : 2;
#define PIXELS(count, columns) \
  pixels_by_columns( \
    count, columns, from + p, to + p, segmentCount, segments, rows, length, x, panel, depth, epilogue, y)
#define COLUMNS(n) \
  case n: \
    if (taken == 4) PIXELS(4, n); \
    else if (taken == 2) PIXELS(2, n); \
    else PIXELS(1, n); \
    break
  for (long p = 0, taken; p < pixels; p += taken) {
    taken = pixels - p < together ? 1 : together;
    switch (columns) { COLUMNS(1); COLUMNS(2); COLUMNS(3); COLUMNS(4); }
  }
#undef COLUMNS
#undef PIXELS
}

// The micro-kernel of the weights: `count` rows of a panel or two, summed over pixels in registers. dy is packed; x is packed
// for these rows, or read in place.
INLINED OVERLOADED void rows_of_panels(
  const long count, const long panels, const int isPacked, long pixels, const int *from, const REAL *x, const REAL *dy,
  REAL *panel, long panelSize) {
  ROW sums[24];
#pragma clang loop unroll(full)
  for (long j = 0; j < panels; j++) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) sums[j * 12 + i] = *(const ROW *)(panel + j * panelSize + i * en_panel_width);
  }
#pragma clang loop unroll_count(4)
  for (long p = 0; p < pixels; p++, dy += panels * en_panel_width) {
    const REAL *a = isPacked ? x + p * count : x + from[p];
    const ROW b = *(const ROW *)dy, b2 = *(const ROW *)(panels > 1 ? dy + en_panel_width : dy);
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) {
      sums[i] += a[i] * b;
      if (panels > 1) sums[12 + i] += a[i] * b2;
    }
  }
#pragma clang loop unroll(full)
  for (long j = 0; j < panels; j++) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) *(ROW *)(panel + j * panelSize + i * en_panel_width) = sums[j * 12 + i];
  }
}

INLINED OVERLOADED void pack_rows(const long count, long pixels, const int *from, const REAL *x, REAL *packed) {
  for (long p = 0; p < pixels; p++) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) packed[p * count + i] = x[from[p] + i];
  }
}

INLINED OVERLOADED void pack_columns(long pixels, const int *to, const REAL *dy, long width, long step, REAL *packed) {
  for (long p = 0; p < pixels; p++) {
    const REAL *pixel = dy + to[p];
    if (width == en_panel_width)
      *(ROW *)(packed + p * step) = *(const ROW *)pixel;
    else
      for (long j = 0; j < en_panel_width; j++) packed[p * step + j] = j < width ? pixel[j] : 0;
  }
}

// Takes a block of pixels at a time. Each panel of dy in turn is packed for the first-level cache, or two where there are
// registers for the sums of both. Where there are many panels, x is packed too, in the order in which the micro-kernel reads it,
// once for all panels; two panels at a time would then load the sums too often.
OVERLOADED KERNEL void en_convolve_weights(
  long pixels, const int *from, const int *to, const int *segments, long length, long firstRow, long rows, const REAL *x,
  const REAL *dy, long columns, REAL *panels, long panelSize, const en_prefetch next[2]) {
  enum { max_pixels = 256 };
  REAL packed[max_pixels * en_max_weight_rows];
  // Aligned, as a row across two cache lines takes two reads.
  REAL packedDy[max_pixels * en_panel_width] __attribute__((aligned(64)));
  const long maxMR = en_max_mr(), panelCount = (columns + en_panel_width - 1) / en_panel_width;
  const int isPacked = panelCount > en_panel_threshold;
  const int takesTwo = maxMR > 6 && sizeof(REAL) == 4 && panelCount > 1 && !isPacked;
  const long block = takesTwo ? max_pixels / 2 : max_pixels;
  const long steps = (pixels + block - 1) / block * panelCount * rows;
  long step = 0;
  for (long first = 0; first < pixels; first += block) {
    const long count = pixels - first < block ? pixels - first : block;
    for (long k = 0, panelsTaken; k < panelCount; k += panelsTaken) {
      panelsTaken = takesTwo && k + 1 < panelCount ? 2 : 1;
      for (long j = 0; j < panelsTaken; j++) {
        const long column = (k + j) * en_panel_width, width = columns - column;
        pack_columns(
          count, to + first, dy + column, width < en_panel_width ? width : en_panel_width, panelsTaken * en_panel_width,
          packedDy + j * en_panel_width);
      }
      REAL *panel = panels + k * panelSize;
      for (long row = 0, mr; row < rows; row += mr) {
        // Rows of one segment, which are contiguous.
        const long segment = (firstRow + row) / length, start = (firstRow + row) % length;
        mr = en_split_mr(length - start < rows - row ? length - start : rows - row, maxMR);
        const REAL *source = x + segments[segment] + start;
        for (int i = 0; i < 2; i++) en_prefetch_part(next[i], step, steps, mr * panelsTaken);
        step += mr * panelsTaken;
        REAL *packedRows = packed + row * count, *sums = panel + row * en_panel_width;
#define ROWS(n) \
  case n: \
    if (isPacked && k == 0) pack_rows(n, count, from + first, source, packedRows); \
    if (isPacked) rows_of_panels(n, 1, 1, count, from, packedRows, packedDy, sums, panelSize); \
    else if (panelsTaken == 2) rows_of_panels(n, 2, 0, count, from + first, source, packedDy, sums, panelSize); \
    else rows_of_panels(n, 1, 0, count, from + first, source, packedDy, sums, panelSize); \
    break
        switch (mr) { EN_EACH_MR(ROWS); }
#undef ROWS
      }
    }
  }
}
#undef INLINED
