// The micro-kernels for vectors of LANES channels, of `count` neighbouring pixels of a run. `count` is a constant wherever they are
// inlined. All of them prefetch what the leading taps of the next pixels read: memory is slower than the few products of a tap.
#define VECTOR VECTOR_OF_LANES(LANES)
#define VECTOR_OF_LANES(lanes) VECTOR_OF(lanes)
#define AT(pointer) (*(VECTOR *)(pointer))
#define READ(pointer) (*(const VECTOR *)(pointer))
// Single channels are few: their code is there once, for every count.
#if LANES == 1
#define UNROLLED static __attribute__((noinline))
#define EACH_PIXEL for (long i = 0; i < count; i++)
#else
#define UNROLLED INLINED
#define EACH_PIXEL \
  _Pragma("clang loop unroll(full)") for (long i = 0; i < count; i++)
#endif

// Writes sums to y through the epilogue; `at` is the offset of the first of them from y, `channel` that of its bias.
UNROLLED OVERLOADED void NAMED(finish, LANES)(
  const long count, const VECTOR *sums, TYPE(epilogue) epilogue, long channel, REAL *y, long at, long step) {
  VECTOR bias = {0};
  if (epilogue.bias) bias = READ(epilogue.bias + channel);
#if LANES == 16
  if (epilogue.nontemporal && !epilogue.residual && !epilogue.relu) {
    EACH_PIXEL __builtin_nontemporal_store(sums[i] + bias, (NAMED(VECTOR_OF(16), line) *)(y + at + i * step));
    return;
  }
#endif
  if (!epilogue.residual && !epilogue.relu) {
    EACH_PIXEL AT(y + at + i * step) = sums[i] + bias;
    return;
  }
  EACH_PIXEL {
    VECTOR sum = sums[i] + bias;
    if (epilogue.residual) sum += READ(epilogue.residual + at + i * step);
    REAL *lanes = (REAL *)&sum;
    if (epilogue.relu)
      for (long j = 0; j < LANES; j++) lanes[j] = lanes[j] < 0 ? 0 : lanes[j];
    if (epilogue.relu == 6)
      for (long j = 0; j < LANES; j++) lanes[j] = lanes[j] > 6 ? 6 : lanes[j];
    AT(y + at + i * step) = sum;
  }
}

#if LANES != 8
// Computes all whole vectors from channel `c` on, and returns the channel after them.
UNROLLED OVERLOADED long NAMED(depthwise_pixels, LANES)(
  const long count, const TYPE(depthwise) *work, en_tap_run run, const en_tap *taps, long c) {
  const long step = work->plan.fromStep;
  for (; c + LANES <= work->channels; c += LANES) {
    const REAL *x = work->x + run.from + c, *w = work->w + c;
    VECTOR sums[12] = {0};
    for (long t = 0; t < run.tapCount; t++) {
      const VECTOR b = READ(w + taps[t].tap * work->wStep);
      const REAL *source = x + taps[t].offset;
      EACH_PIXEL sums[i] += READ(source + i * step) * b;
    }
    for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
      EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
    }
    NAMED(finish, LANES)(count, sums, work->epilogue, c, work->y, run.to + c, work->plan.toStep);
  }
  return c;
}

UNROLLED OVERLOADED long NAMED(depthwise_weights, LANES)(
  const long count, const TYPE(depthwise_weights) *work, en_tap_run run, const en_tap *taps, long c) {
  const long step = work->plan.fromStep, toStep = work->plan.toStep;
  for (; c + LANES <= work->channels; c += LANES) {
    const REAL *x = work->x + run.from + c, *upstream = work->dy + run.to + c;
    VECTOR dy[12];
    EACH_PIXEL dy[i] = READ(upstream + i * toStep);
    EACH_PIXEL __builtin_prefetch(upstream + (count + i) * toStep, 0, 3);
    for (long t = 0; t < run.tapCount; t++) {
      REAL *sums = work->sums + taps[t].tap * work->wStep + c;
      const REAL *source = x + taps[t].offset;
      VECTOR sum = READ(sums);
      EACH_PIXEL sum += READ(source + i * step) * dy[i];
      AT(sums) = sum;
    }
    for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
      EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
    }
  }
  return c;
}
#endif

#if LANES == 16
// The k-th of `size` channels of each group, for all lanes of its results: in a vector are several groups of `size` channels each.
#define OF_EIGHT(v, k) \
  __builtin_shufflevector(v, v, k, k, k, k, k, k, k, k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k, 8 + k)
#define OF_FOUR(v, k) \
  __builtin_shufflevector( \
    v, v, k, k, k, k, 4 + k, 4 + k, 4 + k, 4 + k, 8 + k, 8 + k, 8 + k, 8 + k, 12 + k, 12 + k, 12 + k, 12 + k)

