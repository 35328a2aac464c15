// Sums over a block of rows are taken in REAL, where they vectorise and lose little, and totals in double.
// Channels are taken in tiles whose sums stay in the first-level cache.
#define FOR_EACH_TILE(...)                                                   \
  enum { tile = 64, block = 128 };                                           \
  for (long first = 0; first < rows; first += block) {                       \
    const long last = first + block < rows ? first + block : rows;           \
    for (long c0 = 0; c0 < channels; c0 += tile) {                           \
      const long width = channels - c0 < tile ? channels - c0 : tile;        \
      __VA_ARGS__                                                            \
    }                                                                        \
  }

OVERLOADED KERNEL void en_channel_moments(
  long rows, long channels, const REAL *shift, const REAL *x, double *sums, double *squares) {
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const REAL *a = x + row * channels + c0;
      for (long c = 0; c < width; c++) {
        const REAL d = a[c] - shift[c0 + c];
        s[c] += d;
        q[c] += d * d;
      }
    }
    for (long c = 0; c < width; c++) {
      sums[c0 + c] += s[c];
      squares[c0 + c] += q[c];
    }
  })
}

// What is optional is a constant wherever these are inlined.
#define INLINED static inline __attribute__((always_inline))

INLINED OVERLOADED void channel_products(
  long rows, long channels, const REAL *shift, const REAL *dy, const REAL *y, const int isRectified, const REAL *x,
  double *sums, double *products) {
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const long start = row * channels + c0;
      for (long c = 0; c < width; c++) {
        const REAL g = !isRectified || y[start + c] > 0 ? dy[start + c] : 0;
        s[c] += g;
        q[c] += g * (x[start + c] - shift[c0 + c]);
      }
    }
    for (long c = 0; c < width; c++) {
      sums[c0 + c] += s[c];
      products[c0 + c] += q[c];
    }
  })
}

OVERLOADED KERNEL void en_channel_products(
  long rows, long channels, const REAL *shift, const REAL *dy, const REAL *y, const REAL *x, double *sums,
  double *products) {
  if (y) channel_products(rows, channels, shift, dy, y, 1, x, sums, products);
  else channel_products(rows, channels, shift, dy, y, 0, x, sums, products);
}

INLINED OVERLOADED void scale_channels(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  const int hasResidual, const int rectifies, REAL *y) {
  for (long row = 0; row < rows; row++, x += channels, residual += hasResidual ? channels : 0, y += channels) {
    for (long c = 0; c < channels; c++) {
      const REAL v = scale[c] * (x[c] - mean[c]) + offset[c] + (hasResidual ? residual[c] : 0);
      y[c] = !rectifies || v > 0 ? v : 0;
    }
  }
}

OVERLOADED KERNEL void en_scale_channels(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  int rectifies, REAL *y) {
  if (residual && rectifies) scale_channels(rows, channels, mean, scale, offset, x, residual, 1, 1, y);
  else if (residual) scale_channels(rows, channels, mean, scale, offset, x, residual, 1, 0, y);
  else if (rectifies) scale_channels(rows, channels, mean, scale, offset, x, residual, 0, 1, y);
  else scale_channels(rows, channels, mean, scale, offset, x, residual, 0, 0, y);
}

INLINED OVERLOADED void batch_norm_backward(
  long rows, long channels, const REAL *mean, const REAL *p, const REAL *q, const REAL *r, const REAL *dy, const REAL *y,
  const int isRectified, const REAL *x, REAL *dx, REAL *dz, const int wantsDz) {
  for (long row = 0; row < rows; row++) {
    const long start = row * channels;
    for (long c = 0; c < channels; c++) {
      const REAL g = !isRectified || y[start + c] > 0 ? dy[start + c] : 0;
      if (wantsDz) dz[start + c] = g;
      dx[start + c] = p[c] * g + q[c] * (x[start + c] - mean[c]) + r[c];
    }
  }
}

OVERLOADED KERNEL void en_batch_norm_backward(
  long rows, long channels, const REAL *mean, const REAL *p, const REAL *q, const REAL *r, const REAL *dy, const REAL *y,
  const REAL *x, REAL *dx, REAL *dz) {
  if (y && dz) batch_norm_backward(rows, channels, mean, p, q, r, dy, y, 1, x, dx, dz, 1);
  else if (y) batch_norm_backward(rows, channels, mean, p, q, r, dy, y, 1, x, dx, dz, 0);
  else batch_norm_backward(rows, channels, mean, p, q, r, dy, y, 0, x, dx, dz, 0);
}
#undef INLINED
#undef FOR_EACH_TILE
