#define INLINED static inline __attribute__((always_inline))
#define PASTED(a, b) a##_##b
#define NAMED(name, lanes) PASTED(name, lanes)

#define LANES 16
#include "taps.lanes.h"
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

// Pixels are taken a few at a time, and of these all channels: memory is read and written in its order.
#define PIXELS(n) \
  case n: \
    TAKE(n); \
    break
#define FOR_EACH_STRIP(plan)                                                                    \
  for (long r = 0; r < (plan).runCount; r++) {                                                  \
    en_tap_run run = (plan).runs[r];                                                            \
    const en_tap *taps = (plan).taps + run.firstTap;                                            \
    for (long count; run.pixels > 0; run.pixels -= count) {                                     \
      count = strip_of(run.pixels, maxMR);                                                      \
      switch (count) { PIXELS(1); PIXELS(2); PIXELS(3); PIXELS(4); PIXELS(5); PIXELS(6); PIXELS(12); }\
      run.from += count * (plan).fromStep;                                                      \
      run.to += count * (plan).toStep;                                                          \
    }                                                                                           \
  }

OVERLOADED KERNEL void en_depthwise(const TYPE(depthwise) *pointer) {
  const TYPE(depthwise) work = *pointer;
  assert(work.channels > 0 && work.channels <= work.wStep && is_within(work.plan, work.channels, work.channels));
  const long maxMR = en_max_mr();
#define TAKE(n)                                                   \
  {                                                               \
    long c = 0;                                                   \
    c = depthwise_pixels_16(n, &work, run, taps, c); \
    c = depthwise_pixels_4(n, &work, run, taps, c); \
    depthwise_pixels_1(n, &work, run, taps, c); \
  }
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

OVERLOADED KERNEL void en_depthwise_weights(const TYPE(depthwise_weights) *pointer) {
  const TYPE(depthwise_weights) work = *pointer;
  assert(work.channels > 0 && work.channels <= work.wStep && is_within(work.plan, work.channels, work.channels));
  const long maxMR = en_max_mr();
#define TAKE(n)                                                           \
  {                                                                       \
    long c = 0;                                                           \
    c = depthwise_weights_16(n, &work, run, taps, c); \
    c = depthwise_weights_4(n, &work, run, taps, c); \
    depthwise_weights_1(n, &work, run, taps, c); \
  }
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

// Sixteen results of whole groups at a time, or the blocks of each group's outputs.
#define FOR_EACH_BLOCK(kernel, n)                                                              \
  if (isWhole) {                                                                               \
    for (long c = 0; c < work.groups * work.outputs; c += 16) {                                \
      if (work.inputs == 8) NAMED(whole_##kernel, 16)(n, 8, &work, run, taps, c);              \
      else NAMED(whole_##kernel, 16)(n, 4, &work, run, taps, c);                               \
    }                                                                                          \
  } else {                                                                                     \
    for (long g = 0; g < work.groups; g++) {                                                   \
      for (long o = 0, lanes; o < work.outputs; o += lanes) {                                  \
        lanes = en_group_lanes(work.outputs - o);                                              \
        if (lanes == 8) NAMED(kernel, 8)(n, &work, run, taps, g, o);                           \
        else if (lanes == 4) NAMED(kernel, 4)(n, &work, run, taps, g, o);                      \
        else NAMED(kernel, 1)(n, &work, run, taps, g, o);                                      \
      }                                                                                        \
    }                                                                                          \
  }

OVERLOADED KERNEL void en_convolve_groups(const TYPE(groups) *pointer) {
  const TYPE(groups) work = *pointer;
  assert(work.inputs > 0 && work.outputs > 0);
  assert(is_within(work.plan, work.groups * work.inputs, work.groups * work.outputs));
  const long maxMR = en_max_mr();
  const int isWhole = en_takes_whole_groups(work.groups, work.inputs, work.outputs);
#define TAKE(n) FOR_EACH_BLOCK(group_pixels, n)
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}

OVERLOADED KERNEL void en_convolve_groups_weights(const TYPE(groups_weights) *pointer) {
  const TYPE(groups_weights) work = *pointer;
  assert(work.inputs > 0 && work.outputs > 0);
  assert(is_within(work.plan, work.groups * work.inputs, work.groups * work.outputs));
  const long maxMR = en_max_mr();
  const int isWhole = en_takes_whole_groups(work.groups, work.inputs, work.outputs);
#define TAKE(n) FOR_EACH_BLOCK(group_weights, n)
  FOR_EACH_STRIP(work.plan)
#undef TAKE
}
#undef FOR_EACH_BLOCK
#undef FOR_EACH_STRIP
#undef PIXELS
#undef NAMED
#undef PASTED
#undef INLINED
