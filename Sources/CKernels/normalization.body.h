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
  assert(rows >= 0 && channels >= 0 && EN_HAS(shift, channels) && EN_HAS(x, rows * channels));
  assert(EN_HAS(sums, channels) && EN_HAS(squares, channels));
#define MOMENTS(channels) channel_moments(rows, channels, shift, x, sums, squares)
  FOR_USUAL(channels, MOMENTS)
#undef MOMENTS
}

// dz: dy masked by the ReLU after the norm, whose output is y or recomputed.
#define MASKED(c)                                                                             \
  (relu == no_relu                                                                            \
       || (relu == relu_from_output ? g.y[start + c]                                          \
                                    : g.scale[c] * (g.x[start + c] - g.mean[c]) + g.offset[c]) \
         > 0                                                                                  \
     ? g.dy[start + c]                                                                        \
     : 0)

#ifndef NDEBUG
static OVERLOADED void check_gradient(GRADIENT g) {
  assert(g.rows >= 0 && g.channels >= 0 && EN_HAS(g.mean, g.channels));
  assert(EN_HAS(g.dy, g.rows * g.channels) && EN_HAS(g.x, g.rows * g.channels));
  assert(!g.scale == !g.offset);
}
#endif

INLINED OVERLOADED void channel_products(
  GRADIENT g, const long channels, const int relu, const int dzMode, double *sums, double *products, REAL *restrict dz) {
  const long rows = g.rows;
  if (dzMode == dz_in_place) g.dy = dz;
  FOR_EACH_TILE({
    REAL s[tile] = {0}, q[tile] = {0};
    for (long row = first; row < last; row++) {
      const long start = row * channels;
      if (dzMode && width >= 32) {
        // Separate loops for the steps: they vectorise where they are too long to be unrolled first.
        REAL d[tile];
        for (long c = 0; c < width; c++) d[c] = MASKED(c0 + c);
        for (long c = 0; c < width; c++) {
          s[c] += d[c];
          q[c] += d[c] * (g.x[start + c0 + c] - g.mean[c0 + c]);
        }
        for (long c = 0; c < width; c++) dz[start + c0 + c] = d[c];
        continue;
      }
      for (long c = 0; c < width; c++) {
        const REAL d = MASKED(c0 + c);
        if (dzMode) dz[start + c0 + c] = d;
        s[c] += d;
        q[c] += d * (g.x[start + c0 + c] - g.mean[c0 + c]);
      }
    }
    for (long c = 0; c < width; c++) {
      sums[c0 + c] += s[c];
      products[c0 + c] += q[c];
    }
  })
}

OVERLOADED KERNEL void en_channel_products(GRADIENT g, double *sums, double *products, REAL *dz) {
#ifndef NDEBUG
  check_gradient(g);
  assert(EN_HAS(sums, g.channels) && EN_HAS(products, g.channels));
#endif
  const int relu = g.y ? relu_from_output : g.scale ? relu_recomputed : no_relu;
  const int dzMode = !dz ? dz_none : dz == g.dy ? dz_in_place : dz_apart;
#define PRODUCTS_AFTER(relu, channels, dzMode) channel_products(g, channels, relu, dzMode, sums, products, dz)
#define PRODUCTS(channels)                                                                               \
  if (relu == relu_from_output && dzMode == dz_in_place)                                                 \
    PRODUCTS_AFTER(relu_from_output, channels, dz_in_place);                                             \
  else if (relu == relu_from_output && dzMode) PRODUCTS_AFTER(relu_from_output, channels, dz_apart);     \
  else if (relu == relu_from_output) PRODUCTS_AFTER(relu_from_output, channels, dz_none);                \
  else if (relu == relu_recomputed) PRODUCTS_AFTER(relu_recomputed, channels, dz_none);                  \
  else PRODUCTS_AFTER(no_relu, channels, dz_none)
  FOR_USUAL(g.channels, PRODUCTS)
#undef PRODUCTS
#undef PRODUCTS_AFTER
}

