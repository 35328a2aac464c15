OVERLOADED void en_pad_images(en_margins m, const REAL *x, REAL *padded) {
  assert(m.images >= 0 && m.height >= 0 && m.width >= 0 && m.channels > 0 && m.paddedHeight >= 0 && m.paddedWidth >= 0);
  assert(EN_HAS(x, m.images * m.height * m.width) && EN_HAS(padded, m.images * m.paddedHeight * m.paddedWidth));
  const long cropped = m.left < 0 ? -m.left : 0, margin = m.left > 0 ? m.left : 0;
  assert(margin <= m.paddedWidth);
  long copied = m.width - cropped;
  if (copied > m.paddedWidth - margin) copied = m.paddedWidth - margin;
  if (copied < 0) copied = 0;
  const size_t before = (size_t)(margin * m.channels), middle = (size_t)(copied * m.channels);
  const size_t line = (size_t)(m.paddedWidth * m.channels);
  for (long image = 0; image < m.images; image++) {
    for (long row = 0; row < m.paddedHeight; row++, padded += line) {
      const long source = row - m.top;
      if (source < 0 || source >= m.height || middle == 0) {
        memset(padded, 0, line * sizeof(REAL));
        continue;
      }
      memset(padded, 0, before * sizeof(REAL));
      memcpy(
        padded + before, x + ((image * m.height + source) * m.width + cropped) * m.channels, middle * sizeof(REAL));
      memset(padded + before + middle, 0, (line - before - middle) * sizeof(REAL));
    }
  }
}

OVERLOADED KERNEL void en_pack_panel(en_tap_matrices m, const REAL *w, REAL *panel) {
  assert(m.tapCount >= 0 && m.rows >= 0 && m.columns > 0 && m.columns <= en_nr && m.rowStride > 0 && m.columnStride > 0);
  assert(EN_HAS(m.taps, m.tapCount) && EN_HAS(w, m.tapCount * m.rows) && EN_HAS(panel, m.tapCount * m.rows));
  for (long t = 0; t < m.tapCount; t++, panel += m.rows * en_nr) {
    const REAL *tap = w + m.taps[t];
    // Of a transposed factor, the columns of a panel are rows.
    if (m.rowStride == 1 && m.columns == en_nr) {
      en_transpose_plane(m.rows, en_nr, m.columnStride, en_nr, tap, panel);
      continue;
    }
    for (long row = 0; row < m.rows; row++) {
      REAL *out = panel + row * en_nr;
      // A whole row where the scalars after the last column still belong to this matrix.
      if (m.columnStride == 1 && row * m.rowStride + en_nr <= (m.rows - 1) * m.rowStride + m.columns)
        STORE(out, LOAD(tap + row * m.rowStride));
      else
        for (long j = 0; j < m.columns; j++) out[j] = tap[row * m.rowStride + j * m.columnStride];
      for (long j = m.columns; j < en_nr; j++) out[j] = 0;
    }
  }
}

/// The epilogue of `count` pixels of a whole panel.
INLINED OVERLOADED void finish_whole_pixels(
  const long count, const VECTOR *sums, const int *to, EPILOGUE epilogue, REAL *y) {
  if (epilogue.nontemporal && !epilogue.residual && !epilogue.relu) {
    VECTOR bias = {0};
    if (epilogue.bias) bias = LOAD(epilogue.bias);
    EACH(i, 0, count) __builtin_nontemporal_store(sums[i] + bias, (LINE *)(y + to[i]));
  } else if (!epilogue.bias && !epilogue.residual && !epilogue.relu) {
    EACH(i, 0, count) STORE(y + to[i], sums[i]);
  } else {
    EACH(i, 0, count) {
      VECTOR sum = sums[i];
      if (epilogue.bias) sum += LOAD(epilogue.bias);
      if (epilogue.residual) sum += LOAD(epilogue.residual + to[i]);
      rectify(epilogue.relu, &sum);
      STORE(y + to[i], sum);
    }
  }
}

