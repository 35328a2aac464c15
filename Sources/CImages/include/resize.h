#pragma once
#include <stdint.h>

// Images of bytes `[height, width, channels]` in another size, with the triangle filter, which widens with the reduction so that
// nothing aliases: to the bit Pillow's BILINEAR.

/// A part of an image.
typedef struct {
  long top, left, height, width;
} ci_window;

/// How an image is resized.
typedef struct {
  /// The pixels that there are.
  long height, width, channels;
  /// The part of them from the top left that is resized: of an image that was decoded at a reduced scale its last row and column
  /// may be there in part.
  double extent_down, extent_across;
  /// The size of the whole result, and the part of it that is computed.
  long new_height, new_width;
  ci_window window;
} ci_resizing;

/// Resizes x, whose rows begin every `stride` bytes, into y, whose rows begin every `new_stride`. 0 without memory.
int ci_resize(const uint8_t *x, long stride, const ci_resizing *resizing, uint8_t *y, long new_stride);
