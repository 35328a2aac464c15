// The two formats that are simple enough to need no library: BMP and Netpbm's.

#include "codecs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(ci_image_error *error, const char *text) {
  snprintf(error->text, sizeof error->text, "%s", text);
  return 0;
}

// MARK: BMP: little-endian headers, then rows from the bottom up, each padded to four bytes
// https://learn.microsoft.com/windows/win32/gdi/bitmap-storage

typedef struct {
  int64_t width, height;
  int is_top_down, bits, compression, channels;
  size_t data;
  /// Red, green, blue and alpha of each index of a palette, black beyond its end.
  unsigned char palette[256][3];
  uint32_t masks[4];
} bitmap;
enum { bi_rgb, bi_rle8, bi_rle4, bi_bitfields, bi_alphabitfields = 6 };

static uint32_t word(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t doubleword(const unsigned char *p) { return word(p) | word(p + 2) << 16; }

/// Reads the palette at `place`; whether all of it is grey is a channel less.
static void read_palette(bitmap *b, const unsigned char *bytes, size_t count, size_t place, size_t entry, uint32_t colours) {
  b->channels = 1;
  const uint32_t possible = 1u << b->bits;
  if (colours == 0 || colours > possible) colours = possible;
  for (uint32_t i = 0; i < colours && place + 3 <= count && place + 3 <= b->data; i++, place += entry) {
    for (int c = 0; c < 3; c++) b->palette[i][c] = bytes[place + (size_t)(2 - c)];
    if (b->palette[i][0] != b->palette[i][1] || b->palette[i][1] != b->palette[i][2]) b->channels = 3;
  }
}

static int is_mask(uint32_t mask) {
  if (mask == 0) return 1;
  mask >>= __builtin_ctz(mask);
  return (mask & (mask + 1)) == 0;
}

static int read_header(bitmap *b, const unsigned char *bytes, size_t count, ci_image_error *error) {
  memset(b, 0, sizeof *b);
  if (count < 26 || bytes[0] != 'B' || bytes[1] != 'M') return fail(error, "the end of the data, inside the header");
  b->data = doubleword(bytes + 10);
  const uint32_t size = doubleword(bytes + 14);
  const int is_short = size == 12;
  if (!is_short && (size < 40 || size > 124)) return fail(error, "its header has a size that is not known");
  if (count < 14 + (size_t)size) return fail(error, "the end of the data, inside the header");
  uint32_t colours = 0;
  if (is_short) {
    b->width = word(bytes + 18);
    b->height = word(bytes + 20);
    b->bits = (int)word(bytes + 24);
  } else {
    b->width = (int32_t)doubleword(bytes + 18);
    b->height = (int32_t)doubleword(bytes + 22);
    b->bits = (int)word(bytes + 28);
    b->compression = (int)doubleword(bytes + 30);
    colours = doubleword(bytes + 46);
  }
  if (b->height < 0) {
    b->height = -b->height;
    b->is_top_down = 1;
  }
  if (b->width < 1 || b->height < 1 || b->height > INT32_MAX) return fail(error, "an extent is not positive");
  const int bits = b->bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    return fail(error, "its number of bits for a pixel is not known");
  size_t place = 14 + (size_t)size;
  const int has_masks = b->compression == bi_bitfields || b->compression == bi_alphabitfields;
  if (has_masks) {
    // Behind a header of 40 bytes, inside a longer one: at the same place.
    const int is_inside = size >= 52;
    const int masks = is_inside ? (size >= 56 ? 4 : 3) : b->compression == bi_alphabitfields ? 4 : 3;
    if (bits != 16 && bits != 32) return fail(error, "masks for pixels of other than 16 or 32 bits");
    if (count < 54 + (size_t)masks * 4) return fail(error, "the end of the data, inside the header");
    for (int i = 0; i < masks; i++) {
      b->masks[i] = doubleword(bytes + 54 + 4 * i);
      if (!is_mask(b->masks[i])) return fail(error, "a mask whose bits are not together");
    }
    if (!is_inside) place += (size_t)masks * 4;
  } else if (b->compression == bi_rgb) {
    const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    memcpy(b->masks, usual[bits == 32], sizeof usual[0]);
  } else if (!(b->compression == bi_rle8 && bits == 8) && !(b->compression == bi_rle4 && bits == 4)) {
    return fail(error, "its compression is not known");
  }
  b->channels = 3;
  if (bits <= 8) read_palette(b, bytes, count, place, is_short ? 3 : 4, colours);
  return 1;
}

int ci_bmp_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error) {
  bitmap b;
  if (!read_header(&b, bytes, count, error)) return 0;
  *height = (int)b.height;
  *width = (int)b.width;
  *channels = b.channels;
  return 1;
}

