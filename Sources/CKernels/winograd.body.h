// MARK: F(4×4, 3×3)
//
// Each transform is a small matrix on both sides of a tile. The rows of the result come out one or two at a time, with what
// two of them share computed once, and each goes through the same matrix again, along the row, on its way to memory.

/// A row of Bᵀ d, times B, into its six planes.
INLINED void NAMED(store_input_row)(const VECTOR *d, REAL *planes, long plane) {
  const VECTOR a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
  STORE(planes, d[4] - 5 * d[2] + 4 * d[0]);
  STORE(planes + plane, a + b);
  STORE(planes + 2 * plane, a - b);
  STORE(planes + 3 * plane, c + e);
  STORE(planes + 4 * plane, c - e);
  STORE(planes + 5 * plane, d[5] - 5 * d[3] + 4 * d[1]);
}

/// Bᵀ d B of sixteen channels. The six rows are given by their first pixel; `left` and `right` columns are outside, and 0.
INLINED void NAMED(input_4x4)(
  const REAL *const *rows, long channels, const long left, const long right, REAL *planes, long plane) {
#define D(row, column) LOAD(rows[row] + (column) * channels)
  VECTOR t[6] = {0}, u[6] = {0}, v[6] = {0};
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d2 = D(2, j), d4 = D(4, j), a = d4 - 4 * d2, b = D(3, j) - 4 * d1;
    t[j] = (a - d2) + 4 * D(0, j);
    u[j] = a + b;
    v[j] = a - b;
  }
  NAMED(store_input_row)(t, planes, plane);
  NAMED(store_input_row)(u, planes + 6 * plane, plane);
  NAMED(store_input_row)(v, planes + 12 * plane, plane);
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d3 = D(3, j), a = D(4, j) - D(2, j), b = d3 - d1;
    t[j] = a + 2 * b;
    u[j] = a - 2 * b;
    v[j] = D(5, j) - d3 - 4 * b;
  }
  NAMED(store_input_row)(t, planes + 18 * plane, plane);
  NAMED(store_input_row)(u, planes + 24 * plane, plane);
  NAMED(store_input_row)(v, planes + 30 * plane, plane);
#undef D
}

/// A row of A dy, times Aᵀ, into its six planes.
INLINED void NAMED(store_gradient_row)(const VECTOR *y, REAL *planes, long plane) {
  const VECTOR even = y[0] + y[2], odd = y[1] + y[3], even4 = y[0] + 4 * y[2], odd2 = 2 * y[1] + 8 * y[3];
  STORE(planes, y[0]);
  STORE(planes + plane, even + odd);
  STORE(planes + 2 * plane, even - odd);
  STORE(planes + 3 * plane, even4 + odd2);
  STORE(planes + 4 * plane, even4 - odd2);
  STORE(planes + 5 * plane, y[3]);
}

/// A dy Aᵀ of sixteen channels of a tile of 4×4.
INLINED void NAMED(gradient_4x4)(const REAL *dy, long rowStride, long pixelStride, REAL *planes, long plane) {
#define Y(row, column) LOAD(dy + (row) * rowStride + (column) * pixelStride)
  VECTOR t[4], u[4];
  EACH(j, 0, 4) t[j] = Y(0, j);
  NAMED(store_gradient_row)(t, planes, plane);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + Y(2, j), odd = Y(1, j) + Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, planes + 6 * plane, plane);
  NAMED(store_gradient_row)(u, planes + 12 * plane, plane);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + 4 * Y(2, j), odd = 2 * Y(1, j) + 8 * Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, planes + 18 * plane, plane);
  NAMED(store_gradient_row)(u, planes + 24 * plane, plane);
  EACH(j, 0, 4) t[j] = Y(3, j);
  NAMED(store_gradient_row)(t, planes + 30 * plane, plane);
#undef Y
}

