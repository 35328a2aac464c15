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
      for (long j = 0; j < columns; j++) out[j] = tap[row * rowStride + j * columnStride];
      for (long j = columns; j < en_panel_width; j++) out[j] = 0;
    }
  }
}

// The micro-kernel: `count` pixels (at most 6) by 16 columns, whose sums stay in registers: with AVX2 twelve of the sixteen.
// Each step loads one row of the panel and multiplies it by one scalar of each pixel. `count` is a constant wherever this is
// inlined, so that the loops over it unroll.
INLINED OVERLOADED void pixels_by_panel(
  const long count, const int *from, const int *to, long segmentCount, const int *segments, long length, const REAL *x,
  const REAL *panel, EPILOGUE epilogue, long columns, REAL *y) {
  ROW sums[6] = {0};
  const REAL *pixels[6];
  for (long s = 0; s < segmentCount; s++) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) pixels[i] = x + from[i] + segments[s];
#pragma clang loop unroll_count(4)
    for (long k = 0; k < length; k++, panel += en_panel_width) {
      const ROW b = *(const ROW *)panel;
#pragma clang loop unroll(full)
      for (long i = 0; i < count; i++) sums[i] += pixels[i][k] * b;
    }
  }
  if (columns == en_panel_width) {
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) {
      ROW sum = sums[i];
      if (epilogue.bias) sum += *(const ROW *)epilogue.bias;
      if (epilogue.residual) sum += *(const ROW *)(epilogue.residual + to[i]);
      for (long j = 0; j < en_panel_width; j++) sum[j] = !epilogue.rectifies || sum[j] > 0 ? sum[j] : 0;
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
        y[to[i] + j] = !epilogue.rectifies || v > 0 ? v : 0;
      }
    }
  }
}

OVERLOADED KERNEL void en_convolve(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, long length, const REAL *x,
  const REAL *panel, EPILOGUE epilogue, long columns, REAL *y) {
  long p = 0;
  for (; p + 6 <= pixels; p += 6)
    pixels_by_panel(6, from + p, to + p, segmentCount, segments, length, x, panel, epilogue, columns, y);
  for (; p + 4 <= pixels; p += 4)
    pixels_by_panel(4, from + p, to + p, segmentCount, segments, length, x, panel, epilogue, columns, y);
  for (; p < pixels; p++)
    pixels_by_panel(1, from + p, to + p, segmentCount, segments, length, x, panel, epilogue, columns, y);
}

// The micro-kernel of the weights: `count` rows of a panel (at most 6), summed over pixels in registers. `dy` is packed.
INLINED OVERLOADED void rows_of_panel(const long count, long pixels, const int *from, const REAL *x, const REAL *dy, REAL *panel) {
  ROW sums[6];
#pragma clang loop unroll(full)
  for (long i = 0; i < count; i++) sums[i] = *(const ROW *)(panel + i * en_panel_width);
#pragma clang loop unroll_count(4)
  for (long p = 0; p < pixels; p++, dy += en_panel_width) {
    const REAL *a = x + from[p];
    const ROW b = *(const ROW *)dy;
#pragma clang loop unroll(full)
    for (long i = 0; i < count; i++) sums[i] += a[i] * b;
  }
#pragma clang loop unroll(full)
  for (long i = 0; i < count; i++) *(ROW *)(panel + i * en_panel_width) = sums[i];
}

OVERLOADED KERNEL void en_convolve_weights(
  long pixels, const int *from, const int *to, long segmentCount, const int *segments, long length, const REAL *x,
  const REAL *dy, long columns, REAL *panel) {
  // So many pixels that their part of dy stays in the first-level cache and the sums are not reloaded too often.
  enum { block = 128 };
  REAL packed[block * en_panel_width];
  memset(packed, 0, sizeof packed);
  for (long first = 0; first < pixels; first += block) {
    const long count = pixels - first < block ? pixels - first : block;
    for (long p = 0; p < count; p++)
      for (long j = 0; j < columns; j++) packed[p * en_panel_width + j] = dy[to[first + p] + j];
    for (long s = 0; s < segmentCount; s++) {
      const REAL *a = x + segments[s];
      REAL *rows = panel + s * length * en_panel_width;
      long k = 0;
      for (; k + 6 <= length; k += 6) rows_of_panel(6, count, from + first, a + k, packed, rows + k * en_panel_width);
      for (; k + 4 <= length; k += 4) rows_of_panel(4, count, from + first, a + k, packed, rows + k * en_panel_width);
      for (; k < length; k++) rows_of_panel(1, count, from + first, a + k, packed, rows + k * en_panel_width);
    }
  }
}
#undef INLINED
