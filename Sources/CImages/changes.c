#include "changes.h"

#include <math.h>
#include <string.h>

#include "versions.h"

void ci_fill(
  uint8_t *x, long width, long channels, long top, long bottom, long left, long right, const uint8_t *colour) {
  for (long row = top; row < bottom; row++)
    for (long column = left; column < right; column++) memcpy(x + (row * width + column) * channels, colour, channels);
}

/// The first of the two lines of `count` between which the centre of output `o` lies, and the weight of the second.
static inline long neighbours(long o, float ratio, long count, float *weight) {
  const float centre = ((float)o + 0.5f) * ratio - 0.5f;
  if (centre <= 0 || count == 1) {
    *weight = 0;
    return 0;
  }
  long first = (long)centre;
  if (first > count - 2) first = count - 2;
  *weight = fminf(centre - (float)first, 1);
  return first;
}

/// A line's pixels between those of `x`: of `count` values, each by its pixel's index and the weight of the next one.
static void interpolate(
  const uint8_t *x, long width, long channels, long next, const float *weights, const int32_t *indices, float *y) {
  for (long column = 0; column < width; column++, y += channels) {
    const uint8_t *from = x + indices[column];
    const float weight = weights[column];
    for (long c = 0; c < channels; c++) y[c] = from[c] + weight * (float)(from[c + next] - from[c]);
  }
}

static void blend(const float *above, const float *below, float weight, long count, uint8_t *y);
VERSIONS static void blend(const float *above, const float *below, float weight, long count, uint8_t *restrict y) {
#pragma clang fp contract(off)
  for (long i = 0; i < count; i++) y[i] = (uint8_t)(above[i] + weight * (below[i] - above[i]) + 0.5f);
}

void ci_enlarge(
  const uint8_t *x, long height, long width, long channels, long top, long left, long rows, long columns,
  float *workspace, int32_t *indices, uint8_t *y) {
  const float down = (float)rows / (float)height, across = (float)columns / (float)width;
  float *weights = workspace, *above = weights + width, *below = above + width * channels;
  for (long column = 0; column < width; column++)
    indices[column] = (int32_t)((left + neighbours(column, across, columns, weights + column)) * channels);
  // A crop of one row or column has no second one.
  const long nextRow = rows > 1 ? 1 : 0, nextColumn = columns > 1 ? channels : 0;
  // The lines that `above` and `below` have.
  long upper = -1, lower = -1;
  for (long row = 0; row < height; row++, y += width * channels) {
    float weight;
    const long first = neighbours(row, down, rows, &weight);
    if (first == lower && first != upper) {
      float *other = above;
      above = below;
      below = other;
      upper = lower;
      lower = -1;
    }
    const uint8_t *line = x + (top + first) * width * channels;
    if (upper != first) interpolate(line, width, channels, nextColumn, weights, indices, above);
    upper = first;
    if (lower != first + nextRow)
      interpolate(line + nextRow * width * channels, width, channels, nextColumn, weights, indices, below);
    lower = first + nextRow;
    blend(above, below, weight, width * channels, y);
  }
}

void ci_affine(
  const uint8_t *x, long height, long width, long channels, const double *m, const uint8_t *colour, uint8_t *y) {
  for (long row = 0; row < height; row++)
    for (long column = 0; column < width; column++, y += channels) {
      const double right = (double)column + 0.5, down = (double)row + 0.5;
      const double u = floor(m[0] * right + m[1] * down + m[2]), v = floor(m[3] * right + m[4] * down + m[5]);
      const int isInside = u >= 0 && u < (double)width && v >= 0 && v < (double)height;
      memcpy(y, isInside ? x + ((long)v * width + (long)u) * channels : colour, channels);
    }
}

void ci_lookup(uint8_t *x, long pixels, long channels, const uint8_t *tables) {
  for (long i = 0; i < pixels; i++, x += channels)
    for (long c = 0; c < channels; c++) x[c] = tables[c * 256 + x[c]];
}

/// Rec. 601's luma, in 16 bits behind the point.
static inline int luma(const uint8_t *x) { return (x[0] * 19595 + x[1] * 38470 + x[2] * 7471 + 0x8000) >> 16; }

uint64_t ci_luma_sum(const uint8_t *x, long pixels) {
  uint64_t sum = 0;
  for (long i = 0; i < pixels; i++) sum += (uint64_t)luma(x + 3 * i);
  return sum;
}

/// from + factor (to - from), cut off to a byte as Pillow does it.
static inline uint8_t blended(int from, int to, float factor) {
  const float value = (float)from + factor * (float)(to - from);
  return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

void ci_saturate(uint8_t *x, long pixels, float factor) {
  for (long i = 0; i < pixels; i++, x += 3) {
    const int grey = luma(x);
    for (int c = 0; c < 3; c++) x[c] = blended(grey, x[c], factor);
  }
}

void ci_sharpen(const uint8_t *x, long height, long width, long channels, float factor, uint8_t *y) {
  const long line = width * channels;
  memcpy(y, x, height * line);
  for (long row = 1; row < height - 1; row++)
    for (long i = row * line + channels; i < (row + 1) * line - channels; i++) {
      int sum = 4 * x[i];
      for (long above = i - line; above <= i + line; above += line)
        sum += x[above - channels] + x[above] + x[above + channels];
      // The mean of nine pixels, of which the middle one counts five times, rounded.
      y[i] = blended((2 * sum + 13) / 26, x[i], factor);
    }
}

void ci_turn_hue(uint8_t *x, long pixels, float turn) {
  for (long i = 0; i < pixels; i++, x += 3) {
    const float r = x[0], g = x[1], b = x[2];
    const float high = fmaxf(r, fmaxf(g, b)), low = fminf(r, fminf(g, b)), range = high - low;
    if (range == 0) continue;
    // The hue in sixths of the circle, from red over green and blue.
    float hue = high == r ? (g - b) / range : high == g ? 2 + (b - r) / range : 4 + (r - g) / range;
    hue += 6 * turn;
    hue -= 6 * floorf(hue / 6);
    for (int c = 0; c < 3; c++) {
      // A channel is high within a sixth of its own hue, low beyond a third, and falls evenly between.
      float distance = fabsf(hue - 2 * (float)c);
      if (distance > 3) distance = 6 - distance;
      const float share = distance <= 1 ? 1 : distance >= 2 ? 0 : 2 - distance;
      x[c] = (uint8_t)(low + share * range + 0.5f);
    }
  }
}
