#include "pixels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMALIZE(REAL)                                                                                      \
  __attribute__((overloadable)) void ci_normalize(                                                           \
    const uint8_t *x, long count, long period, const REAL *scale, const REAL *shift, REAL *y) {              \
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

/// The window of the triangle filter along one axis: for each of `count` outputs from `start` on, of `size` in all, the first
/// input and the weights of `taps` inputs, in units of 2⁻²².
typedef struct {
  int taps;
  int *first, *weights;
} filter;

static int make_filter(filter *f, long inputs, long size, long start, long count) {
  // In double precision and these steps, so that weights round as Pillow's.
  const double scale = (double)inputs / (double)size, widening = scale < 1 ? 1 : scale;
  f->taps = (int)ceil(widening) * 2 + 1;
  f->first = malloc((size_t)count * sizeof(int));
  f->weights = calloc((size_t)count * (size_t)f->taps, sizeof(int));
  double *exact = malloc((size_t)f->taps * sizeof(double));
  const int has_memory = f->first != NULL && f->weights != NULL && exact != NULL;
  for (long i = 0; has_memory && i < count; i++) {
    const double centre = ((double)(start + i) + 0.5) * scale;
    const long first = clamped((long)(centre - widening + 0.5), 0, inputs - 1);
    const long last = clamped((long)(centre + widening + 0.5), first + 1, inputs);
    double total = 0;
    for (long tap = 0; tap < last - first; tap++) {
      const double distance = fabs(((double)(tap + first) - centre + 0.5) * (1 / widening));
      exact[tap] = distance < 1 ? 1 - distance : 0;
      total += exact[tap];
    }
    f->first[i] = (int)first;
    for (long tap = 0; tap < last - first; tap++)
      f->weights[i * f->taps + tap] = (int)(0.5 + (total == 0 ? tap == 0 : exact[tap] / total) * (1 << 22));
  }
  free(exact);
  return has_memory;
}

static inline uint8_t rounded(int sum) { return (uint8_t)clamped(sum >> 22, 0, 255); }

/// Filters the rows first ..< end of `x` along their columns into `y`, `count` outputs a row.
static void filter_columns(
  const uint8_t *x, long stride, long inputs, long channels, const filter *f, long first, long end, long count, uint8_t *y) {
  for (long row = first; row < end; row++, y += count * channels) {
    const uint8_t *line = x + row * stride;
    for (long i = 0; i < count; i++) {
      const int *weights = f->weights + i * f->taps;
      const uint8_t *from = line + f->first[i] * channels;
      const long taps = clamped(f->taps, 0, inputs - f->first[i]);
      int sums[4] = {1 << 21, 1 << 21, 1 << 21, 1 << 21};
      if (channels == 3) {
        for (long tap = 0; tap < taps; tap++, from += 3) {
          sums[0] += from[0] * weights[tap];
          sums[1] += from[1] * weights[tap];
          sums[2] += from[2] * weights[tap];
        }
      } else {
        for (long tap = 0; tap < taps; tap++)
          for (long c = 0; c < channels; c++) sums[c] += *from++ * weights[tap];
      }
      for (long c = 0; c < channels; c++) y[i * channels + c] = rounded(sums[c]);
    }
  }
}

int ci_resize(
  const uint8_t *x, long stride, long height, long width, long channels, long newHeight, long newWidth, ci_window window,
  uint8_t *y, long newStride) {
  filter down = {0}, across = {0};
  uint8_t *lines = NULL;
  int *sums = NULL;
  const long row = window.width * channels;
  int is_done = make_filter(&down, height, newHeight, window.top, window.height)
    && make_filter(&across, width, newWidth, window.left, window.width);
  if (is_done) {
    const long first = down.first[0], end = clamped(down.first[window.height - 1] + down.taps, 0, height);
    lines = malloc((size_t)(end - first) * (size_t)row);
    sums = malloc((size_t)row * sizeof(int));
    is_done = lines != NULL && sums != NULL;
    if (is_done) filter_columns(x, stride, width, channels, &across, first, end, window.width, lines);
    for (long i = 0; is_done && i < window.height; i++, y += newStride) {
      for (long k = 0; k < row; k++) sums[k] = 1 << 21;
      const long taps = clamped(down.taps, 0, height - down.first[i]);
      for (long tap = 0; tap < taps; tap++) {
        const int weight = down.weights[i * down.taps + tap];
        const uint8_t *restrict line = lines + (down.first[i] - first + tap) * row;
        for (long k = 0; k < row; k++) sums[k] += line[k] * weight;
      }
      for (long k = 0; k < row; k++) y[k] = rounded(sums[k]);
    }
  }
  free(down.first);
  free(down.weights);
  free(across.first);
  free(across.weights);
  free(lines);
  free(sums);
  return is_done;
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