// Computes sixteen results of whole groups of `size` channels, 4 or 8, from channel `c` on.
UNROLLED OVERLOADED void NAMED(whole_group_pixels, LANES)(
  const long count, const long size, const TYPE(groups) *work, en_tap_run run, const en_tap *taps, long c) {
  const long step = work->plan.fromStep;
  const REAL *x = work->x + run.from + c, *w = work->w + c * work->plan.kernelTaps * size;
  VECTOR sums[12] = {0};
  for (long t = 0; t < run.tapCount; t++) {
    const REAL *row = w + taps[t].tap * size * LANES, *source = x + taps[t].offset;
    VECTOR pixels[12];
    EACH_PIXEL pixels[i] = READ(source + i * step);
    if (t >= run.tapCount - run.leadCount) {
      EACH_PIXEL __builtin_prefetch(source + (count + i) * step, 0, 3);
    }
#define PRODUCTS(k, PICK)                            \
  {                                                  \
    const VECTOR b = READ(row + k * LANES);          \
    EACH_PIXEL sums[i] += PICK(pixels[i], k) * b;    \
  }
    if (size == 8) {
      PRODUCTS(0, OF_EIGHT) PRODUCTS(1, OF_EIGHT) PRODUCTS(2, OF_EIGHT) PRODUCTS(3, OF_EIGHT)
      PRODUCTS(4, OF_EIGHT) PRODUCTS(5, OF_EIGHT) PRODUCTS(6, OF_EIGHT) PRODUCTS(7, OF_EIGHT)
    } else {
      PRODUCTS(0, OF_FOUR) PRODUCTS(1, OF_FOUR) PRODUCTS(2, OF_FOUR) PRODUCTS(3, OF_FOUR)
    }
#undef PRODUCTS
  }
  NAMED(finish, LANES)(count, sums, work->epilogue, c, work->y, run.to + c, work->plan.toStep);
}

// Adds the products of sixteen results of whole groups to their sums.
UNROLLED OVERLOADED void NAMED(whole_group_weights, LANES)(
  const long count, const long size, const TYPE(groups_weights) *work, en_tap_run run, const en_tap *taps, long c) {
  const long step = work->plan.fromStep, toStep = work->plan.toStep;
  const REAL *x = work->x + run.from + c, *upstream = work->dy + run.to + c;
  REAL *panel = work->sums + c * work->plan.kernelTaps * size;
  VECTOR dy[12];
  EACH_PIXEL dy[i] = READ(upstream + i * toStep);
  EACH_PIXEL __builtin_prefetch(upstream + (count + i) * toStep, 0, 3);
  for (long t = 0; t < run.tapCount; t++) {
    REAL *row = panel + taps[t].tap * size * LANES;
    const REAL *source = x + taps[t].offset;
    VECTOR pixels[12];
    EACH_PIXEL pixels[i] = READ(source + i * step);
    if (t >= run.tapCount - run.leadCount) {
      EACH_PIXEL __builtin_prefetch(source + (count + i) * step, 0, 3);
    }
#define PRODUCTS(k, PICK)                             \
  {                                                   \
    VECTOR sum = READ(row + k * LANES);               \
    EACH_PIXEL sum += PICK(pixels[i], k) * dy[i];     \
    AT(row + k * LANES) = sum;                        \
  }
    if (size == 8) {
      PRODUCTS(0, OF_EIGHT) PRODUCTS(1, OF_EIGHT) PRODUCTS(2, OF_EIGHT) PRODUCTS(3, OF_EIGHT)
      PRODUCTS(4, OF_EIGHT) PRODUCTS(5, OF_EIGHT) PRODUCTS(6, OF_EIGHT) PRODUCTS(7, OF_EIGHT)
    } else {
      PRODUCTS(0, OF_FOUR) PRODUCTS(1, OF_FOUR) PRODUCTS(2, OF_FOUR) PRODUCTS(3, OF_FOUR)
    }
#undef PRODUCTS
  }
}
#undef OF_EIGHT
#undef OF_FOUR
#endif

#if LANES != 16
// Computes a block of outputs from `o` on of group `g`.
UNROLLED OVERLOADED void NAMED(group_pixels, LANES)(
  const long count, const TYPE(groups) *work, en_tap_run run, const en_tap *taps, long g, long o) {
  const long step = work->plan.fromStep, inputs = work->inputs, channel = g * work->outputs + o;
  const REAL *x = work->x + run.from + g * inputs, *w = work->w + channel * work->plan.kernelTaps * inputs;
  VECTOR sums[12] = {0};
  for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
    EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
  }
  for (long t = 0; t < run.tapCount; t++) {
    const REAL *row = w + taps[t].tap * inputs * LANES, *source = x + taps[t].offset;
    for (long k = 0; k < inputs; k++, row += LANES, source++) {
      const VECTOR b = READ(row);
      EACH_PIXEL sums[i] += source[i * step] * b;
    }
  }
  NAMED(finish, LANES)(count, sums, work->epilogue, channel, work->y, run.to + channel, work->plan.toStep);
}

UNROLLED OVERLOADED void NAMED(group_weights, LANES)(
  const long count, const TYPE(groups_weights) *work, en_tap_run run, const en_tap *taps, long g, long o) {
  const long step = work->plan.fromStep, toStep = work->plan.toStep;
  const long inputs = work->inputs, channel = g * work->outputs + o;
  const REAL *x = work->x + run.from + g * inputs, *upstream = work->dy + run.to + channel;
  REAL *panel = work->sums + channel * work->plan.kernelTaps * inputs;
  VECTOR dy[12];
  EACH_PIXEL dy[i] = READ(upstream + i * toStep);
  EACH_PIXEL __builtin_prefetch(upstream + (count + i) * toStep, 0, 3);
  for (long t = run.tapCount - run.leadCount; t < run.tapCount; t++) {
    EACH_PIXEL __builtin_prefetch(x + taps[t].offset + (count + i) * step, 0, 3);
  }
  for (long t = 0; t < run.tapCount; t++) {
    REAL *row = panel + taps[t].tap * inputs * LANES;
    const REAL *source = x + taps[t].offset;
    for (long k = 0; k < inputs; k++, row += LANES, source++) {
      VECTOR sum = READ(row);
      EACH_PIXEL sum += source[i * step] * dy[i];
      AT(row) = sum;
    }
  }
}
#endif
#undef VECTOR
#undef VECTOR_OF_LANES
#undef AT
#undef READ
#undef UNROLLED
#undef EACH_PIXEL
