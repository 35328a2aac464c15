// MARK: F(4×4, 3×3)
//
// Each transform multiplies a tile by a small matrix on both sides. The rows of the first product are computed one or two at a
// time, common subexpressions once, and each is multiplied by the matrix on the other side before it is stored.

/// A row of Bᵀ d, times B, into its six components.
INLINED void NAMED(store_input_row)(const VECTOR *d, REAL *components, long component) {
  const VECTOR a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
  STORE(components, d[4] - 5 * d[2] + 4 * d[0]);
  STORE(components + component, a + b);
  STORE(components + 2 * component, a - b);
  STORE(components + 3 * component, c + e);
  STORE(components + 4 * component, c - e);
  STORE(components + 5 * component, d[5] - 5 * d[3] + 4 * d[1]);
}

/// Bᵀ d B of sixteen channels. `rows` are the first pixels of the six rows; `left` and `right` columns are outside of the image,
/// and 0.
INLINED void NAMED(input_4x4)(
  const REAL *const *rows, long channels, const long left, const long right, REAL *components, long component) {
#define D(row, column) LOAD(rows[row] + (column) * channels)
  VECTOR t[6] = {0}, u[6] = {0}, v[6] = {0};
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d2 = D(2, j), d4 = D(4, j), a = d4 - 4 * d2, b = D(3, j) - 4 * d1;
    t[j] = (a - d2) + 4 * D(0, j);
    u[j] = a + b;
    v[j] = a - b;
  }
  NAMED(store_input_row)(t, components, component);
  NAMED(store_input_row)(u, components + 6 * component, component);
  NAMED(store_input_row)(v, components + 12 * component, component);
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d3 = D(3, j), a = D(4, j) - D(2, j), b = d3 - d1;
    t[j] = a + 2 * b;
    u[j] = a - 2 * b;
    v[j] = D(5, j) - d3 - 4 * b;
  }
  NAMED(store_input_row)(t, components + 18 * component, component);
  NAMED(store_input_row)(u, components + 24 * component, component);
  NAMED(store_input_row)(v, components + 30 * component, component);
#undef D
}

/// A row of A dy, times Aᵀ, into its six components.
INLINED void NAMED(store_gradient_row)(const VECTOR *y, REAL *components, long component) {
  const VECTOR even = y[0] + y[2], odd = y[1] + y[3], even4 = y[0] + 4 * y[2], odd2 = 2 * y[1] + 8 * y[3];
  STORE(components, y[0]);
  STORE(components + component, even + odd);
  STORE(components + 2 * component, even - odd);
  STORE(components + 3 * component, even4 + odd2);
  STORE(components + 4 * component, even4 - odd2);
  STORE(components + 5 * component, y[3]);
}

/// A dy Aᵀ of sixteen channels of a tile of 4×4.
INLINED void NAMED(gradient_4x4)(const REAL *dy, long rowStride, long pixelStride, REAL *components, long component) {
#define Y(row, column) LOAD(dy + (row) * rowStride + (column) * pixelStride)
  VECTOR t[4], u[4];
  EACH(j, 0, 4) t[j] = Y(0, j);
  NAMED(store_gradient_row)(t, components, component);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + Y(2, j), odd = Y(1, j) + Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, components + 6 * component, component);
  NAMED(store_gradient_row)(u, components + 12 * component, component);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + 4 * Y(2, j), odd = 2 * Y(1, j) + 8 * Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, components + 18 * component, component);
  NAMED(store_gradient_row)(u, components + 24 * component, component);
  EACH(j, 0, 4) t[j] = Y(3, j);
  NAMED(store_gradient_row)(t, components + 30 * component, component);
#undef Y
}