static unsigned char level(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = __builtin_ctz(mask);
  return (unsigned char)((uint64_t)((pixel & mask) >> shift) * 255 / (mask >> shift));
}

/// Unpacks runs of indices into rows from the bottom up.
static int read_runs(const bitmap *b, const unsigned char *bytes, size_t count, unsigned char *indices, ci_image_error *error) {
  int64_t x = 0, y = 0;
  size_t i = b->data;
  const int is_half = b->bits == 4;
  while (y < b->height) {
    if (i + 2 > count) return fail(error, "the pixels end early");
    const int first = bytes[i], second = bytes[i + 1];
    i += 2;
    int length = first;
    const unsigned char *literal = NULL;
    if (first == 0) {
      if (second == 1) return 1;
      if (second == 0) {
        x = 0;
        y++;
        continue;
      }
      if (second == 2) {
        if (i + 2 > count) return fail(error, "the pixels end early");
        x += bytes[i];
        y += bytes[i + 1];
        i += 2;
        continue;
      }
      length = second;
      const size_t size = is_half ? ((size_t)length + 1) / 2 : (size_t)length;
      if (i + size > count) return fail(error, "the pixels end early");
      literal = bytes + i;
      i += size + (size & 1);
    }
    if (x + length > b->width + 1) return fail(error, "a run that leaves its row");
    for (int k = 0; k < length && x < b->width; k++, x++) {
      const int byte = literal == NULL ? second : literal[is_half ? k / 2 : k];
      indices[y * b->width + x] = (unsigned char)(!is_half ? byte : k & 1 ? byte & 15 : byte >> 4);
    }
  }
  return 1;
}

static void put(const bitmap *b, const unsigned char *colour, unsigned char *pixel) {
  for (int c = 0; c < b->channels; c++) pixel[c] = colour[c];
}

static void read_row(const bitmap *b, const unsigned char *row, unsigned char *out) {
  for (int64_t x = 0; x < b->width; x++, out += b->channels) {
    switch (b->bits) {
      case 1: put(b, b->palette[row[x / 8] >> (7 - x % 8) & 1], out); break;
      case 4: put(b, b->palette[x & 1 ? row[x / 2] & 15 : row[x / 2] >> 4], out); break;
      case 8: put(b, b->palette[row[x]], out); break;
      case 24:
        for (int c = 0; c < 3; c++) out[c] = row[x * 3 + 2 - c];
        break;
      default: {
        const uint32_t pixel = b->bits == 16 ? word(row + x * 2) : doubleword(row + x * 4);
        const int alpha = b->masks[3] == 0 ? 255 : level(pixel, b->masks[3]);
        for (int c = 0; c < 3; c++) out[c] = (unsigned char)((level(pixel, b->masks[c]) * alpha + 127) / 255);
      }
    }
  }
}

int ci_bmp_decode(
  const unsigned char *bytes, size_t count, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error) {
  bitmap b;
  if (!read_header(&b, bytes, count, error)) return 0;
  if (b.height != height || b.width != width || b.channels != channels)
    return fail(error, "the pixels are not what the header says");
  const size_t row = (size_t)width * (size_t)channels;
  const int has_runs = b.compression == bi_rle8 || b.compression == bi_rle4;
  const size_t stride = has_runs ? (size_t)width : ((size_t)width * (size_t)b.bits + 31) / 32 * 4;
  unsigned char *indices = NULL;
  if (has_runs) {
    indices = calloc((size_t)height, stride);
    if (indices == NULL) return fail(error, "there is no memory for it");
    if (!read_runs(&b, bytes, count, indices, error)) {
      free(indices);
      return 0;
    }
    b.bits = 8;
  } else if (b.data > count || (count - b.data) / stride < (size_t)height) {
    return fail(error, "the pixels end early");
  }
  const unsigned char *rows = has_runs ? indices : bytes + b.data;
  for (int y = 0; y < height; y++)
    read_row(&b, rows + (size_t)y * stride, pixels + (size_t)(b.is_top_down ? y : height - 1 - y) * row);
  free(indices);
  return 1;
}

