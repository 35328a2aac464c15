#pragma once
#include <stddef.h>

#include "resize.h"

/// Why an image was not decoded, in words.
typedef struct {
  char text[200];
} ci_image_error;

/// Reads a PNG's size and number of channels: 1 for grey, else 3. 0 on failure.
int ci_png_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error);
/// Decodes it into [height, width, channels], as the header said; alpha goes onto black.
int ci_png_decode(const unsigned char *bytes, size_t count, int channels, unsigned char *pixels, ci_image_error *error);
/// Encodes [height, width, channels], channels 1 or 3. Call with `out` NULL for a size that suffices.
int ci_png_encode(
  const unsigned char *pixels, int height, int width, int channels, unsigned char *out, size_t *count,
  ci_image_error *error);

/// The same for JPEG.
int ci_jpeg_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error);
/// At 1 / reduction of the size, of 1, 2, 4 or 8: `height` and `width` are those of the result, rounded up.
int ci_jpeg_decode(
  const unsigned char *bytes, size_t count, int reduction, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error);
/// Decodes and resizes row by row, so that neither the image nor its columns that are not needed take memory.
int ci_jpeg_resize(
  const unsigned char *bytes, size_t count, int reduction, const ci_resizing *resizing, unsigned char *y, long new_stride,
  ci_image_error *error);
#define ci_no_memory "there is no memory for it"
/// Whether decoding keeps the whole image in memory, because it comes in several scans.
int ci_jpeg_is_whole(const unsigned char *bytes, size_t count);

/// The same for WebP, which has three channels; alpha goes onto black. Of an animation the header fails with `ci_animated`.
int ci_webp_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error);
int ci_webp_decode(
  const unsigned char *bytes, size_t count, int height, int width, unsigned char *pixels, ci_image_error *error);
#define ci_animated "is animated"

/// The same for BMP: 1 to 32 bits, with a palette, masks or runs. A palette of greys has one channel.
int ci_bmp_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error);
int ci_bmp_decode(
  const unsigned char *bytes, size_t count, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error);

/// The same for Netpbm's PBM, PGM and PPM, as text and as bytes; values are scaled to 0...255.
int ci_netpbm_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error);
int ci_netpbm_decode(
  const unsigned char *bytes, size_t count, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error);