/// The epilogue of sixteen channels of y; bias and residual point at the first.
INLINED void NAMED(finish)(const VECTOR *sums, EPILOGUE epilogue, REAL *y) {
  VECTOR v = *sums;
  if (epilogue.bias) v += LOAD(epilogue.bias);
  if (epilogue.residual) v += LOAD(epilogue.residual);
  if (epilogue.relu) EACH(i, 0, 16) v[i] = v[i] < 0 ? 0 : v[i];
  if (epilogue.relu == 6) EACH(i, 0, 16) v[i] = v[i] > 6 ? 6 : v[i];
  if (epilogue.nontemporal)
    __builtin_nontemporal_store(v, (LINE *)y);
  else
    STORE(y, v);
}
INLINED EPILOGUE NAMED(moved)(EPILOGUE epilogue, long offset) {
  if (epilogue.residual) epilogue.residual += offset;
  return epilogue;
}

/// A row of Aᵀ m, times A, into its four pixels.
INLINED void NAMED(store_output_row)(const VECTOR *m, EPILOGUE epilogue, REAL *y, long pixelStride) {
  const VECTOR a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  const VECTOR pixels[4] = {m[0] + a + c, b + 2 * d, a + 4 * c, b + 8 * d + m[5]};
  EACH(j, 0, 4) NAMED(finish)(pixels + j, NAMED(moved)(epilogue, j * pixelStride), y + j * pixelStride);
}

/// The epilogue of Aᵀ m A of sixteen channels.
INLINED void NAMED(output_4x4)(
  const REAL *components, long component, EPILOGUE epilogue, REAL *y, long rowStride, long pixelStride) {
#define M(row, column) LOAD(components + ((row) * 6 + (column)) * component)
  VECTOR t[6], u[6];
  EACH(j, 0, 6) {
    const VECTOR a = M(1, j) + M(2, j), c = M(3, j) + M(4, j);
    t[j] = M(0, j) + a + c;
    u[j] = a + 4 * c;
  }
  NAMED(store_output_row)(t, epilogue, y, pixelStride);
  NAMED(store_output_row)(u, NAMED(moved)(epilogue, 2 * rowStride), y + 2 * rowStride, pixelStride);
  EACH(j, 0, 6) {
    const VECTOR b = M(1, j) - M(2, j), d = M(3, j) - M(4, j);
    t[j] = b + 2 * d;
    u[j] = b + 8 * d + M(5, j);
  }
  NAMED(store_output_row)(t, NAMED(moved)(epilogue, rowStride), y + rowStride, pixelStride);
  NAMED(store_output_row)(u, NAMED(moved)(epilogue, 3 * rowStride), y + 3 * rowStride, pixelStride);
#undef M
}

// MARK: Images of 2×2
//
// Along one axis y₀ = w₁(x₀+x₁) + (w₂-w₁)x₁ and y₁ = w₁(x₀+x₁) + (w₀-w₁)x₀: three products for four.

INLINED void NAMED(input_2)(const VECTOR *x, long from, VECTOR *t, long to) {
  const VECTOR x0 = x[0], x1 = x[from];
  t[0] = x0 + x1;
  t[to] = x1;
  t[2 * to] = x0;
}
INLINED void NAMED(gradient_2)(const VECTOR *y, long from, VECTOR *t, long to) {
  const VECTOR y0 = y[0], y1 = y[from];
  t[0] = y0 + y1;
  t[to] = y0;
  t[2 * to] = y1;
}
INLINED void NAMED(output_2)(const VECTOR *m, long from, VECTOR *y, long to) {
  const VECTOR m0 = m[0], y0 = m0 + m[from], y1 = m0 + m[2 * from];
  y[0] = y0;
  y[to] = y1;
}

// MARK: Tiles

/// The position of a tile.
typedef struct {
  long image, top, left;
} NAMED(place);

INLINED NAMED(place) NAMED(place_of)(en_tiles tiles, long index, long side) {
  const long across = (tiles.width + side - 1) / side, down = (tiles.height + side - 1) / side;
  return (NAMED(place)){index / (across * down), index / across % down * side, index % across * side};
}

