// Sums over a block of rows are in REAL, which vectorises and loses little; totals are in double. Channels are taken in tiles
// whose sums stay in registers, or for a partial tile in the first-level cache.
#define FOR_EACH_TILE(...)                                                   \
  enum { tile = 64, block = 128 };                                           \
  for (long first = 0; first < rows; first += block) {                       \
    const long last = first + block < rows ? first + block : rows;           \
    for (long c0 = 0; c0 < channels; c0 += tile) {                           \
      if (channels - c0 >= tile) {                                           \
        enum { width = tile };                                               \
        __VA_ARGS__                                                          \
      } else {                                                               \
        const long width = channels - c0;                                    \
        __VA_ARGS__                                                          \
      }                                                                      \
    }                                                                        \
  }

// Optional operands and the usual numbers of channels are constants wherever these functions are inlined.
#define INLINED static inline __attribute__((always_inline))
#define FOR_USUAL(channels, CALL) \
  switch (channels) {             \
  case 16: CALL(16); break;       \
  case 32: CALL(32); break;       \
  case 64: CALL(64); break;       \
  default: CALL(channels);        \
  }

INLINED OVERLOADED void channel_moments(
  long rows, const long channels, const REAL *shift, const REAL *x, double *sums, double *squares) {
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

OVERLOADED KERNEL void en_channel_moments(
  long rows, long channels, const REAL *shift, const REAL *x, double *sums, double *squares) {
#define MOMENTS(channels) channel_moments(rows, channels, shift, x, sums, squares)
  FOR_USUAL(channels, MOMENTS)
#undef MOMENTS
}

// dz: dy masked by the ReLU after the norm, whose output is y or recomputed.
#define MASKED(c)                                                                                                     \
  (relu == no_relu || (relu == relu_from_output ? y[start + c] : scale[c] * (x[start + c] - mean[c]) + offset[c]) > 0 \
     ? dy[start + c]                                                                                                  \
     : 0)

INLINED OVERLOADED void channel_products(
  long rows, const long channels, const int relu, const REAL *mean, const REAL *scale, const REAL *offset,
  const REAL *dy, const REAL *y, const REAL *x, double *sums, double *products, REAL *restrict dz, const int dzMode) {
  if (dzMode == dz_in_place) dy = dz;
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const long start = row * channels;
      if (dzMode && width >= 32) {
        // Separate loops for the steps: they vectorise where they are too long to be unrolled first.
        REAL g[tile];
        for (long c = 0; c < width; c++) g[c] = MASKED(c0 + c);
        for (long c = 0; c < width; c++) {
          s[c] += g[c];
          q[c] += g[c] * (x[start + c0 + c] - mean[c0 + c]);
        }
        for (long c = 0; c < width; c++) dz[start + c0 + c] = g[c];
        continue;
      }
      for (long c = 0; c < width; c++) {
        const REAL g = MASKED(c0 + c);
        if (dzMode) dz[start + c0 + c] = g;
        s[c] += g;
        q[c] += g * (x[start + c0 + c] - mean[c0 + c]);
      }
    }
    for (long c = 0; c < width; c++) {
      sums[c0 + c] += s[c];
      products[c0 + c] += q[c];
    }
  })
}

OVERLOADED KERNEL void en_channel_products(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *dy, const REAL *y,
  const REAL *x, double *sums, double *products, REAL *dz) {
  const int relu = y ? relu_from_output : scale ? relu_recomputed : no_relu;
  const int dzMode = !dz ? dz_none : dz == dy ? dz_in_place : dz_apart;
#define PRODUCTS_AFTER(relu, channels, dzMode) \
  channel_products(rows, channels, relu, mean, scale, offset, dy, y, x, sums, products, dz, dzMode)
#define PRODUCTS(channels)                                                                                   \
  if (relu == relu_from_output && dzMode == dz_in_place)                                                   \
    PRODUCTS_AFTER(relu_from_output, channels, dz_in_place);                                                \
  else if (relu == relu_from_output && dzMode) PRODUCTS_AFTER(relu_from_output, channels, dz_apart);     \
  else if (relu == relu_from_output) PRODUCTS_AFTER(relu_from_output, channels, dz_none);                  \
  else if (relu == relu_recomputed) PRODUCTS_AFTER(relu_recomputed, channels, dz_none);                          \
  else PRODUCTS_AFTER(no_relu, channels, dz_none)
  FOR_USUAL(channels, PRODUCTS)
#undef PRODUCTS
#undef PRODUCTS_AFTER
}

INLINED OVERLOADED void scale_channels(
  long rows, const long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  const int hasResidual, const int relu, REAL *restrict y) {
  for (long row = 0; row < rows; row++, x += channels, residual += hasResidual ? channels : 0, y += channels) {
    for (long c = 0; c < channels; c++) {
      const REAL v = scale[c] * (x[c] - mean[c]) + offset[c] + (hasResidual ? residual[c] : 0);
      y[c] = relu && v < 0 ? 0 : v;
    }
  }
}

OVERLOADED KERNEL void en_scale_channels(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  int relu, REAL *y) {
#define SCALE_AND(channels, hasResidual, relu) \
  scale_channels(rows, channels, mean, scale, offset, x, residual, hasResidual, relu, y)
#define SCALE(channels)                                      \
  if (residual && relu) SCALE_AND(channels, 1, 1);      \
  else if (residual) SCALE_AND(channels, 1, 0);              \
  else if (relu) SCALE_AND(channels, 0, 1);             \
  else SCALE_AND(channels, 0, 0)
  FOR_USUAL(channels, SCALE)
#undef SCALE
#undef SCALE_AND
}

INLINED OVERLOADED void batch_norm_backward(
  long rows, const long channels, const int relu, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *p,
  const REAL *q, const REAL *r, const REAL *dy, const REAL *y, const REAL *x, REAL *restrict dx) {
  for (long row = 0; row < rows; row++) {
    const long start = row * channels;
    for (long c = 0; c < channels; c++) {
      const REAL g = MASKED(c);
      dx[start + c] = p[c] * g + q[c] * (x[start + c] - mean[c]) + r[c];
    }
  }
}

OVERLOADED KERNEL void en_batch_norm_backward(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *p, const REAL *q,
  const REAL *r, const REAL *dy, const REAL *y, const REAL *x, REAL *dx) {
#define BACKWARD_AFTER(relu, channels) \
  batch_norm_backward(rows, channels, relu, mean, scale, offset, p, q, r, dy, y, x, dx)
#define BACKWARD(channels)                               \
  if (y) BACKWARD_AFTER(relu_from_output, channels);       \
  else if (scale) BACKWARD_AFTER(relu_recomputed, channels);  \
  else BACKWARD_AFTER(no_relu, channels)
  FOR_USUAL(channels, BACKWARD)
#undef BACKWARD
#undef BACKWARD_AFTER
}
#undef MASKED
#undef INLINED
#undef FOR_USUAL
#undef FOR_EACH_TILE