// MARK: Netpbm: https://netpbm.sourceforge.net/doc/ppm.html

typedef struct {
  const unsigned char *bytes;
  size_t count, place;
} text;

/// Skips blanks and comments.
static void skip_blanks(text *t) {
  for (; t->place < t->count; t->place++) {
    const int c = t->bytes[t->place];
    if (c == '#') {
      while (t->place < t->count && t->bytes[t->place] != '\n') t->place++;
    } else if (c != ' ' && (c < '\t' || c > '\r')) {
      return;
    }
  }
}

/// The next number, -1 where there is none or it is above `largest`.
static int64_t number(text *t, int64_t largest) {
  skip_blanks(t);
  int64_t value = 0;
  const size_t start = t->place;
  for (; t->place < t->count && t->bytes[t->place] >= '0' && t->bytes[t->place] <= '9'; t->place++) {
    value = value * 10 + t->bytes[t->place] - '0';
    if (value > largest) return -1;
  }
  return t->place == start ? -1 : value;
}

/// The number behind 'P', and the header's values; the text is then at the pixels.
static int read_netpbm(text *t, int *kind, int64_t *height, int64_t *width, int64_t *largest, ci_image_error *error) {
  if (t->count < 3 || t->bytes[0] != 'P') return fail(error, "the end of the data, inside the header");
  *kind = t->bytes[1] - '0';
  t->place = 2;
  *width = number(t, INT32_MAX);
  *height = number(t, INT32_MAX);
  *largest = *kind % 3 == 1 ? 1 : number(t, 65535);
  if (*width < 1 || *height < 1 || *largest < 1) return fail(error, "a number in its header is missing or too large");
  // One blank before bytes.
  if (*kind > 3) t->place++;
  return 1;
}

int ci_netpbm_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error) {
  text t = {bytes, count, 0};
  int kind;
  int64_t rows, columns, largest;
  if (!read_netpbm(&t, &kind, &rows, &columns, &largest, error)) return 0;
  *height = (int)rows;
  *width = (int)columns;
  *channels = kind % 3 == 0 ? 3 : 1;
  return 1;
}

int ci_netpbm_decode(
  const unsigned char *bytes, size_t count, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error) {
  text t = {bytes, count, 0};
  int kind;
  int64_t rows, columns, largest;
  if (!read_netpbm(&t, &kind, &rows, &columns, &largest, error)) return 0;
  if (rows != height || columns != width || channels != (kind % 3 == 0 ? 3 : 1))
    return fail(error, "the pixels are not what the header says");
  const size_t values = (size_t)width * (size_t)height * (size_t)channels;
  const size_t row = kind == 4 ? ((size_t)width + 7) / 8 : (size_t)width * (size_t)channels * (largest > 255 ? 2 : 1);
  if (kind > 3 && (t.place > count || (count - t.place) / row < (size_t)height)) return fail(error, "the pixels end early");
  // A value of text has a byte at least.
  if (kind <= 3 && (t.place > count || count - t.place < values)) return fail(error, "the pixels end early");
  const unsigned char *data = bytes + t.place;
  for (size_t i = 0; i < values; i++) {
    int64_t value;
    if (kind == 1) {
      // Digits of a bitmap may stand without blanks between them.
      skip_blanks(&t);
      if (t.place >= count || (bytes[t.place] != '0' && bytes[t.place] != '1')) return fail(error, "a pixel that is neither 0 nor 1");
      value = '1' - bytes[t.place++];
    } else if (kind <= 3) {
      value = number(&t, largest);
      if (value < 0) return fail(error, "a value is missing or too large");
    } else if (kind == 4) {
      const size_t x = i % (size_t)width;
      value = !(data[i / (size_t)width * row + x / 8] >> (7 - x % 8) & 1);
    } else if (largest > 255) {
      value = data[2 * i] << 8 | data[2 * i + 1];
    } else {
      value = data[i];
    }
    if (value > largest) value = largest;
    pixels[i] = largest == 255 ? (unsigned char)value : (unsigned char)((value * 255 + largest / 2) / largest);
  }
  return 1;
}