INLINED void NAMED(transform_2x2)(
  en_tiles tiles, long blocks, const REAL *x, en_component_layout layout, REAL *components,
  void (*along)(const VECTOR *, long, VECTOR *, long)) {
  for (long t = 0; t < tiles.count; t++) {
    const REAL *image = x + (tiles.first + t) * 4 * tiles.channels;
    for (long c = 0; c < blocks * 16; c += 16) {
      VECTOR d[4], half[6], all[9];
      EACH(i, 0, 4) d[i] = LOAD(image + i * tiles.channels + c);
      EACH(j, 0, 2) along(d + j, 2, half + j, 2);
      EACH(i, 0, 3) along(half + i * 2, 1, all + i * 3, 1);
      REAL *out = components + t * layout.tile + c / 16 * layout.block;
      EACH(i, 0, 9) STORE(out + i * layout.component, all[i]);
    }
  }
}

/// Copies the `side` by `side` pixels from `top`, `left` on, with zeros outside of the image.
INLINED void NAMED(copy_tile)(
  en_tiles tiles, const REAL *image, long top, long left, long side, long channel, long count, REAL *tile) {
  for (long i = 0; i < side; i++) {
    for (long j = 0; j < side; j++) {
      const long y = top + i, x = left + j;
      REAL *pixel = tile + (i * side + j) * count;
      if (y >= 0 && y < tiles.height && x >= 0 && x < tiles.width)
        memcpy(pixel, image + (y * tiles.width + x) * tiles.channels + channel, count * sizeof(REAL));
      else
        memset(pixel, 0, count * sizeof(REAL));
    }
  }
}

OVERLOADED KERNEL void en_winograd_input(
  en_tiles tiles, const REAL *x, en_component_layout layout, REAL *components, en_prefetch prefetch) {
  if (tiles.form == en_winograd_2x2) return NAMED(transform_2x2)(tiles, tiles.channels / 16, x, layout, components, NAMED(input_2));
  // The row above or below the image: six pixels of zeros.
  enum { zero_channels = 1024 };
  static const REAL zeros[6 * zero_channels] = {0};
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = x + place.image * tiles.height * line;
    const long top = place.top - 1, left = place.left - 1;
    const long below = top + 6 - tiles.height, outside = left + 6 - tiles.width;
    if (prefetch.bytes > 0) en_prefetch_part(prefetch, t, tiles.count, 1);
    const int isCopied = below > 1 || outside > 1 || channels > zero_channels;
    REAL *out = components + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *nextTile = x + next.image * tiles.height * line + (next.top + 1) * line + (next.left + 1) * channels;
    for (long c = 0; c < channels; c += 16) {
      REAL *block = out + c / 16 * layout.block;
      EACH(i, 0, 4) EACH(j, 0, 4) __builtin_prefetch(nextTile + i * line + j * channels + c, 0, 3);
      const REAL *rows[6];
      REAL copy[36 * 16];
      if (isCopied) {
        NAMED(copy_tile)(tiles, image, top, left, 6, c, 16, copy);
        EACH(i, 0, 6) rows[i] = copy + i * 6 * 16;
        NAMED(input_4x4)(rows, 16, 0, 0, block, layout.component);
        continue;
      }
      EACH(i, 0, 6) rows[i] = image + (top + i) * line + left * channels + c;
      if (top < 0) rows[0] = zeros;
      if (below == 1) rows[5] = zeros;
      if (left < 0 && outside == 1)
        NAMED(input_4x4)(rows, channels, 1, 1, block, layout.component);
      else if (left < 0)
        NAMED(input_4x4)(rows, channels, 1, 0, block, layout.component);
      else if (outside == 1)
        NAMED(input_4x4)(rows, channels, 0, 1, block, layout.component);
      else
        NAMED(input_4x4)(rows, channels, 0, 0, block, layout.component);
    }
  }
}

