#pragma once
#include <stdint.h>

// Changes of images of bytes, `[height, width, channels]`, by the parameters that augmentation draws.

/// x[rows top ..< bottom, columns left ..< right] = colour, a byte for each channel.
void ci_fill(
  uint8_t *x, long width, long channels, long top, long bottom, long left, long right, const uint8_t *colour);

/// y is the crop x[top ..< top + rows, left ..< left + columns] enlarged to the size of x, bilinear, with pixels centred.
///
/// `workspace` has room for width · (1 + 2 · channels) floats, `indices` for `width` numbers.
void ci_enlarge(
  const uint8_t *x, long height, long width, long channels, long top, long left, long rows, long columns,
  float *workspace, int32_t *indices, uint8_t *y);

/// y(p) is the pixel of x that holds the point m·p, for the centres p of pixels; `colour` outside of x.
///
/// m = [m0 m1 m2; m3 m4 m5] maps (column, row, 1) to (column, row).
void ci_affine(
  const uint8_t *x, long height, long width, long channels, const double *m, const uint8_t *colour, uint8_t *y);

/// x[i] = tables[channel of i][x[i]], with 256 entries for each channel.
void ci_lookup(uint8_t *x, long pixels, long channels, const uint8_t *tables);

/// The sum of the luma of all pixels of three channels.
uint64_t ci_luma_sum(const uint8_t *x, long pixels);

/// Blends every pixel of three channels with its luma: `factor` 0 is grey, 1 is x.
void ci_saturate(uint8_t *x, long pixels, float factor);

/// y blends x with x smoothed: `factor` 0 is smooth, 1 is x, more is sharper. Pixels at the border stay.
void ci_sharpen(const uint8_t *x, long height, long width, long channels, float factor, uint8_t *y);

/// Turns the hue of every pixel of three channels by `turn` of the colour circle, in HSV.
void ci_turn_hue(uint8_t *x, long pixels, float turn);
