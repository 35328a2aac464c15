// The transforms of Winograd's filtering, over tiles of images.

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

/// Copies sixteen channels of the `side` by `side` pixels from `top`, `left` on, with zeros outside of the image.
INLINED void NAMED(copy_tile)(
  en_tiles tiles, const REAL *image, long top, long left, long side, REAL *tile) {
  for (long i = 0; i < side; i++) {
    for (long j = 0; j < side; j++) {
      const long y = top + i, x = left + j;
      REAL *pixel = tile + (i * side + j) * 16;
      if (y >= 0 && y < tiles.height && x >= 0 && x < tiles.width)
        memcpy(pixel, image + (y * tiles.width + x) * tiles.channels, 16 * sizeof(REAL));
      else
        memset(pixel, 0, 16 * sizeof(REAL));
    }
  }
}

#ifndef NDEBUG
static void NAMED(check_tiles)(
  en_tiles tiles, const REAL *pixels, en_component_layout layout, const REAL *components, long blocks) {
  const long side = tiles.form == en_winograd_4x4 ? 4 : 2;
  assert(tiles.form == en_winograd_4x4 || tiles.form == en_winograd_2x2);
  assert(tiles.height > 0 && tiles.width > 0 && tiles.channels > 0 && tiles.channels % 16 == 0);
  assert(tiles.form == en_winograd_4x4 || (tiles.height == side && tiles.width == side));
  assert(tiles.first >= 0 && tiles.count >= 0 && blocks >= 0 && blocks * 16 <= tiles.channels);
  // A tile's blocks lie side by side, or each block has all of its tiles side by side.
  assert(layout.tile >= 16 && layout.block >= 16 && layout.component >= layout.tile * tiles.count);
  assert(EN_HAS(pixels, tiles.count) && EN_HAS(components, tiles.count));
}
#define CHECK_TILES(...) NAMED(check_tiles)(__VA_ARGS__)
#else
#define CHECK_TILES(...)
#endif

/// Prefetches sixteen channels of the 4×4 pixels at `tile`.
INLINED void NAMED(prefetch_tile)(const REAL *tile, long line, long channels) {
  EACH(i, 0, 4) EACH(j, 0, 4) __builtin_prefetch(tile + i * line + j * channels, 0, 3);
}

// More channels than these take a copy at an image's edge: the row above or below it is read from so many zeros.
enum { NAMED(zero_channels) = 1024 };
static const REAL NAMED(zeros)[6 * NAMED(zero_channels)] = {0};

/// The components of sixteen channels of the tile whose 6×6 pixels begin at `top`, `left`; `image` begins with these channels.
INLINED void NAMED(input_block)(
  en_tiles tiles, const REAL *image, long top, long left, REAL *components, long component) {
  const long channels = tiles.channels, line = tiles.width * channels;
  const long below = top + 6 - tiles.height, outside = left + 6 - tiles.width;
  const REAL *rows[6];
  REAL copy[36 * 16];
  if (below > 1 || outside > 1 || channels > NAMED(zero_channels)) {
    NAMED(copy_tile)(tiles, image, top, left, 6, copy);
    EACH(i, 0, 6) rows[i] = copy + i * 6 * 16;
    NAMED(input_4x4)(rows, 16, 0, 0, components, component);
    return;
  }
  EACH(i, 0, 6) rows[i] = image + (top + i) * line + left * channels;
  if (top < 0) rows[0] = NAMED(zeros);
  if (below == 1) rows[5] = NAMED(zeros);
  if (left < 0 && outside == 1)
    NAMED(input_4x4)(rows, channels, 1, 1, components, component);
  else if (left < 0)
    NAMED(input_4x4)(rows, channels, 1, 0, components, component);
  else if (outside == 1)
    NAMED(input_4x4)(rows, channels, 0, 1, components, component);
  else
    NAMED(input_4x4)(rows, channels, 0, 0, components, component);
}

OVERLOADED KERNEL void en_winograd_input(
  en_tiles tiles, const REAL *x, en_component_layout layout, REAL *components, en_prefetch prefetch) {
  CHECK_TILES(tiles, x, layout, components, tiles.channels / 16);
  if (tiles.form == en_winograd_2x2)
    return NAMED(transform_2x2)(tiles, tiles.channels / 16, x, layout, components, NAMED(input_2));
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = x + place.image * tiles.height * line;
    if (prefetch.bytes > 0) en_prefetch_part(prefetch, t, tiles.count, 1);
    REAL *out = components + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *nextTile = x + next.image * tiles.height * line + (next.top + 1) * line + (next.left + 1) * channels;
    for (long c = 0; c < channels; c += 16) {
      NAMED(prefetch_tile)(nextTile + c, line, channels);
      NAMED(input_block)(
        tiles, image + c, place.top - 1, place.left - 1, out + c / 16 * layout.block, layout.component);
    }
  }
}

