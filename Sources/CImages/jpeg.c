#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// jpeglib.h needs stdio.h before it.
#include <jpeglib.h>

#include <jerror.h>

#include "codecs.h"
#include "resizer.h"

// The library ends the process on an error unless it can jump out.

static int fail(ci_image_error *error, const char *text) {
  snprintf(error->text, sizeof error->text, "%s", text);
  return 0;
}

typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr manager;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  ci_image_error *error;
} decoder;

static void escape(j_common_ptr info) {
  decoder *d = info->client_data;
  char text[JMSG_LENGTH_MAX];
  d->manager.format_message(info, text);
  fail(d->error, text);
  longjmp(d->escape, 1);
}
/// Says nothing, but stops where a file ends early: the rest of the image would be grey.
static void stop_where_cut(j_common_ptr info, int level) {
  if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER)) escape(info);
}
/// Each scan of a progressive file costs a pass over the whole image, however few bytes it has.
static void count_scans(j_common_ptr info) {
  if (!info->is_decompressor || ((j_decompress_ptr)info)->input_scan_number <= 100) return;
  decoder *d = info->client_data;
  fail(d->error, "more than 100 scans");
  longjmp(d->escape, 1);
}

/// Sets the library up and reads the header. The caller has set where errors jump to.
static void begin(decoder *d, const unsigned char *bytes, size_t count) {
  jpeg_create_decompress(&d->info);
  d->progress.progress_monitor = count_scans;
  d->info.progress = &d->progress;
  jpeg_mem_src(&d->info, bytes, (unsigned long)count);
  jpeg_read_header(&d->info, TRUE);
}

static void prepare(decoder *d, ci_image_error *error) {
  memset(d, 0, sizeof *d);
  d->error = error;
  d->info.err = jpeg_std_error(&d->manager);
  d->manager.error_exit = escape;
  d->manager.emit_message = stop_where_cut;
  d->info.client_data = d;
}

int ci_jpeg_header(const unsigned char *bytes, size_t count, int *height, int *width, int *channels, ci_image_error *error) {
  decoder d;
  prepare(&d, error);
  if (setjmp(d.escape)) {
    jpeg_destroy_decompress(&d.info);
    return 0;
  }
  begin(&d, bytes, count);
  *height = (int)d.info.image_height;
  *width = (int)d.info.image_width;
  *channels = d.info.num_components == 1 ? 1 : 3;
  jpeg_destroy_decompress(&d.info);
  return 1;
}

int ci_jpeg_is_whole(const unsigned char *bytes, size_t count) {
  ci_image_error error;
  decoder d;
  prepare(&d, &error);
  if (setjmp(d.escape)) {
    jpeg_destroy_decompress(&d.info);
    return 0;
  }
  begin(&d, bytes, count);
  const int is_whole = jpeg_has_multiple_scans(&d.info);
  jpeg_destroy_decompress(&d.info);
  return is_whole;
}

/// Printers' inks, inverted as Adobe's programs write them: as everywhere, white times the share of ink that is missing.
static void mix_inks(const unsigned char *inks, long width, unsigned char *row) {
  for (long i = 0; i < width * 3; i++) row[i] = (unsigned char)((inks[i / 3 * 4 + i % 3] * inks[i / 3 * 4 + 3] + 127) / 255);
}

/// Leaves out the columns that a filter does not need, in whole blocks; how many are left out before the first that is decoded.
static long crop(decoder *d, const ci_filter *across, long count) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  // What is at the edge of the crop has no neighbours to interpolate colours from. Several scans may be smoothed across blocks.
  enum { neighbours = 4 };
  const long width = (long)d->info.output_width;
  const long needed = across->first[0] - neighbours, end = across->first[count - 1] + across->counts[count - 1] + neighbours;
  JDIMENSION first = needed > 0 ? (JDIMENSION)needed : 0, columns = (JDIMENSION)(end < width ? end : width) - first;
  if ((long)columns > width - width / 8 || jpeg_has_multiple_scans(&d->info)) return 0;
  jpeg_crop_scanline(&d->info, &first, &columns);
  return (long)first;
#else
  return 0;
#endif
}

/// Decodes all rows, at 1 / reduction of the size, to `pixels` or else to a resizer.
static int decode(
  const unsigned char *bytes, size_t count, int reduction, int height, int width, int channels, unsigned char *pixels,
  ci_resizer *resizer, ci_image_error *error) {
  decoder d;
  prepare(&d, error);
  if (setjmp(d.escape)) {
    jpeg_destroy_decompress(&d.info);
    return 0;
  }
  begin(&d, bytes, count);
  const int has_inks = d.info.jpeg_color_space == JCS_CMYK || d.info.jpeg_color_space == JCS_YCCK;
  const int components = has_inks ? 4 : channels;
  d.info.out_color_space = has_inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  d.info.scale_num = 1;
  d.info.scale_denom = (unsigned)reduction;
  jpeg_start_decompress(&d.info);
  if ((int)d.info.output_height != height || (int)d.info.output_width != width || d.info.output_components != components) {
    jpeg_destroy_decompress(&d.info);
    return fail(error, "the pixels are not what the header says");
  }
  const long left = resizer == NULL ? 0 : crop(&d, &resizer->across, resizer->sizes->window.width);
  const size_t room = (size_t)(left + (long)d.info.output_width) * 4 + ci_row_margin;
  // Freed with the decoder, wherever it is left.
  JSAMPROW inks = d.info.mem->alloc_large((j_common_ptr)&d.info, JPOOL_IMAGE, room);
  JSAMPROW line = d.info.mem->alloc_large((j_common_ptr)&d.info, JPOOL_IMAGE, room);
  memset(line, 0, room);
  while (d.info.output_scanline < d.info.output_height) {
    JSAMPROW row = pixels == NULL ? line : pixels + (size_t)d.info.output_scanline * (size_t)width * (size_t)channels;
    JSAMPROW start = row + left * channels;
    jpeg_read_scanlines(&d.info, has_inks ? &inks : &start, 1);
    if (has_inks) mix_inks(inks, (long)d.info.output_width, start);
    if (resizer != NULL) ci_resizer_push(resizer, line);
  }
  jpeg_finish_decompress(&d.info);
  jpeg_destroy_decompress(&d.info);
  return 1;
}

int ci_jpeg_decode(
  const unsigned char *bytes, size_t count, int reduction, int height, int width, int channels, unsigned char *pixels,
  ci_image_error *error) {
  return decode(bytes, count, reduction, height, width, channels, pixels, NULL, error);
}

int ci_jpeg_resize(
  const unsigned char *bytes, size_t count, int reduction, const ci_resizing *s, unsigned char *y, long new_stride,
  ci_image_error *error) {
  ci_resizer resizer;
  int is_done = ci_resizer_begin(&resizer, s, y, new_stride);
  if (!is_done) fail(error, ci_no_memory);
  is_done = is_done
    && decode(bytes, count, reduction, (int)s->height, (int)s->width, (int)s->channels, NULL, &resizer, error);
  ci_resizer_end(&resizer);
  return is_done;
}
