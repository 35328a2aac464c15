// Vectors of sixteen results that hold whole groups of `size` channels, 4 or 8, of which each reads as many channels as it writes.
// The inputs of a pixel are one vector too, whose scalars are permuted in registers. Of `count` neighbouring pixels of a run;
// `count` and `size` are constants wherever these are inlined.
#define VECTOR VECTOR_OF(16)
#define EACH_PIXEL EACH(i, 0, count)
// The k-th channel of each group, for all lanes of its results.
#define OF_EIGHT(v, k) \
  __builtin_shufflevector(v, v, k, k, k, k, k, k, k, k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k)
#define OF_FOUR(v, k) \
  __builtin_shufflevector( \
    v, v, k, k, k, k, 4 + k, 4 + k, 4 + k, 4 + k, 8 + k, 8 + k, 8 + k, 8 + k, 12 + k, 12 + k, 12 + k, 12 + k)
// Does `PRODUCTS(k, pick)` for the k-th channel of groups of `size`.
#define EACH_CHANNEL_OF(size) \
  if (size == 8) { \
    PRODUCTS(0, OF_EIGHT) PRODUCTS(1, OF_EIGHT) PRODUCTS(2, OF_EIGHT) PRODUCTS(3, OF_EIGHT) \
    PRODUCTS(4, OF_EIGHT) PRODUCTS(5, OF_EIGHT) PRODUCTS(6, OF_EIGHT) PRODUCTS(7, OF_EIGHT) \
  } else { \
    PRODUCTS(0, OF_FOUR) PRODUCTS(1, OF_FOUR) PRODUCTS(2, OF_FOUR) PRODUCTS(3, OF_FOUR) \
  }

// Reads the pixels under a tap, and prefetches what a leading tap of the next pixels reads.
INLINED OVERLOADED void load_pixels(
  const long count, const REAL *source, const int isLeading, long step, VECTOR *pixels) {
  EACH_PIXEL pixels[i] = LOAD(source + i * step);
  if (isLeading) EACH_PIXEL __builtin_prefetch(source + (count + i) * step, 0, 3);
}

// Computes sixteen results from channel `c` on.
INLINED OVERLOADED void whole_group_pixels_16(
  const long count, const long size, en_channel_groups work, en_tap_run run, const en_tap *taps, long c, const REAL *x,
  const REAL *w, EPILOGUE epilogue, REAL *y) {
  x += run.from + c;
  w += c * work.plan.kernelTaps * size;
  VECTOR sums[en_mr] = {0};
  for (long t = 0; t < run.tapCount; t++) {
    const REAL *row = w + taps[t].tap * size * en_nr;
    VECTOR pixels[en_mr];
    load_pixels(count, x + taps[t].offset, t >= run.tapCount - run.leadCount, work.plan.fromStep, pixels);
#define PRODUCTS(k, pick) \
  { \
    const VECTOR b = LOAD(row + k * en_nr); \
    EACH_PIXEL sums[i] += pick(pixels[i], k) * b; \
  }
    EACH_CHANNEL_OF(size)
#undef PRODUCTS
  }
  finish_16(count, sums, epilogue, c, y, run.to + c, work.plan.toStep);
}

// Adds the products of sixteen results from channel `c` on to their sums.
INLINED OVERLOADED void whole_group_weights_16(
  const long count, const long size, en_channel_groups work, en_tap_run run, const en_tap *taps, long c, const REAL *x,
  const REAL *dy, REAL *sums) {
  x += run.from + c;
  sums += c * work.plan.kernelTaps * size;
  VECTOR results[en_mr];
  load_pixels(count, dy + run.to + c, 1, work.plan.toStep, results);
  for (long t = 0; t < run.tapCount; t++) {
    REAL *row = sums + taps[t].tap * size * en_nr;
    VECTOR pixels[en_mr];
    load_pixels(count, x + taps[t].offset, t >= run.tapCount - run.leadCount, work.plan.fromStep, pixels);
#define PRODUCTS(k, pick) \
  { \
    VECTOR sum = LOAD(row + k * en_nr); \
    EACH_PIXEL sum += pick(pixels[i], k) * results[i]; \
    STORE(row + k * en_nr, sum); \
  }
    EACH_CHANNEL_OF(size)
#undef PRODUCTS
  }
}
#undef EACH_CHANNEL_OF
#undef OF_EIGHT
#undef OF_FOUR
#undef EACH_PIXEL
#undef VECTOR
