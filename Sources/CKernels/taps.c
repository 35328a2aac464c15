#include "taps.h"

#include "contract.h"
#include "vectors.h"

// Shorter vectors, for channels and groups that do not fill one of sixteen.
typedef float float_8 __attribute__((vector_size(32), aligned(4)));
typedef float float_4 __attribute__((vector_size(16), aligned(4)));
typedef double double_8 __attribute__((vector_size(64), aligned(8)));
typedef double double_4 __attribute__((vector_size(32), aligned(8)));
typedef float float_1;
typedef double double_1;

#ifndef NDEBUG
static void check_plan(en_tap_plan plan, long xChannels, long yChannels) {
  assert(EN_HAS(plan.runs, plan.runCount) && EN_HAS(plan.taps, plan.tapCount) && xChannels > 0 && yChannels > 0);
  for (long r = 0; r < plan.runCount; r++) {
    const en_tap_run run = plan.runs[r];
    assert(run.pixels > 0 && run.firstTap >= 0 && run.firstTap + run.tapCount <= plan.tapCount);
    assert(run.leadCount >= 0 && run.leadCount <= run.tapCount);
    assert(run.rowTaps >= 1 && run.tapCount % run.rowTaps == 0);
    assert(run.to >= 0 && run.to + (run.pixels - 1) * plan.toStep + yChannels <= plan.yCount);
    for (long t = run.firstTap; t < run.firstTap + run.tapCount; t++) {
      const long first = run.from + plan.taps[t].offset;
      assert(first >= 0 && first + (run.pixels - 1) * plan.fromStep + xChannels <= plan.xCount);
      assert(plan.taps[t].tap >= 0 && plan.taps[t].tap < plan.kernelTaps);
      if ((t - run.firstTap) % run.rowTaps > 0) assert(plan.taps[t].offset == plan.taps[t - 1].offset + plan.fromStep);
    }
  }
}
#define CHECK_PLAN(plan, xChannels, yChannels) check_plan(plan, xChannels, yChannels)
#else
#define CHECK_PLAN(plan, xChannels, yChannels)
#endif

// The taps of a row that are taken together: AVX-512 alone has registers for their weights beside the sums.
INLINED long rows_in_registers(const long count, en_tap_run run) {
  return count > 1 && en_max_mr() == en_mr ? run.rowTaps : 1;
}

#define PASTED(a, b) a##_##b
#define NAMED(name, lanes) PASTED(name, lanes)

#define REAL float
#define EPILOGUE en_float_epilogue
#define LINE float_line
#define VECTOR_OF(lanes) float_##lanes
#include "taps.body.h"
#undef REAL
#undef EPILOGUE
#undef LINE
#undef VECTOR_OF
#define REAL double
#define EPILOGUE en_double_epilogue
#define LINE double_line
#define VECTOR_OF(lanes) double_##lanes
#include "taps.body.h"
