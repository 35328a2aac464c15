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

OVERLOADED KERNEL void en_channel_sums(long rows, long channels, const REAL *x, double *sums) {
  FOR_EACH_TILE({
    REAL s[tile] = {0};
    for (long row = first; row < last; row++) {
      const REAL *a = x + row * channels + c0;
      for (long c = 0; c < width; c++) s[c] += a[c];
    }
    for (long c = 0; c < width; c++) sums[c0 + c] += s[c];
  })
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

OVERLOADED KERNEL void en_channel_products(
  long rows, long channels, const REAL *shift, const REAL *dy, const REAL *x, double *sums, double *products) {
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const REAL *a = x + row * channels + c0, *g = dy + row * channels + c0;
      for (long c = 0; c < width; c++) {
        s[c] += g[c];
        q[c] += g[c] * (a[c] - shift[c0 + c]);
      }
    }
    for (long c = 0; c < width; c++) {
      sums[c0 + c] += s[c];
      products[c0 + c] += q[c];
    }
  })
}

OVERLOADED KERNEL void en_scale_channels(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, REAL *y) {
  for (long row = 0; row < rows; row++, x += channels, y += channels)
    for (long c = 0; c < channels; c++) y[c] = scale[c] * (x[c] - mean[c]) + offset[c];
}

OVERLOADED KERNEL void en_batch_norm_backward(
  long rows, long channels, const REAL *mean, const REAL *p, const REAL *q, const REAL *r, const REAL *dy, const REAL *x,
  REAL *dx) {
  for (long row = 0; row < rows; row++, x += channels, dy += channels, dx += channels)
    for (long c = 0; c < channels; c++) dx[c] = p[c] * dy[c] + q[c] * (x[c] - mean[c]) + r[c];
}
#undef FOR_EACH_TILE
