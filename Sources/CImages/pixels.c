#include "pixels.h"

#include <stdlib.h>
#include <string.h>

#include "versions.h"

#define NORMALIZE(REAL)                                                                                      \
  __attribute__((overloadable)) VERSIONS void ci_normalize(                                                  \
    const uint8_t *x, long count, long period, const REAL *scale, const REAL *shift, REAL *y) {              \
    _Pragma("clang fp contract(off)")                                                                        \
    for (long start = 0; start < count; start += period) {                                                   \
      const uint8_t *restrict from = x + start;                                                              \
      REAL *restrict to = y + start;                                                                         \
      long n = count - start < period ? count - start : period;                                              \
      for (long i = 0; i < n; i++) to[i] = (REAL)from[i] * scale[i] + shift[i];                              \
    }                                                                                                        \
  }
NORMALIZE(float)
NORMALIZE(double)

static inline long clamped(long value, long low, long high) {
  return value < low ? low : value > high ? high : value;
}

void ci_translate(
  const uint8_t *x, long height, long width, long channels, long down, long right, int repeatsEdge, uint8_t *y) {
  // Columns first ..< end of a row lie inside of x.
  long first = clamped(-right, 0, width), end = clamped(width - right, first, width);
  for (long row = 0; row < height; row++, y += width * channels) {
    long source = row + down;
    if (!repeatsEdge && (source < 0 || source >= height)) {
      memset(y, 0, width * channels);
      continue;
    }
    const uint8_t *line = x + clamped(source, 0, height - 1) * width * channels;
    memcpy(y + first * channels, line + (first + right) * channels, (end - first) * channels);
    if (!repeatsEdge) {
      memset(y, 0, first * channels);
      memset(y + end * channels, 0, (width - end) * channels);
      continue;
    }
    for (long column = 0; column < first; column++) memcpy(y + column * channels, line, channels);
    for (long column = end; column < width; column++)
      memcpy(y + column * channels, line + (width - 1) * channels, channels);
  }
}

void ci_mirror(const uint8_t *x, long height, long width, long channels, uint8_t *y) {
  for (long row = 0; row < height; row++, x += width * channels, y += width * channels) {
    if (channels == 3) {
      for (long i = 0, j = (width - 1) * 3; j >= 0; i += 3, j -= 3) {
        y[i] = x[j];
        y[i + 1] = x[j + 1];
        y[i + 2] = x[j + 2];
      }
    } else {
      for (long column = 0; column < width; column++)
        for (long c = 0; c < channels; c++) y[column * channels + c] = x[(width - 1 - column) * channels + c];
    }
  }
}

void ci_interleave(const uint8_t *x, long pixels, long channels, uint8_t *y) {
  for (long c = 0; c < channels; c++)
    for (long i = 0; i < pixels; i++) y[i * channels + c] = x[c * pixels + i];
}

void ci_histogram(const uint8_t *x, long pixels, long channels, uint64_t *histogram) {
  for (long i = 0; i < pixels; i++)
    for (long c = 0; c < channels; c++) histogram[c * 256 + x[i * channels + c]]++;
}

// FNV-1a over words of 8 bytes, each stirred so that high bits reach low ones.
static inline uint64_t stirred(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x100000001b3u;
  return hash ^ hash >> 29;
}

ci_hasher ci_hash_start(uint64_t seed) { return (ci_hasher){.hash = seed ^ 0xcbf29ce484222325u}; }

void ci_hash_append(ci_hasher *h, const uint8_t *x, long count) {
  long held = (long)(h->count % 8), done = 0;
  h->count += (uint64_t)count;
  if (held > 0) {
    done = count < 8 - held ? count : 8 - held;
    memcpy(h->rest + held, x, (size_t)done);
    if (held + done < 8) return;
    uint64_t word;
    memcpy(&word, h->rest, 8);
    h->hash = stirred(h->hash, word);
  }
  uint64_t hash = h->hash;
  for (; done + 8 <= count; done += 8) {
    uint64_t word;
    memcpy(&word, x + done, 8);
    hash = stirred(hash, word);
  }
  h->hash = hash;
  if (done < count) memcpy(h->rest, x + done, (size_t)(count - done));
}

uint64_t ci_hash_finish(const ci_hasher *h) {
  uint64_t hash = h->hash, word = 0;
  if (h->count % 8 > 0) {
    memcpy(&word, h->rest, h->count % 8);
    hash = stirred(hash, word);
  }
  return (hash ^ h->count) * 0x100000001b3u;
}

uint64_t ci_hash(const uint8_t *x, long count, uint64_t seed) {
  ci_hasher h = ci_hash_start(seed);
  ci_hash_append(&h, x, count);
  return ci_hash_finish(&h);
}

void ci_orient(const uint8_t *x, long height, long width, long channels, int orientation, uint8_t *y) {
  // The steps through x from a pixel of y to the next in its row, and from the first of a row to that of the next.
  const long pixel = channels, line = width * channels, end = height * line;
  const int turns = orientation > 4;
  const long rows = turns ? width : height, columns = turns ? height : width;
  const int mirrorsAcross = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const int mirrorsDown = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const long start = (mirrorsAcross ? line - pixel : 0) + (mirrorsDown ? end - line : 0);
  const long across = mirrorsAcross ? -pixel : pixel, down = mirrorsDown ? -line : line;
  for (long row = 0; row < rows; row++) {
    const uint8_t *from = x + start + row * (turns ? across : down);
    for (long column = 0; column < columns; column++, from += turns ? down : across, y += channels)
      for (long c = 0; c < channels; c++) y[c] = from[c];
  }
}

void ci_repeat(const uint8_t *x, long pixels, uint8_t *y) {
  for (long i = 0; i < pixels; i++) y[3 * i] = y[3 * i + 1] = y[3 * i + 2] = x[i];
}

void ci_grey(const uint8_t *x, long pixels, uint8_t *y) {
  for (long i = 0; i < pixels; i++) y[i] = (uint8_t)((299 * x[3 * i] + 587 * x[3 * i + 1] + 114 * x[3 * i + 2] + 500) / 1000);
}
