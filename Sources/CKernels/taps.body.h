#define LANES 16
#include "taps.lanes.h"
#include "taps.groups.h"
#undef LANES
#define LANES 8
#include "taps.lanes.h"
#undef LANES
#define LANES 4
#include "taps.lanes.h"
#undef LANES
#define LANES 1
#include "taps.lanes.h"
#undef LANES

// Does `TAKE(n)` for each strip of n pixels of each run. Pixels are taken a few at a time, and of these all channels: memory is read
// and written in its order.
#define STRIP(n) \
  case n: \
    TAKE(n); \
    break
#define FOR_EACH_STRIP(plan) \
  for (long r = 0; r < (plan).runCount; r++) { \
    en_tap_run run = (plan).runs[r]; \
    const en_tap *taps = (plan).taps + run.firstTap; \
    for (long count; run.pixels > 0; run.pixels -= count) { \
      count = en_split_mr(run.pixels, maxMR); \
      switch (count) { EN_EACH_MR(STRIP); } \
      run.from += count * (plan).fromStep; \
      run.to += count * (plan).toStep; \
    } \
  }

OVERLOADED KERNEL void en_depthwise(
  en_depthwise_channels work, const REAL *x, const REAL *w, EPILOGUE epilogue, REAL *y) {
  CHECK_PLAN(work.plan, work.channels, work.channels);
  assert(work.channels > 0 && work.channels <= work.wStep && EN_HAS(w, work.plan.kernelTaps));
  assert(EN_HAS(x, work.plan.tapCount * work.plan.runCount) && EN_HAS(y, work.plan.runCount));
  assert(!epilogue.nontemporal || (work.channels % en_nr == 0 && work.plan.toStep % en_nr == 0 && EN_IS_ALIGNED(y, 64)));
  const long maxMR = en_max_mr();
#define TAKE(n) \
  { \
    long c = depthwise_pixels_16(n, work, run, taps, x, w, epilogue, y, 0); \
    c = depthwise_pixels_4(n, work, run, taps, x, w, epilogue, y, c); \
    if (c < work.channels) depthwise_pixels_1(n, work, run, taps, x, w, epilogue, y, c); \
  }
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

OVERLOADED KERNEL void en_depthwise_weights(en_depthwise_channels work, const REAL *x, const REAL *dy, REAL *sums) {
  CHECK_PLAN(work.plan, work.channels, work.channels);
  assert(work.channels > 0 && work.channels <= work.wStep && EN_HAS(sums, work.plan.kernelTaps));
  assert(EN_HAS(x, work.plan.tapCount * work.plan.runCount) && EN_HAS(dy, work.plan.runCount));
  const long maxMR = en_max_mr();
#define TAKE(n) \
  { \
    long c = depthwise_weights_16(n, work, run, taps, x, dy, sums, 0); \
    c = depthwise_weights_4(n, work, run, taps, x, dy, sums, c); \
    if (c < work.channels) depthwise_weights_1(n, work, run, taps, x, dy, sums, c); \
  }
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

// Does `kernel` for sixteen results of whole groups at a time, or for the blocks of each group's outputs.
#define FOR_EACH_BLOCK(kernel, n, ...) \
  if (isWhole) { \
    for (long c = 0; c < work.groups * work.outputs; c += en_nr) { \
      if (work.inputs == 8) NAMED(whole_##kernel, 16)(n, 8, work, run, taps, c, __VA_ARGS__); \
      else NAMED(whole_##kernel, 16)(n, 4, work, run, taps, c, __VA_ARGS__); \
    } \
  } else { \
    for (long g = 0; g < work.groups; g++) { \
      for (long o = 0, lanes; o < work.outputs; o += lanes) { \
        lanes = en_group_lanes(work.outputs - o); \
        if (lanes == 8) NAMED(kernel, 8)(n, work, run, taps, g, o, __VA_ARGS__); \
        else if (lanes == 4) NAMED(kernel, 4)(n, work, run, taps, g, o, __VA_ARGS__); \
        else NAMED(kernel, 1)(n, work, run, taps, g, o, __VA_ARGS__); \
      } \
    } \
  }

OVERLOADED KERNEL void en_convolve_groups(
  en_channel_groups work, const REAL *x, const REAL *w, EPILOGUE epilogue, REAL *y) {
  CHECK_PLAN(work.plan, work.groups * work.inputs, work.groups * work.outputs);
  assert(work.groups > 0 && work.inputs > 0 && work.outputs > 0 && EN_HAS(w, work.plan.kernelTaps));
  assert(EN_HAS(x, work.plan.tapCount * work.plan.runCount) && EN_HAS(y, work.plan.runCount));
  const long maxMR = en_max_mr();
  const int isWhole = en_takes_whole_groups(work.groups, work.inputs, work.outputs);
  // Blocks that share a line do not stream.
  assert(!epilogue.nontemporal || !isWhole || EN_IS_ALIGNED(y, 64));
#define TAKE(n) FOR_EACH_BLOCK(group_pixels, n, x, w, epilogue, y)
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

OVERLOADED KERNEL void en_convolve_groups_weights(en_channel_groups work, const REAL *x, const REAL *dy, REAL *sums) {
  CHECK_PLAN(work.plan, work.groups * work.inputs, work.groups * work.outputs);
  assert(work.groups > 0 && work.inputs > 0 && work.outputs > 0 && EN_HAS(sums, work.plan.kernelTaps));
  assert(EN_HAS(x, work.plan.tapCount * work.plan.runCount) && EN_HAS(dy, work.plan.runCount));
  const long maxMR = en_max_mr();
  const int isWhole = en_takes_whole_groups(work.groups, work.inputs, work.outputs);
#define TAKE(n) FOR_EACH_BLOCK(group_weights, n, x, dy, sums)
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}
#undef FOR_EACH_BLOCK
#undef FOR_EACH_STRIP
#undef STRIP
