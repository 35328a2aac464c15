#include "codecs.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

static void say(ci_image_error *error, const char *text) { snprintf(error->text, sizeof error->text, "%s", text); }

// MARK: PNG, by libpng's simplified interface, which reports failures by its results

static int begin(png_image *image, const unsigned char *bytes, size_t count, ci_image_error *error) {
  memset(image, 0, sizeof *image);
  image->version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(image, bytes, count)) return 1;
  say(error, image->message);
  return 0;
}

int ci_png_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error) {
  png_image image;
  if (!begin(&image, bytes, count, error)) return 0;
  const int fits = image.height <= 0x7fffffff && image.width <= 0x7fffffff;
  *height = (int)image.height;
  *width = (int)image.width;
  *channels = image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
  png_image_free(&image);
  if (!fits) say(error, "the image is larger than any");
  return fits;
}

int ci_png_decode(const unsigned char *bytes, size_t count, int channels, unsigned char *pixels, ci_image_error *error) {
  png_image image;
  if (!begin(&image, bytes, count, error)) return 0;
  // Of 16 bits the nearest value of 8, and not values taken for linear light.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const int has_alpha = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  if (!has_alpha) {
    if (png_image_finish_read(&image, NULL, pixels, 0, NULL)) return 1;
    say(error, image.message);
    png_image_free(&image);
    return 0;
  }
  // libpng would compose in linear light; others multiply the stored values.
  image.format |= PNG_FORMAT_FLAG_ALPHA;
  unsigned char *straight = malloc(PNG_IMAGE_SIZE(image));
  const int is_read = straight != NULL && png_image_finish_read(&image, NULL, straight, 0, NULL);
  if (is_read) {
    const size_t area = (size_t)image.width * image.height;
    for (size_t i = 0; i < area; i++) {
      const unsigned char *from = straight + i * (size_t)(channels + 1);
      for (int c = 0; c < channels; c++) pixels[i * (size_t)channels + (size_t)c] = (unsigned char)((from[c] * from[channels] + 127) / 255);
    }
  } else {
    say(error, straight == NULL ? "there is no memory for it" : image.message);
  }
  free(straight);
  png_image_free(&image);
  return is_read;
}

int ci_png_encode(
  const unsigned char *pixels, int height, int width, int channels, unsigned char *out, size_t *count,
  ci_image_error *error) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.height = (png_uint_32)height;
  image.width = (png_uint_32)width;
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  if (out == NULL) {
    *count = PNG_IMAGE_PNG_SIZE_MAX(image);
    return 1;
  }
  png_alloc_size_t size = *count;
  const int isWritten = png_image_write_to_memory(&image, out, &size, 0, pixels, 0, NULL);
  *count = size;
  if (!isWritten) say(error, image.message);
  return isWritten;
}

// MARK: WebP

int ci_webp_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(bytes, count, &features);
  if (status != VP8_STATUS_OK) {
    say(error, status == VP8_STATUS_NOT_ENOUGH_DATA ? "the end of the data, inside the header" : "its header is wrong");
    return 0;
  }
  if (features.has_animation) {
    say(error, ci_animated);
    return 0;
  }
  *height = features.height;
  *width = features.width;
  *channels = 3;
  return 1;
}

int ci_webp_decode(const unsigned char *bytes, size_t count, int height, int width, unsigned char *pixels, ci_image_error *error) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes, count, &features) != VP8_STATUS_OK || features.height != height || features.width != width) {
    say(error, "the pixels are not what the header says");
    return 0;
  }
  const size_t area = (size_t)height * (size_t)width;
  int is_read = 0;
  if (!features.has_alpha) {
    is_read = WebPDecodeRGBInto(bytes, count, pixels, area * 3, width * 3) != NULL;
  } else {
    unsigned char *straight = malloc(area * 4);
    is_read = straight != NULL && WebPDecodeRGBAInto(bytes, count, straight, area * 4, width * 4) != NULL;
    for (size_t i = 0; is_read && i < area; i++)
      for (int c = 0; c < 3; c++)
        pixels[i * 3 + (size_t)c] = (unsigned char)((straight[i * 4 + (size_t)c] * straight[i * 4 + 3] + 127) / 255);
    free(straight);
  }
  if (!is_read) say(error, "its pixels cannot be decoded, or end early");
  return is_read;
}