/// The epilogue of `count` pixels of the first `columns` columns of a panel.
INLINED OVERLOADED void finish_part_of_pixels(
  const long count, const VECTOR *sums, const int *to, long columns, EPILOGUE epilogue, REAL *y) {
  EACH(i, 0, count) {
    const VECTOR sum = sums[i];
    for (long j = 0; j < columns; j++) {
      REAL v = sum[j];
      if (epilogue.bias) v += epilogue.bias[j];
      if (epilogue.residual) v += epilogue.residual[to[i] + j];
      y[to[i] + j] = rectified(epilogue.relu, v);
    }
  }
}

INLINED OVERLOADED EPILOGUE of_second_panel(EPILOGUE epilogue) {
  if (epilogue.bias) epilogue.bias += en_nr;
  if (epilogue.residual) epilogue.residual += en_nr;
  return epilogue;
}

// The micro-kernel: `count` pixels, the first of a region, by the columns of one panel or two. `count` and `panels` are constants
// wherever this is inlined.
//
// A deep panel is read strictly row by row, as it may come from memory, and each row prefetches so many bytes of what is next:
// for several rows at once, as registers are few: one by one, twelve pixels and a panel reloaded 29 addresses for four rows.
// The empty assembly keeps the compiler from reading rows of several steps in another order (clang 21 of Swift 6.3.1,
// 2026-11-28: VGG16 with one image took 0.89 of its time with AVX-512, 0.95 with AVX2).
INLINED OVERLOADED void pixels_by_panel(
  const long count, const long panels, const int isDeep, en_region region, const REAL *x, const REAL *panel,
  en_prefetch next, EPILOGUE epilogue, REAL *y) {
  VECTOR sums[2 * en_mr];
  clear_tile(count, panels, sums);
  const REAL *pixels[en_mr];
  if (epilogue.residual) {
    EACH(i, 0, count) __builtin_prefetch(epilogue.residual + region.to[i], 0, 3);
  } else if (!epilogue.nontemporal && region.segmentCount * region.length >= en_prefetching_depth) {
    // Results of a matrix of any width lie in one line more.
    const long lines = panels > 1 ? panels + 1 : 1;
    EACH(i, 0, count) EACH(line, 0, lines) __builtin_prefetch(y + region.to[i] + line * en_nr, 1, 3);
  }
  for (long s = 0; s < region.segmentCount; s++) {
    EACH(i, 0, count) pixels[i] = x + region.from[i] + region.segments[s];
    const REAL *row = panel + region.rows[s] * en_nr;
    for (long k = 0, end; k < region.length;) {
      end = isDeep && k + en_prefetched_rows < region.length ? k + en_prefetched_rows : region.length;
      for (long line = k * next.bytes; isDeep && line < end * next.bytes; line += 64) {
        __builtin_prefetch((const char *)next.start + line, 0, 2);
        if (panels > 1) __builtin_prefetch((const char *)next.start + region.panelSize * sizeof(REAL) + line, 0, 2);
      }
#pragma clang loop unroll_count(4)
      for (; k < end; k++, row += en_nr) {
        const VECTOR b[2] = {LOAD(row), LOAD(panels > 1 ? row + region.panelSize : row)};
        ADD_PRODUCTS(count, panels, sums, pixels[i][k], b);
        if (isDeep) __asm__ volatile("" : : : "memory");
      }
    }
  }
  if (panels > 1) {
    finish_whole_pixels(count, sums, region.to, epilogue, y);
    epilogue = of_second_panel(epilogue);
    y += en_nr;
  }
  const long columns = region.columns - (panels - 1) * en_nr;
  if (columns == en_nr)
    finish_whole_pixels(count, sums + (panels - 1) * en_mr, region.to, epilogue, y);
  else
    finish_part_of_pixels(count, sums + (panels - 1) * en_mr, region.to, columns, epilogue, y);
}

