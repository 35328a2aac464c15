#pragma once
#include <stddef.h>

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
int ci_jpeg_decode(
  const unsigned char *bytes, size_t count, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error);
