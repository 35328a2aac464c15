#include "reductions.h"

#include "contract.h"
#include "vectors.h"

enum { en_strip = 64, en_short = 16 };

#ifndef NDEBUG
static void check_axes(en_axes axes, const void *x, const void *y) {
  assert(axes.outer >= 0 && axes.n >= 0 && axes.inner >= 0);
  assert(EN_HAS(x, axes.outer * axes.n * axes.inner) && EN_HAS(y, axes.outer * axes.inner));
}
#define CHECK_AXES(...) check_axes(__VA_ARGS__)
#else
#define CHECK_AXES(...)
#endif

#define REAL float
#define LANES(n) float_lanes_##n
#include "lanes.body.h"
#include "reductions.body.h"
#undef REAL
#undef LANES
#define REAL double
#define LANES(n) double_lanes_##n
#include "lanes.body.h"
#include "reductions.body.h"
