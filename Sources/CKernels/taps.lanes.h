// The micro-kernels for vectors of LANES channels, of `count` neighbouring pixels of a run. `count` is a constant wherever they are
// inlined. All of them prefetch what the leading taps of the next pixels read: memory is slower than the few products of a tap.
#define VECTOR VECTOR_OF_LANES(LANES)
#define VECTOR_OF_LANES(lanes) VECTOR_OF(lanes)
// Single channels are few: their code is there once, for every count.
#if LANES == 1
#define FOR_A_STRIP static __attribute__((noinline))
#define EACH_PIXEL for (long i = 0; i < count; i++)
#else
#define FOR_A_STRIP INLINED
#define EACH_PIXEL EACH(i, 0, count)
#endif

// Writes sums to y through the epilogue; `at` is the offset of the first of them from y, `channel` that of its bias.
FOR_A_STRIP OVERLOADED void NAMED(finish, LANES)(
  const long count, const VECTOR *sums, EPILOGUE epilogue, long channel, REAL *y, long at, long step) {
  VECTOR bias = {0};
  if (epilogue.bias) bias = LOAD(epilogue.bias + channel);
#if LANES == 16
  if (epilogue.nontemporal && !epilogue.residual && !epilogue.relu) {
    EACH_PIXEL __builtin_nontemporal_store(sums[i] + bias, (LINE *)(y + at + i * step));
    return;
  }
#endif
  if (!epilogue.residual && !epilogue.relu) {
    EACH_PIXEL STORE(y + at + i * step, sums[i] + bias);
    return;
  }
  EACH_PIXEL {
    VECTOR sum = sums[i] + bias;
    if (epilogue.residual) sum += LOAD(epilogue.residual + at + i * step);
    REAL *lanes = (REAL *)&sum;
    if (epilogue.relu)
      for (long j = 0; j < LANES; j++) lanes[j] = lanes[j] < 0 ? 0 : lanes[j];
    if (epilogue.relu == 6)
      for (long j = 0; j < LANES; j++) lanes[j] = lanes[j] > 6 ? 6 : lanes[j];
    STORE(y + at + i * step, sum);
  }
}

#if LANES == 16
// The sums of rows of `width` neighbouring taps, a constant too: a pixel is read once for all taps of a row.
INLINED OVERLOADED void add_rows_of_taps(
  const long count, const long width, en_tap_run run, const en_tap *taps, long step, const REAL *x, const REAL *w,
  long wStep, VECTOR *sums) {
  for (long t = 0; t < run.tapCount; t += width) {
    VECTOR b[5];
    EACH(k, 0, width) b[k] = LOAD(w + taps[t + k].tap * wStep);
    EACH(i, 0, count + width - 1) {
      const VECTOR pixel = LOAD(x + taps[t].offset + i * step);
      EACH(k, 0, width) if (i - k >= 0 && i - k < count) sums[i - k] += pixel * b[k];
    }
  }
}

INLINED OVERLOADED void add_rows_of_weights(
  const long count, const long width, en_tap_run run, const en_tap *taps, long step, const REAL *x, const VECTOR *results,
  REAL *sums, long wStep) {
  for (long t = 0; t < run.tapCount; t += width) {
    VECTOR b[5];
    EACH(k, 0, width) b[k] = LOAD(sums + taps[t + k].tap * wStep);
    EACH(i, 0, count + width - 1) {
      const VECTOR pixel = LOAD(x + taps[t].offset + i * step);
      EACH(k, 0, width) if (i - k >= 0 && i - k < count) b[k] += pixel * results[i - k];
    }
    EACH(k, 0, width) STORE(sums + taps[t + k].tap * wStep, b[k]);
  }
}
#endif

#if LANES != 8
// Computes all whole vectors from channel `c` on, and returns the channel after them.
FOR_A_STRIP OVERLOADED long NAMED(depthwise_pixels, LANES)(
  const long count, en_depthwise_channels work, en_tap_run run, const en_tap *taps, const REAL *x, const REAL *w,
  EPILOGUE epilogue, REAL *y, long c) {
  const long step = work.plan.fromStep, rowTaps = rows_in_registers(count, run);
  x += run.from;
  for (; c + LANES <= work.channels; c += LANES) {
    VECTOR sums[en_mr] = {0};
#if LANES == 16
    if (rowTaps == 3) add_rows_of_taps(count, 3, run, taps, step, x + c, w + c, work.wStep, sums);
    else if (rowTaps == 5) add_rows_of_taps(count, 5, run, taps, step, x + c, w + c, work.wStep, sums);
    else
#endif
      for (long t = 0; t < run.tapCount; t++) {
        const VECTOR b = LOAD(w + taps[t].tap * work.wStep + c);
        const REAL *source = x + taps[t].offset + c;
        EACH_PIXEL sums[i] += LOAD(source + i * step) * b;
      }
    for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
      EACH_PIXEL __builtin_prefetch(x + taps[t].offset + c + (count + i) * step, 0, 3);
    }
    NAMED(finish, LANES)(count, sums, epilogue, c, y, run.to + c, work.plan.toStep);
  }
  return c;
}