// y[c] = result for each channel; lines that `streams` are computed in registers and stored past the caches.
#define EACH_CHANNEL(channels, streams, y, result, ...)                                     \
  if (streams) {                                                                            \
    for (long line = 0; line < channels; line += 16) {                                      \
      REAL results[16];                                                                     \
      VECTORIZED                                                                            \
      for (long lane = 0; lane < 16; lane++) {                                              \
        const long c = line + lane;                                                         \
        __VA_ARGS__;                                                                        \
        results[lane] = result;                                                             \
      }                                                                                     \
      __builtin_nontemporal_store(LOAD(results), (LINE *)(y + line));                       \
    }                                                                                       \
  } else {                                                                                  \
    for (long c = 0; c < channels; c++) {                                                   \
      __VA_ARGS__;                                                                          \
      y[c] = result;                                                                        \
    }                                                                                       \
  }
#define MAY_STREAM(channels, y) ((channels) % 16 == 0 && EN_IS_ALIGNED(y, 64))

INLINED OVERLOADED void scale_channels(
  NORM n, const long channels, const int hasResidual, const int relu, const int streams, REAL *restrict y) {
  for (long row = 0; row < n.rows; row++) {
    EACH_CHANNEL(
      channels, streams, y, relu && v < 0 ? 0 : v,
      const REAL v = n.scale[c] * (n.x[c] - n.mean[c]) + n.offset[c] + (hasResidual ? n.residual[c] : 0))
    n.x += channels;
    if (hasResidual) n.residual += channels;
    y += channels;
  }
}

OVERLOADED KERNEL void en_scale_channels(NORM n, REAL *y) {
  assert(n.rows >= 0 && n.channels >= 0 && EN_HAS(n.x, n.rows * n.channels) && EN_HAS(y, n.rows * n.channels));
  assert(EN_HAS(n.mean, n.channels) && EN_HAS(n.scale, n.channels) && EN_HAS(n.offset, n.channels));
  const int streams = n.streams && MAY_STREAM(n.channels, y);
#define SCALE_AND(channels, hasResidual, relu)                           \
  if (streams) scale_channels(n, channels, hasResidual, relu, 1, y);     \
  else scale_channels(n, channels, hasResidual, relu, 0, y)
#define SCALE(channels)                                   \
  if (n.residual && n.relu) {                             \
    SCALE_AND(channels, 1, 1);                            \
  } else if (n.residual) {                                \
    SCALE_AND(channels, 1, 0);                            \
  } else if (n.relu) {                                    \
    SCALE_AND(channels, 0, 1);                            \
  } else {                                                \
    SCALE_AND(channels, 0, 0);                            \
  }
  FOR_USUAL(n.channels, SCALE)
#undef SCALE
#undef SCALE_AND
}

INLINED OVERLOADED void batch_norm_backward(
  GRADIENT g, const long channels, const int relu, const REAL *p, const REAL *q, const REAL *r, const int streams,
  REAL *restrict dx) {
  for (long row = 0; row < g.rows; row++) {
    const long start = row * channels;
    EACH_CHANNEL(
      channels, streams, dx, p[c] * d + q[c] * (g.x[start + c] - g.mean[c]) + r[c], const REAL d = MASKED(c))
    dx += channels;
  }
}

OVERLOADED KERNEL void en_batch_norm_backward(
  GRADIENT g, const REAL *p, const REAL *q, const REAL *r, int streams, REAL *dx) {
#ifndef NDEBUG
  check_gradient(g);
  assert(EN_HAS(p, g.channels) && EN_HAS(q, g.channels) && EN_HAS(r, g.channels) && EN_HAS(dx, g.rows * g.channels));
#endif
  streams = streams && MAY_STREAM(g.channels, dx);
#define BACKWARD_AFTER(relu, channels)                                   \
  if (streams) batch_norm_backward(g, channels, relu, p, q, r, 1, dx);   \
  else batch_norm_backward(g, channels, relu, p, q, r, 0, dx)
#define BACKWARD(channels)                                      \
  if (g.y) {                                                    \
    BACKWARD_AFTER(relu_from_output, channels);                 \
  } else if (g.scale) {                                         \
    BACKWARD_AFTER(relu_recomputed, channels);                  \
  } else {                                                      \
    BACKWARD_AFTER(no_relu, channels);                          \
  }
  FOR_USUAL(g.channels, BACKWARD)
#undef BACKWARD
#undef BACKWARD_AFTER
}
#undef MASKED
#undef EACH_CHANNEL
#undef MAY_STREAM
#undef FOR_USUAL
#undef FOR_EACH_TILE
