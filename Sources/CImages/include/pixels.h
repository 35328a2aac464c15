#pragma once
#include <stdint.h>

// Loops over the bytes of images `[height, width, channels]`, in C so that they are fast in debug builds too.

/// y[i] = x[i] · scale[i mod period] + shift[i mod period]
__attribute__((overloadable)) void ci_normalize(
  const uint8_t *x, long count, long period, const float *scale, const float *shift, float *y);
__attribute__((overloadable)) void ci_normalize(
  const uint8_t *x, long count, long period, const double *scale, const double *shift, double *y);

/// y(row, column) = x(row + down, column + right): 0 outside of x, or its nearest pixel where `repeatsEdge`.
void ci_translate(
  const uint8_t *x, long height, long width, long channels, long down, long right, int repeatsEdge, uint8_t *y);

/// y is x with left and right exchanged.
void ci_mirror(const uint8_t *x, long height, long width, long channels, uint8_t *y);

/// y, channels innermost, from x with one plane after the other.
void ci_interleave(const uint8_t *x, long pixels, long channels, uint8_t *y);

/// histogram[channel][level] += how often a channel has a level.
void ci_histogram(const uint8_t *x, long pixels, long channels, uint64_t *histogram);

/// A number for `count` bytes, from `seed` on; not against those who mean harm.
uint64_t ci_hash(const uint8_t *x, long count, uint64_t seed);

/// The same of bytes that come in parts.
typedef struct {
  uint64_t hash, count;
  uint8_t rest[8];
} ci_hasher;
ci_hasher ci_hash_start(uint64_t seed);
void ci_hash_append(ci_hasher *h, const uint8_t *x, long count);
uint64_t ci_hash_finish(const ci_hasher *h);

/// y is x upright, which was stored with the EXIF orientation 1...8; of 5...8 it is [width, height, channels].
void ci_orient(const uint8_t *x, long height, long width, long channels, int orientation, uint8_t *y);

/// y[pixels, 3] is x three times; y[pixels] is x[pixels, 3] in grey, by Rec. 601.
void ci_repeat(const uint8_t *x, long pixels, uint8_t *y);
void ci_grey(const uint8_t *x, long pixels, uint8_t *y);