OVERLOADED KERNEL void en_winograd_output_gradient(
  en_tiles tiles, en_channel_blocks blocks, const REAL *dy, en_component_layout layout, REAL *components) {
  CHECK_TILES(tiles, dy, layout, components, blocks.first + blocks.count);
  dy += blocks.first * 16;
  if (tiles.form == en_winograd_2x2)
    return NAMED(transform_2x2)(tiles, blocks.count, dy, layout, components, NAMED(gradient_2));
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++) {
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, 4);
    const REAL *image = dy + place.image * tiles.height * line;
    const int isInside = place.top + 4 <= tiles.height && place.left + 4 <= tiles.width;
    const REAL *tile = image + place.top * line + place.left * channels;
    REAL *out = components + t * layout.tile;
    const NAMED(place) next = NAMED(place_of)(tiles, tiles.first + t + 1, 4);
    const REAL *nextTile = dy + next.image * tiles.height * line + next.top * line + next.left * channels;
    for (long c = 0; c < blocks.count * 16; c += 16) {
      REAL *block = out + c / 16 * layout.block;
      NAMED(prefetch_tile)(nextTile + c, line, channels);
      REAL copy[16 * 16];
      if (isInside) {
        NAMED(gradient_4x4)(tile + c, line, channels, block, layout.component);
      } else {
        NAMED(copy_tile)(tiles, image + c, place.top, place.left, 4, copy);
        NAMED(gradient_4x4)(copy, 4 * 16, 16, block, layout.component);
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const REAL *components, long component, REAL *sums, int adds) {
  assert(tiles >= 0 && component >= tiles * 16 && EN_HAS(components, tiles) && sums);
  const REAL *from = components + (form == en_winograd_4x4 ? 7 : 0) * component;
  VECTOR total = adds ? LOAD(sums) : (VECTOR){0};
  for (long t = 0; t < tiles; t++) total += LOAD(from + t * 16);
  STORE(sums, total);
}

/// The epilogue of an image of 2×2 pixels that lie `channels` apart.
INLINED void NAMED(output_2x2)(const REAL *from, long component, EPILOGUE epilogue, REAL *y, long channels) {
  VECTOR m[9], half[6], all[4];
  EACH(i, 0, 9) m[i] = LOAD(from + i * component);
  EACH(j, 0, 3) NAMED(output_2)(m + j, 3, half + j, 3);
  EACH(i, 0, 2) NAMED(output_2)(half + i * 3, 1, all + i * 2, 1);
  EACH(i, 0, 4) NAMED(finish)(all + i, NAMED(moved)(epilogue, i * channels), y + i * channels);
}

/// The same of the first rows and columns of a tile of 4×4, of which the others are outside of the image.
INLINED void NAMED(output_cropped)(
  const REAL *from, long component, long rows, long columns, EPILOGUE epilogue, REAL *y, long line, long channels) {
  REAL whole[16 * 16];
  NAMED(output_4x4)(from, component, (EPILOGUE){0}, whole, 4 * 16, 16);
  for (long i = 0; i < rows; i++) {
    for (long j = 0; j < columns; j++) {
      const long pixel = i * line + j * channels;
      NAMED(finish)((const VECTOR *)(whole + (i * 4 + j) * 16), NAMED(moved)(epilogue, pixel), y + pixel);
    }
  }
}

/// Inlined for each kind of epilogue below.
INLINED void NAMED(output)(
  en_tiles tiles, en_channel_blocks blocks, en_component_layout layout, const REAL *components, EPILOGUE epilogue, REAL *y) {
  const long channels = tiles.channels, line = tiles.width * channels;
  for (long t = 0; t < tiles.count; t++, components += layout.tile) {
    const long side = tiles.form == en_winograd_4x4 ? 4 : 2;
    const NAMED(place) place = NAMED(place_of)(tiles, tiles.first + t, side);
    const long start = (place.image * tiles.height + place.top) * line + place.left * channels + blocks.first * 16;
    const long rows = tiles.height - place.top < side ? tiles.height - place.top : side;
    const long columns = tiles.width - place.left < side ? tiles.width - place.left : side;
    for (long c = 0; c < blocks.count * 16; c += 16) {
      const REAL *from = components + c / 16 * layout.block;
      EPILOGUE tileEpilogue = NAMED(moved)(epilogue, start + c);
      if (epilogue.bias) tileEpilogue.bias += blocks.first * 16 + c;
      REAL *tile = y + start + c;
      if (tiles.form == en_winograd_2x2)
        NAMED(output_2x2)(from, layout.component, tileEpilogue, tile, channels);
      else if (rows == 4 && columns == 4)
        NAMED(output_4x4)(from, layout.component, tileEpilogue, tile, line, channels);
      else
        NAMED(output_cropped)(from, layout.component, rows, columns, tileEpilogue, tile, line, channels);
    }
  }
}

OVERLOADED KERNEL void en_winograd_output(
  en_tiles tiles, en_channel_blocks blocks, en_component_layout layout, const REAL *components, EPILOGUE epilogue, REAL *y) {
  CHECK_TILES(tiles, y, layout, components, blocks.first + blocks.count);
  assert(!epilogue.nontemporal || EN_IS_ALIGNED(y, 64));
  if (!epilogue.residual && !epilogue.relu && epilogue.nontemporal)
    NAMED(output)(tiles, blocks, layout, components, (EPILOGUE){.bias = epilogue.bias, .nontemporal = 1}, y);
  else if (epilogue.bias || epilogue.residual || epilogue.relu)
    NAMED(output)(tiles, blocks, layout, components, (EPILOGUE){epilogue.bias, epilogue.residual, epilogue.relu}, y);
  else
    NAMED(output)(tiles, blocks, layout, components, (EPILOGUE){0}, y);
}
#undef CHECK_TILES