/// The epilogue of sixteen channels of y, whose bias and residual are given by their first.
INLINED void NAMED(finish)(const VECTOR *sums, EPILOGUE epilogue, REAL *y) {
  VECTOR v = *sums;
  if (epilogue.bias) v += LOAD(epilogue.bias);
  if (epilogue.residual) v += LOAD(epilogue.residual);
  if (epilogue.rectifies) EACH(i, 0, 16) v[i] = v[i] < 0 ? 0 : v[i];
  if (epilogue.streams)
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
  const REAL *planes, long plane, EPILOGUE epilogue, REAL *y, long rowStride, long pixelStride) {
#define M(row, column) LOAD(planes + ((row) * 6 + (column)) * plane)
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

/// Where a tile lies.
typedef struct {
  long image, top, left;
} NAMED(place);

INLINED NAMED(place) NAMED(place_of)(en_tiles tiles, long index, long side) {
  const long across = (tiles.width + side - 1) / side, down = (tiles.height + side - 1) / side;
  return (NAMED(place)){index / (across * down), index / across % down * side, index % across * side};
}

INLINED void NAMED(transform_2x2)(
  en_tiles tiles, long blocks, const REAL *x, en_plane_layout layout, REAL *planes,
  void (*along)(const VECTOR *, long, VECTOR *, long)) {
  for (long t = 0; t < tiles.count; t++) {
    const REAL *image = x + (tiles.first + t) * 4 * tiles.channels;
    for (long c = 0; c < blocks * 16; c += 16) {
      VECTOR d[4], half[6], all[9];
      EACH(i, 0, 4) d[i] = LOAD(image + i * tiles.channels + c);
      EACH(j, 0, 2) along(d + j, 2, half + j, 2);
      EACH(i, 0, 3) along(half + i * 2, 1, all + i * 3, 1);
      REAL *out = planes + t * layout.tile + c / 16 * layout.block;
      EACH(i, 0, 9) STORE(out + i * layout.plane, all[i]);
    }
  }
}

/// The tile's pixels, `side` by `side` from `top`, `left` on, with zeros where they are outside of the image.
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
  en_tiles tiles, const REAL *x, en_plane_layout layout, REAL *planes, en_ahead ahead) {
  if (tiles.form == en_winograd_2x2) return NAMED(transform_2x2)(tiles, tiles.channels / 16, x, layout, planes, NAMED(input_2));
  // Where a row above or below the image is read: six pixels of nothing.
  enum { zero_channels = 1024 };
  static const REAL zeros[6 * zero_channels] = {0};
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = x + place.image * tiles.height * line;
    const long top = place.top - 1, left = place.left - 1;
    const long below = top + 6 - tiles.height, outside = left + 6 - tiles.width;
    if (ahead.bytes > 0) en_bring_near(ahead, t, tiles.count, 1);
    const int isCopied = below > 1 || outside > 1 || channels > zero_channels;
    REAL *out = planes + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *soon = x + next.image * tiles.height * line + (next.top + 1) * line + (next.left + 1) * channels;
    for (long c = 0; c < channels; c += 16) {
      REAL *block = out + c / 16 * layout.block;
      EACH(i, 0, 4) EACH(j, 0, 4) __builtin_prefetch(soon + i * line + j * channels + c, 0, 3);
      const REAL *rows[6];
      REAL copy[36 * 16];
      if (isCopied) {
        NAMED(copy_tile)(tiles, image, top, left, 6, c, 16, copy);
        EACH(i, 0, 6) rows[i] = copy + i * 6 * 16;
        NAMED(input_4x4)(rows, 16, 0, 0, block, layout.plane);
        continue;
      }
      EACH(i, 0, 6) rows[i] = image + (top + i) * line + left * channels + c;
      if (top < 0) rows[0] = zeros;
      if (below == 1) rows[5] = zeros;
      if (left < 0 && outside == 1)
        NAMED(input_4x4)(rows, channels, 1, 1, block, layout.plane);
      else if (left < 0)
        NAMED(input_4x4)(rows, channels, 1, 0, block, layout.plane);
      else if (outside == 1)
        NAMED(input_4x4)(rows, channels, 0, 1, block, layout.plane);
      else
        NAMED(input_4x4)(rows, channels, 0, 0, block, layout.plane);
    }
  }
}