OVERLOADED KERNEL void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const REAL *dy, en_component_layout layout, REAL *components) {
  dy += firstBlock * 16;
  if (tiles.form == en_winograd_2x2) return NAMED(transform_2x2)(tiles, blocks, dy, layout, components, NAMED(gradient_2));
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = dy + place.image * tiles.height * line;
    const int isInside = place.top + 4 <= tiles.height && place.left + 4 <= tiles.width;
    const REAL *tile = image + place.top * line + place.left * channels;
    REAL *out = components + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *nextTile = dy + next.image * tiles.height * line + next.top * line + next.left * channels;
    for (long c = 0; c < blocks * 16; c += 16) {
      REAL *block = out + c / 16 * layout.block;
      EACH(i, 0, 4) EACH(j, 0, 4) __builtin_prefetch(nextTile + i * line + j * channels + c, 0, 3);
      REAL copy[16 * 16];
      if (isInside) {
        NAMED(gradient_4x4)(tile + c, line, channels, block, layout.component);
      } else {
        NAMED(copy_tile)(tiles, image, place.top, place.left, 4, c, 16, copy);
        NAMED(gradient_4x4)(copy, 4 * 16, 16, block, layout.component);
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const REAL *components, long component, REAL *sums, int adds) {
  const REAL *from = components + (form == en_winograd_4x4 ? 7 : 0) * component;
  VECTOR total = adds ? LOAD(sums) : (VECTOR){0};
  for (long t = 0; t < tiles; t++) total += LOAD(from + t * 16);
  STORE(sums, total);
}

/// Inlined for each kind of epilogue below.
INLINED void NAMED(output)(
  en_tiles tiles, long firstBlock, long blocks, en_component_layout layout, const REAL *components, EPILOGUE epilogue, REAL *y) {
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++, components += layout.tile) {
    const long side = tiles.form == en_winograd_4x4 ? 4 : 2;
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, side);
    const long start = (place.image * tiles.height + place.top) * line + place.left * channels + firstBlock * 16;
    const long rows = tiles.height - place.top < side ? tiles.height - place.top : side;
    const long columns = tiles.width - place.left < side ? tiles.width - place.left : side;
    for (long c = 0; c < blocks * 16; c += 16) {
      const REAL *from = components + c / 16 * layout.block;
      EPILOGUE tileEpilogue = NAMED(moved)(epilogue, start + c);
      if (epilogue.bias) tileEpilogue.bias += firstBlock * 16 + c;
      REAL *tile = y + start + c;
      if (tiles.form == en_winograd_2x2) {
        VECTOR m[9], half[6], all[4];
        EACH(i, 0, 9) m[i] = LOAD(from + i * layout.component);
        EACH(j, 0, 3) NAMED(output_2)(m + j, 3, half + j, 3);
        EACH(i, 0, 2) NAMED(output_2)(half + i * 3, 1, all + i * 2, 1);
        EACH(i, 0, 4) NAMED(finish)(all + i, NAMED(moved)(tileEpilogue, i * channels), tile + i * channels);
      } else if (rows == 4 && columns == 4) {
        NAMED(output_4x4)(from, layout.component, tileEpilogue, tile, line, channels);
      } else {
        REAL whole[16 * 16];
        NAMED(output_4x4)(from, layout.component, (EPILOGUE){0}, whole, 4 * 16, 16);
        for (long i = 0; i < rows; i++) {
          for (long j = 0; j < columns; j++) {
            const long pixel = i * line + j * channels;
            NAMED(finish)((const VECTOR *)(whole + (i * 4 + j) * 16), NAMED(moved)(tileEpilogue, pixel), tile + pixel);
          }
        }
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_component_layout layout, const REAL *components, EPILOGUE epilogue, REAL *y) {
  if (!epilogue.residual && !epilogue.relu && epilogue.nontemporal)
    NAMED(output)(tiles, firstBlock, blocks, layout, components, (EPILOGUE){.bias = epilogue.bias, .nontemporal = 1}, y);
  else if (epilogue.bias || epilogue.residual || epilogue.relu)
    NAMED(output)(
      tiles, firstBlock, blocks, layout, components, (EPILOGUE){epilogue.bias, epilogue.residual, epilogue.relu}, y);
  else
    NAMED(output)(tiles, firstBlock, blocks, layout, components, (EPILOGUE){0}, y);
}