/// All pixels of a region, MR at a time; `next` is what all of them together prefetch.
INLINED OVERLOADED void region_by_panel(
  const long panels, const int isDeep, en_region region, const REAL *x, const REAL *panel, const char *next,
  EPILOGUE epilogue, REAL *y) {
#define PIXELS(n) \
  case n: \
    pixels_by_panel(n, panels, isDeep, part, x, panel, (en_prefetch){next, bytes}, epilogue, y); \
    break
  const int *from = region.from;
  en_region part = region;
  for (long p = 0, count; p < region.pixels; p += count) {
    // Pixels of one column of an image often lie a power of two apart, and share one set of the first-level cache, of eight lines
    // of 4096 bytes: no more than fit beside the panel.
    long conflicts = 0;
    for (long i = p; i < region.pixels && i < p + en_mr; i++)
      conflicts += (from[i] - from[p]) % (4096 / (long)sizeof(REAL)) == 0;
    count = en_split_mr(region.pixels - p, conflicts > 6 ? en_mr / 2 : en_max_mr());
    // All pixels together prefetch as many rows as there are in this part.
    const long bytes = (long)sizeof(VECTOR) * count / region.pixels;
    part.from = from + p;
    part.to = region.to + p;
    switch (count) { EN_EACH_MR(PIXELS); }
    if (isDeep) next += bytes * region.length;
  }
#undef PIXELS
}

#ifndef NDEBUG
static OVERLOADED void check_region(en_region r, const REAL *x, const REAL *panel, const REAL *y) {
  assert(r.pixels >= 0 && r.segmentCount >= 0 && r.length > 0 && r.columns > 0 && r.columns <= 2 * en_nr);
  assert(r.columns <= en_nr || r.panelSize >= r.length * en_nr);
  assert(EN_HAS(r.from, r.pixels) && EN_HAS(r.to, r.pixels) && EN_HAS(y, r.pixels));
  assert(EN_HAS(r.segments, r.segmentCount) && EN_HAS(r.rows, r.segmentCount));
  assert(EN_HAS(x, r.pixels * r.segmentCount) && EN_HAS(panel, r.segmentCount));
  for (long s = 0; s < r.segmentCount; s++) assert(r.rows[s] >= 0);
  // Two pixels of a result do not overlap.
  for (long p = 1; p < r.pixels; p++) assert(r.to[p] >= r.to[p - 1] + r.columns);
}
#endif

// A panel that is too deep for the first-level cache is split along its depth; y holds the partial sums.
INLINED OVERLOADED void convolve(
  const long panels, en_region region, const REAL *x, const REAL *panel, EPILOGUE epilogue, REAL *y) {
  if (region.segmentCount * region.length <= en_shallow_kc)
    return region_by_panel(panels, 0, region, x, panel, 0, epilogue, y);
  en_region part = region;
  part.segmentCount = 1;
  for (long s = 0; s < region.segmentCount; s++) {
    for (long k = 0; k < region.length; k += en_kc) {
      const int isFirst = s + k == 0, isLast = s == region.segmentCount - 1 && k + en_kc >= region.length;
      const EPILOGUE partial = {
        isFirst ? epilogue.bias : 0, isFirst ? epilogue.residual : y, isLast ? epilogue.relu : 0};
      const int segment = region.segments[s] + (int)k, row = region.rows[s] + (int)k;
      part.segments = &segment;
      part.rows = &row;
      part.length = region.length - k < en_kc ? region.length - k : en_kc;
      // The rows that follow, or the panels.
      const char *next =
        (const char *)(panel + (isLast && panels > 1 ? panels * region.panelSize : (row + part.length) * en_nr));
      region_by_panel(panels, 1, part, x, panel, next, partial, y);
    }
  }
}

#ifdef AVX512_ONLY
static OVERLOADED AVX512_ONLY void convolve_two_panels(
  en_region region, const REAL *x, const REAL *panel, EPILOGUE epilogue, REAL *y) {
  if (sizeof(REAL) == 4) convolve(2, region, x, panel, epilogue, y);
}
#endif