OVERLOADED KERNEL void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const REAL *dy, en_plane_layout layout, REAL *planes) {
  dy += firstBlock * 16;
  if (tiles.form == en_winograd_2x2) return NAMED(transform_2x2)(tiles, blocks, dy, layout, planes, NAMED(gradient_2));
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = dy + place.image * tiles.height * line;
    const int isInside = place.top + 4 <= tiles.height && place.left + 4 <= tiles.width;
    const REAL *tile = image + place.top * line + place.left * channels;
    REAL *out = planes + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *soon = dy + next.image * tiles.height * line + next.top * line + next.left * channels;
    for (long c = 0; c < blocks * 16; c += 16) {
      REAL *block = out + c / 16 * layout.block;
      EACH(i, 0, 4) EACH(j, 0, 4) __builtin_prefetch(soon + i * line + j * channels + c, 0, 3);
      REAL copy[16 * 16];
      if (isInside) {
        NAMED(gradient_4x4)(tile + c, line, channels, block, layout.plane);
      } else {
        NAMED(copy_tile)(tiles, image, place.top, place.left, 4, c, 16, copy);
        NAMED(gradient_4x4)(copy, 4 * 16, 16, block, layout.plane);
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const REAL *planes, long plane, REAL *sums, int adds) {
  const REAL *from = planes + (form == en_winograd_4x4 ? 7 : 0) * plane;
  VECTOR total = adds ? LOAD(sums) : (VECTOR){0};
  for (long t = 0; t < tiles; t++) total += LOAD(from + t * 16);
  STORE(sums, total);
}

/// Inlined for each of the epilogues that are told apart below.
INLINED void NAMED(output)(
  en_tiles tiles, long firstBlock, long blocks, en_plane_layout layout, const REAL *planes, EPILOGUE epilogue, REAL *y) {
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++, planes += layout.tile) {
    const long side = tiles.form == en_winograd_4x4 ? 4 : 2;
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, side);
    const long start = (place.image * tiles.height + place.top) * line + place.left * channels + firstBlock * 16;
    const long rows = tiles.height - place.top < side ? tiles.height - place.top : side;
    const long columns = tiles.width - place.left < side ? tiles.width - place.left : side;
    for (long c = 0; c < blocks * 16; c += 16) {
      const REAL *from = planes + c / 16 * layout.block;
      EPILOGUE here = NAMED(moved)(epilogue, start + c);
      if (epilogue.bias) here.bias += firstBlock * 16 + c;
      REAL *tile = y + start + c;
      if (tiles.form == en_winograd_2x2) {
        VECTOR m[9], half[6], all[4];
        EACH(i, 0, 9) m[i] = LOAD(from + i * layout.plane);
        EACH(j, 0, 3) NAMED(output_2)(m + j, 3, half + j, 3);
        EACH(i, 0, 2) NAMED(output_2)(half + i * 3, 1, all + i * 2, 1);
        EACH(i, 0, 4) NAMED(finish)(all + i, NAMED(moved)(here, i * channels), tile + i * channels);
      } else if (rows == 4 && columns == 4) {
        NAMED(output_4x4)(from, layout.plane, here, tile, line, channels);
      } else {
        REAL whole[16 * 16];
        NAMED(output_4x4)(from, layout.plane, (EPILOGUE){0}, whole, 4 * 16, 16);
        for (long i = 0; i < rows; i++) {
          for (long j = 0; j < columns; j++) {
            const long pixel = i * line + j * channels;
            NAMED(finish)((const VECTOR *)(whole + (i * 4 + j) * 16), NAMED(moved)(here, pixel), tile + pixel);
          }
        }
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_plane_layout layout, const REAL *planes, EPILOGUE epilogue, REAL *y) {
  if (!epilogue.residual && !epilogue.rectifies && epilogue.streams)
    NAMED(output)(tiles, firstBlock, blocks, layout, planes, (EPILOGUE){.bias = epilogue.bias, .streams = 1}, y);
  else if (epilogue.bias || epilogue.residual || epilogue.rectifies)
    NAMED(output)(
      tiles, firstBlock, blocks, layout, planes, (EPILOGUE){epilogue.bias, epilogue.residual, epilogue.rectifies}, y);
  else
    NAMED(output)(tiles, firstBlock, blocks, layout, planes, (EPILOGUE){0}, y);
}
