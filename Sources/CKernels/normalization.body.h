// Sums over a block of rows are taken in REAL, where they vectorise and lose little, and totals in double.
// Channels are taken in tiles whose sums stay in registers, or where the tile is not a whole one in the first-level cache.
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

// What is optional, and the usual numbers of channels, are constants wherever these are inlined.
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

// A ReLU that follows lets dy through where its output y is positive, or, without y, where it would be once more.
#define PASSED(c)                                                                                                     \
  (relu == no_relu || (relu == relu_by_output ? y[start + c] : scale[c] * (x[start + c] - mean[c]) + offset[c]) > 0 \
     ? dy[start + c]                                                                                                  \
     : 0)

INLINED OVERLOADED void channel_products(
  long rows, const long channels, const int relu, const REAL *mean, const REAL *scale, const REAL *offset,
  const REAL *dy, const REAL *y, const REAL *x, double *sums, double *products, REAL *restrict dz, const int keeping) {
  if (keeping == keeps_in_place) dy = dz;
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const long start = row * channels;
      if (keeping && width >= 32) {
        // A loop of its own for each step, which vectorise where they are not so short that they are unrolled before.
        REAL g[tile];
        for (long c = 0; c < width; c++) g[c] = PASSED(c0 + c);
        for (long c = 0; c < width; c++) {
          s[c] += g[c];
          q[c] += g[c] * (x[start + c0 + c] - mean[c0 + c]);
        }
        for (long c = 0; c < width; c++) dz[start + c0 + c] = g[c];
        continue;
      }
      for (long c = 0; c < width; c++) {
        const REAL g = PASSED(c0 + c);
        if (keeping) dz[start + c0 + c] = g;
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
  const int relu = y ? relu_by_output : scale ? relu_again : no_relu;
  const int keeping = !dz ? keeps_nothing : dz == dy ? keeps_in_place : keeps_elsewhere;
#define PRODUCTS_AFTER(relu, channels, keeping) \
  channel_products(rows, channels, relu, mean, scale, offset, dy, y, x, sums, products, dz, keeping)
#define PRODUCTS(channels)                                                                                   \
  if (relu == relu_by_output && keeping == keeps_in_place)                                                   \
    PRODUCTS_AFTER(relu_by_output, channels, keeps_in_place);                                                \
  else if (relu == relu_by_output && keeping) PRODUCTS_AFTER(relu_by_output, channels, keeps_elsewhere);     \
  else if (relu == relu_by_output) PRODUCTS_AFTER(relu_by_output, channels, keeps_nothing);                  \
  else if (relu == relu_again) PRODUCTS_AFTER(relu_again, channels, keeps_nothing);                          \
  else PRODUCTS_AFTER(no_relu, channels, keeps_nothing)
  FOR_USUAL(channels, PRODUCTS)
#undef PRODUCTS
#undef PRODUCTS_AFTER
}

INLINED OVERLOADED void scale_channels(
  long rows, const long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  const int hasResidual, const int rectifies, REAL *restrict y) {
  for (long row = 0; row < rows; row++, x += channels, residual += hasResidual ? channels : 0, y += channels) {
    for (long c = 0; c < channels; c++) {
      const REAL v = scale[c] * (x[c] - mean[c]) + offset[c] + (hasResidual ? residual[c] : 0);
      y[c] = rectifies && v < 0 ? 0 : v;
    }
  }
}

OVERLOADED KERNEL void en_scale_channels(
  long rows, long channels, const REAL *mean, const REAL *scale, const REAL *offset, const REAL *x, const REAL *residual,
  int rectifies, REAL *y) {
#define SCALE_AND(channels, hasResidual, rectifies) \
  scale_channels(rows, channels, mean, scale, offset, x, residual, hasResidual, rectifies, y)
#define SCALE(channels)                                      \
  if (residual && rectifies) SCALE_AND(channels, 1, 1);      \
  else if (residual) SCALE_AND(channels, 1, 0);              \
  else if (rectifies) SCALE_AND(channels, 0, 1);             \
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
      const REAL g = PASSED(c);
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
  if (y) BACKWARD_AFTER(relu_by_output, channels);       \
  else if (scale) BACKWARD_AFTER(relu_again, channels);  \
  else BACKWARD_AFTER(no_relu, channels)
  FOR_USUAL(channels, BACKWARD)
#undef BACKWARD
#undef BACKWARD_AFTER
}
#undef PASSED
#undef INLINED
#undef FOR_USUAL
#undef FOR_EACH_TILE
