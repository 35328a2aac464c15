#pragma once
// Runs of pixels and their taps as `taps.h` has them, by the definition of a convolution.
#include <string.h>

#include "definition.h"
#include "epilogues.h"

typedef struct {
  long height, width, channels;
} extent;

/// A plan that grows, of y from x, or backward of dx from dy.
typedef struct {
  convolution c;
  int isBackward;
  extent source, result;
  en_tap_run *runs;
  en_tap *taps;
  long runCount, tapCount;
} tap_lists;

/// The row or column that a tap of `to` reads, of as many as `side`; -1 where there is none.
SHARED long source_of(const tap_lists *l, long to, long tap, long side) {
  const long reach = tap * l->c.dilation - l->c.padding;
  if (l->isBackward && (to - reach) % l->c.stride != 0) return -1;
  const long source = l->isBackward ? (to - reach) / l->c.stride : to * l->c.stride + reach;
  return source >= 0 && source < side ? source : -1;
}

/// The taps that reach a column, as bits.
SHARED long taps_of_column(const tap_lists *l, long column) {
  long bits = 0;
  for (long tap = 0; tap < l->c.size; tap++) bits |= (long)(source_of(l, column, tap, l->source.width) >= 0) << tap;
  return bits;
}

/// What taps read ascends.
SHARED void add_run(tap_lists *l, long row, long column, long pixels) {
  const long size = l->c.size;
  en_tap_run run = {
    .to = (row * l->result.width + column) * l->result.channels, .pixels = pixels, .firstTap = l->tapCount};
  for (long i = 0; i < size * size; i++) {
    const long tap = l->isBackward ? size * size - 1 - i : i;
    const long y = source_of(l, row, tap / size, l->source.height), x = source_of(l, column, tap % size, l->source.width);
    if (y < 0 || x < 0) continue;
    const long at = (y * l->source.width + x) * l->source.channels;
    if (run.tapCount++ == 0) run.from = at;
    l->taps[l->tapCount++] = (en_tap){at - run.from, tap};
  }
  // They are only prefetched: as many as one likes.
  const long leads[] = {0, 1, run.tapCount / 2, run.tapCount}, leading = leads[l->runCount % COUNT(leads)];
  run.leadCount = leading < run.tapCount ? leading : run.tapCount;
  const long step = (l->isBackward ? 1 : l->c.stride) * l->source.channels;
  while (run.rowTaps < run.tapCount && l->taps[run.firstTap + run.rowTaps].offset == run.rowTaps * step) run.rowTaps++;
  if (run.rowTaps == 0 || run.tapCount % run.rowTaps) run.rowTaps = 1;
  l->runs[l->runCount++] = run;
}

SHARED en_tap_plan plan_of(convolution c, int isBackward) {
  const extent x = {c.height, c.width, c.inputs}, y = {c.outHeight, c.outWidth, c.outputs};
  tap_lists l = {.c = c, .isBackward = isBackward, .source = isBackward ? y : x, .result = isBackward ? x : y};
  const long pixels = l.result.height * l.result.width, step = isBackward ? c.stride : 1;
  l.runs = ARRAY(en_tap_run, pixels);
  l.taps = ARRAY(en_tap, pixels * c.size * c.size);
  for (long row = 0; row < l.result.height; row++) {
    for (long phase = 0; phase < step; phase++) {
      for (long first = phase, end; first < l.result.width; first = end) {
        end = first + step;
        while (end < l.result.width && taps_of_column(&l, end) == taps_of_column(&l, first)) end += step;
        add_run(&l, row, first, (end - first) / step);
      }
    }
  }
  // Arrays that end with what they hold.
  en_tap_run *runs = ARRAY(en_tap_run, l.runCount);
  en_tap *taps = ARRAY(en_tap, l.tapCount);
  memcpy(runs, l.runs, (size_t)l.runCount * sizeof *runs);
  memcpy(taps, l.taps, (size_t)l.tapCount * sizeof *taps);
  return (en_tap_plan){
    .runs = runs, .runCount = l.runCount, .taps = taps, .tapCount = l.tapCount, .kernelTaps = c.size * c.size,
    .fromStep = (isBackward ? 1 : c.stride) * l.source.channels, .toStep = step * l.result.channels,
    .xCount = l.source.height * l.source.width * l.source.channels, .yCount = pixels * l.result.channels};
}

/// Strides, dilations, borders with few taps or none, and pixels that backward no tap reaches; sizes of images, of the kernel,
/// stride, padding and dilation.
SHARED convolution geometry(long k, long inputs, long outputs, long groups) {
  const long all[][7] = {
    {2, 5, 7, 3, 1, 1, 1}, {1, 9, 9, 3, 2, 1, 1}, {1, 8, 11, 3, 2, 0, 1}, {1, 9, 10, 3, 1, 2, 2}, {1, 7, 9, 5, 1, 2, 1},
    {1, 10, 13, 3, 3, 1, 2}, {2, 4, 5, 1, 1, 0, 1}, {1, 5, 6, 1, 2, 0, 1}, {1, 3, 4, 3, 1, 3, 1}, {1, 2, 2, 7, 1, 3, 1},
    {3, 1, 1, 1, 1, 0, 1}, {2, 2, 17, 3, 1, 1, 1}, {1, 3, 31, 3, 1, 1, 1}};
  const long *g = all[k % COUNT(all)];
  return sized((convolution){
    .images = g[0], .height = g[1], .width = g[2], .inputs = inputs, .outputs = outputs, .size = g[3], .stride = g[4],
    .padding = g[5], .dilation = g[6], .groups = groups});
}
enum { geometries = 13 };

/// A row of so many pixels, all of which three taps reach: a single run.
SHARED convolution row_of(long pixels, long inputs, long outputs, long groups) {
  return sized((convolution){
    .images = 1, .height = 3, .width = pixels + 2, .inputs = inputs, .outputs = outputs, .size = 3, .stride = 1, .dilation = 1,
    .groups = groups});
}

SHARED void set_sizes_of(convolution c, const char *pass, long first, long channels, int kind) {
  set_size("%s, %ld images %ld×%ld, %ld groups of %ld to %ld, %ld + %ld, %ld×%ld taps, stride %ld, padding %ld, dilation %ld, "
           "epilogue %d", pass, c.images, c.height, c.width, c.groups, c.inputs / c.groups, c.outputs / c.groups, first, channels,
           c.size, c.size, c.stride, c.padding, c.dilation, kind);
}
