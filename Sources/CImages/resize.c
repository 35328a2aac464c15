#include "resizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "versions.h"

static inline long clamped(long value, long low, long high) {
  return value < low ? low : value > high ? high : value;
}

/// Weights of the outputs start ..< start + count of `size` in all, from `inputs` inputs of which `extent` are resized.
static int make_filter(ci_filter *f, long inputs, double extent, long size, long start, long count) {
  // In double precision and these steps, so that weights round as Pillow's.
  const double scale = extent / (double)size, widening = scale < 1 ? 1 : scale;
  const int taps = (int)ceil(widening) * 2 + 1;
  f->first = malloc((size_t)count * 2 * sizeof(int));
  f->weights = calloc((size_t)count * (size_t)taps, sizeof(int));
  double *exact = malloc((size_t)taps * sizeof(double));
  const int has_memory = f->first != NULL && f->weights != NULL && exact != NULL;
  f->counts = f->first + count;
  f->taps = 1;
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
    f->counts[i] = (int)(last - first);
    if (f->taps < last - first) f->taps = (int)(last - first);
    for (long tap = 0; tap < last - first; tap++)
      f->weights[i * taps + tap] = (int)(0.5 + (total == 0 ? tap == 0 : exact[tap] / total) * (1 << 22));
  }
  // As many taps as the widest window has.
  for (long i = 1; has_memory && i < count; i++)
    memmove(f->weights + i * f->taps, f->weights + i * taps, (size_t)f->taps * sizeof(int));
  free(exact);
  return has_memory;
}

// MARK: Across

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int ints4 __attribute__((vector_size(16)));
typedef int ints8 __attribute__((vector_size(32)));
typedef int ints16 __attribute__((vector_size(64)));

/// The weights of four inputs at a time for three channels.
static int make_quads(ci_resizer *r) {
  const long count = r->sizes->window.width, taps = r->across.taps;
  r->quad_count = (int)((taps + 3) / 4);
  if (posix_memalign((void **)&r->quads, 64, (size_t)(count * r->quad_count) * 64) != 0) r->quads = NULL;
  if (r->quads == NULL) return 0;
  for (long i = 0; i < count; i++)
    for (long tap = 0; tap < r->quad_count * 4; tap++)
      for (long c = 0; c < 4; c++)
        r->quads[(i * r->quad_count + tap / 4) * 16 + tap % 4 * 4 + c] =
          c < 3 && tap < taps ? r->across.weights[i * taps + tap] : 0;
  return 1;
}