OVERLOADED KERNEL void en_convolve(en_region region, const REAL *x, const REAL *panel, EPILOGUE epilogue, REAL *y) {
#ifndef NDEBUG
  check_region(region, x, panel, y);
  assert(!epilogue.nontemporal || (region.columns % en_nr == 0 && EN_IS_ALIGNED(y, 64)));
#endif
#ifdef AVX512_ONLY
  if (region.columns > en_nr && en_max_mr() > 6 && sizeof(REAL) == 4)
    return convolve_two_panels(region, x, panel, epilogue, y);
#endif
  // Elsewhere there are registers for the sums of one panel.
  for (; region.columns > 0; region.columns -= en_nr, panel += region.panelSize, y += en_nr) {
    en_region one = region;
    if (one.columns > en_nr) one.columns = en_nr;
    convolve(1, one, x, panel, epilogue, y);
    epilogue = of_second_panel(epilogue);
  }
}

/// Σ of each of sixteen vectors: halves of two vectors are added side by side until all sums are in the first.
INLINED OVERLOADED void fold(VECTOR *sums) {
#define HALVES(...) __builtin_shufflevector(sums[2 * i], sums[2 * i + 1], __VA_ARGS__)
#define FOLD(n, low, high) EACH(i, 0, n) sums[i] = low + high
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
}

// Few columns would leave most of a vector empty. Here a vector holds sixteen scalars of a pixel, whose products are summed
// across it at the end.
INLINED OVERLOADED void pixels_by_columns(
  const long count, const long columns, en_region region, const REAL *x, const REAL *panel, long depth, const VECTOR *bias,
  EPILOGUE epilogue, REAL *y) {
  VECTOR sums[4 * en_narrow_columns] = {0};
  for (long s = 0; s < region.segmentCount; s++) {
    const REAL *pixels = x + region.segments[s], *column = panel + region.rows[s];
    for (long k = 0; k < region.length; k += en_nr) {
      EACH(i, 0, count) {
        const VECTOR a = LOAD(pixels + region.from[i] + k);
        EACH(j, 0, columns) sums[i * en_narrow_columns + j] += a * LOAD(column + j * depth + k);
      }
    }
  }
  fold(sums);
  VECTOR sum = sums[0] + *bias;
  if (epilogue.residual)
    EACH(i, 0, count) EACH(j, 0, columns) sum[i * en_narrow_columns + j] += epilogue.residual[region.to[i] + j];
  rectify(epilogue.relu, &sum);
  EACH(i, 0, count) EACH(j, 0, columns) y[region.to[i] + j] = sum[i * en_narrow_columns + j];
}

OVERLOADED KERNEL void en_convolve_narrow(
  en_region region, const REAL *x, const REAL *panel, long depth, EPILOGUE epilogue, REAL *y) {
#ifndef NDEBUG
  check_region(region, x, panel, y);
  assert(region.columns <= en_narrow_columns && region.length % en_nr == 0 && depth >= region.length);
#endif
  const long together = en_max_mr() > 6 ? 4 : 2;
  en_region part = region;
  VECTOR bias = {0};
  for (long lane = 0; epilogue.bias && lane < en_nr; lane++)
    bias[lane] = lane % en_narrow_columns < region.columns ? epilogue.bias[lane % en_narrow_columns] : 0;
#define PIXELS(count, columns) pixels_by_columns(count, columns, part, x, panel, depth, &bias, epilogue, y)
#define COLUMNS(n) \
  case n: \
    if (taken == 4) PIXELS(4, n); \
    else if (taken == 2) PIXELS(2, n); \
    else PIXELS(1, n); \
    break
  for (long p = 0, taken; p < region.pixels; p += taken) {
    taken = region.pixels - p < together ? 1 : together;
    part.from = region.from + p;
    part.to = region.to + p;
    switch (region.columns) { COLUMNS(1); COLUMNS(2); COLUMNS(3); COLUMNS(4); }
  }
#undef COLUMNS
#undef PIXELS
}