FOR_A_STRIP OVERLOADED long NAMED(depthwise_weights, LANES)(
  const long count, en_depthwise_channels work, en_tap_run run, const en_tap *taps, const REAL *x, const REAL *dy,
  REAL *sums, long c) {
  const long step = work.plan.fromStep, toStep = work.plan.toStep;
  const long rowTaps = rows_in_registers(count, run);
  x += run.from;
  dy += run.to;
  for (; c + LANES <= work.channels; c += LANES) {
    VECTOR pixels[en_mr];
    EACH_PIXEL pixels[i] = LOAD(dy + c + i * toStep);
    EACH_PIXEL __builtin_prefetch(dy + c + (count + i) * toStep, 0, 3);
#if LANES == 16
    if (rowTaps == 3) add_rows_of_weights(count, 3, run, taps, step, x + c, pixels, sums + c, work.wStep);
    else if (rowTaps == 5) add_rows_of_weights(count, 5, run, taps, step, x + c, pixels, sums + c, work.wStep);
    else
#endif
      for (long t = 0; t < run.tapCount; t++) {
        REAL *total = sums + taps[t].tap * work.wStep + c;
        const REAL *source = x + taps[t].offset + c;
        VECTOR sum = LOAD(total);
        EACH_PIXEL sum += LOAD(source + i * step) * pixels[i];
        STORE(total, sum);
      }
    for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
      EACH_PIXEL __builtin_prefetch(x + taps[t].offset + c + (count + i) * step, 0, 3);
    }
  }
  return c;
}
#endif

#if LANES != 16
// Computes a block of outputs from `o` on of group `g`.
FOR_A_STRIP OVERLOADED void NAMED(group_pixels, LANES)(
  const long count, en_channel_groups work, en_tap_run run, const en_tap *taps, long g, long o, const REAL *x,
  const REAL *w, EPILOGUE epilogue, REAL *y) {
  const long step = work.plan.fromStep, inputs = work.inputs, channel = g * work.outputs + o;
  x += run.from + g * inputs;
  w += channel * work.plan.kernelTaps * inputs;
  VECTOR sums[en_mr] = {0};
  for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
    EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
  }
  for (long t = 0; t < run.tapCount; t++) {
    const REAL *row = w + taps[t].tap * inputs * LANES, *source = x + taps[t].offset;
    for (long k = 0; k < inputs; k++, row += LANES, source++) {
      const VECTOR b = LOAD(row);
      EACH_PIXEL sums[i] += source[i * step] * b;
    }
  }
  NAMED(finish, LANES)(count, sums, epilogue, channel, y, run.to + channel, work.plan.toStep);
}

// Adds the products of a block of outputs from `o` on of group `g` to their sums.
FOR_A_STRIP OVERLOADED void NAMED(group_weights, LANES)(
  const long count, en_channel_groups work, en_tap_run run, const en_tap *taps, long g, long o, const REAL *x,
  const REAL *dy, REAL *sums) {
  const long step = work.plan.fromStep, toStep = work.plan.toStep;
  const long inputs = work.inputs, channel = g * work.outputs + o;
  x += run.from + g * inputs;
  dy += run.to + channel;
  sums += channel * work.plan.kernelTaps * inputs;
  VECTOR pixels[en_mr];
  EACH_PIXEL pixels[i] = LOAD(dy + i * toStep);
  EACH_PIXEL __builtin_prefetch(dy + (count + i) * toStep, 0, 3);
  for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
    EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
  }
  for (long t = 0; t < run.tapCount; t++) {
    REAL *row = sums + taps[t].tap * inputs * LANES;
    const REAL *source = x + taps[t].offset;
    for (long k = 0; k < inputs; k++, row += LANES, source++) {
      VECTOR sum = LOAD(row);
      EACH_PIXEL sum += source[i * step] * pixels[i];
      STORE(row, sum);
    }
  }
}
#endif
#undef VECTOR
#undef VECTOR_OF_LANES
#undef FOR_A_STRIP
#undef EACH_PIXEL