static void filter_colours(const uint8_t *row, const ci_filter *f, const int *quads, int quad_count, long count, uint8_t *y);
/// Each output is a sum over quads of four pixels. Reads 16 bytes from the first pixel of each on, writes 4 bytes for 3.
VERSIONS static void filter_colours(
  const uint8_t *row, const ci_filter *f, const int *quads, int quad_count, long count, uint8_t *y) {
  for (long i = 0; i < count; i++, y += 3, quads += quad_count * 16) {
    const uint8_t *from = row + f->first[i] * 3;
    ints16 sums = {0};
    // No more than the window has: its last pixel begins within the row.
    for (int tap = 0; tap < f->counts[i]; tap += 4, from += 12) {
      bytes16 pixels;
      memcpy(&pixels, from, sizeof pixels);
      const bytes16 apart = __builtin_shufflevector(pixels, pixels, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
      sums += __builtin_convertvector(apart, ints16) * *(const ints16 *)(quads + tap * 4);
    }
    const ints8 half = __builtin_shufflevector(sums, sums, 0, 1, 2, 3, 4, 5, 6, 7)
      + __builtin_shufflevector(sums, sums, 8, 9, 10, 11, 12, 13, 14, 15);
    const ints4 sum = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    // Weights are not negative, and add up to one but for their rounding: no value leaves 0...255.
    const ints4 levels = (sum + (1 << 21)) >> 22;
    typedef uint8_t bytes4 __attribute__((vector_size(4)));
    const bytes4 written = __builtin_convertvector(levels, bytes4);
    memcpy(y, &written, 4);
  }
}

static void filter_greys(const uint8_t *row, const ci_filter *f, long channels, long count, uint8_t *y) {
  for (long i = 0; i < count; i++)
    for (long c = 0; c < channels; c++) {
      const int *weights = f->weights + i * f->taps;
      const uint8_t *from = row + f->first[i] * channels + c;
      int sum = 1 << 21;
      for (long tap = 0; tap < f->counts[i]; tap++) sum += from[tap * channels] * weights[tap];
      *y++ = (uint8_t)(sum >> 22);
    }
}

// MARK: Down

enum { block = 64 };

static void filter_lines(
  const uint8_t *lines, long line, int taps, int first, int count, const int *weights, long blocks, uint8_t *y, long length);
/// y[0 ..< 64 · blocks] = the weighted sum of the lines first ..< first + count, of which `lines` has the last `taps`.
VERSIONS static void filter_lines(
  const uint8_t *lines, long line, int taps, int first, int count, const int *weights, long blocks, uint8_t *y, long length) {
  for (long start = 0; start < blocks * block; start += block) {
    int sums[block];
    for (int k = 0; k < block; k++) sums[k] = 1 << 21;
    int slot = first % taps;
    for (int tap = 0; tap < count; tap++) {
      const uint8_t *restrict from = lines + slot * line + start;
      const int weight = weights[tap];
      for (int k = 0; k < block; k++) sums[k] += from[k] * weight;
      slot = slot + 1 == taps ? 0 : slot + 1;
    }
    uint8_t levels[block];
    for (int k = 0; k < block; k++) levels[k] = (uint8_t)(sums[k] >> 22);
    memcpy(y + start, levels, (size_t)(length - start < block ? length - start : block));
  }
}

// MARK: Row by row

int ci_resizer_begin(ci_resizer *r, const ci_resizing *s, uint8_t *y, long stride) {
  memset(r, 0, sizeof *r);
  r->sizes = s;
  r->y = y;
  r->stride = stride;
  if (!make_filter(&r->down, s->height, s->extent_down, s->new_height, s->window.top, s->window.height)) return 0;
  if (!make_filter(&r->across, s->width, s->extent_across, s->new_width, s->window.left, s->window.width)) return 0;
  if (s->channels == 3 && !make_quads(r)) return 0;
  // With room for the zero behind the last colour.
  r->line = (s->window.width * s->channels + block) / block * block;
  r->lines = malloc((size_t)r->down.taps * (size_t)r->line);
  return r->lines != NULL;
}

void ci_resizer_push(ci_resizer *r, const uint8_t *row) {
  const long index = r->next++, outputs = r->sizes->window.height, count = r->sizes->window.width;
  if (r->done == outputs || index < r->down.first[r->done]) return;
  uint8_t *line = r->lines + index % r->down.taps * r->line;
  if (r->sizes->channels == 3) {
    filter_colours(row, &r->across, r->quads, r->quad_count, count, line);
  } else {
    filter_greys(row, &r->across, r->sizes->channels, count, line);
  }
  for (; r->done < outputs; r->done++) {
    const int first = r->down.first[r->done], taps = r->down.counts[r->done];
    if (first + taps > r->next) return;
    filter_lines(
      r->lines, r->line, r->down.taps, first, taps, r->down.weights + r->done * r->down.taps, r->line / block,
      r->y + r->done * r->stride, count * r->sizes->channels);
  }
}

void ci_resizer_end(ci_resizer *r) {
  free(r->down.first);
  free(r->down.weights);
  free(r->across.first);
  free(r->across.weights);
  free(r->quads);
  free(r->lines);
}

int ci_resize(const uint8_t *x, long stride, const ci_resizing *s, uint8_t *y, long new_stride) {
  ci_resizer r;
  // The last rows end where the image may.
  const long row = s->width * s->channels;
  uint8_t *last = malloc((size_t)row + ci_row_margin);
  const int is_done = ci_resizer_begin(&r, s, y, new_stride) && last != NULL;
  const uint8_t *end = x + (s->height - 1) * stride + row;
  for (long i = 0; is_done && i < s->height && r.done < s->window.height; i++, x += stride) {
    const int is_last = end - x < row + ci_row_margin;
    if (is_last) memcpy(last, x, (size_t)row);
    ci_resizer_push(&r, is_last ? last : x);
  }
  ci_resizer_end(&r);
  free(last);
  return is_done;
}
