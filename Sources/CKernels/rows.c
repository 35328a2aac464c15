#include "rows.h"

#include <float.h>

#include "contract.h"
#include "elementary.h"
#include "vectors.h"

// For loops whose output may be an operand, and overlaps none otherwise.
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
enum { BLOCK = 512, WHOLE = 16 };

INLINED double natural_log(double x) { return log(x); }
INLINED OVERLOADED float square_root(float x) { return sqrtf(x); }
INLINED OVERLOADED double square_root(double x) { return sqrt(x); }

#define REAL float
#define LANES(n) float_lanes_##n
#define LARGEST FLT_MAX
#define TARGETS en_float_targets
#define NORM en_float_row_norm
#define GRADIENT en_float_row_gradient
#define VECTORIZED _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#include "lanes.body.h"
#include "rows.body.h"
#undef REAL
#undef LANES
#undef LARGEST
#undef TARGETS
#undef NORM
#undef GRADIENT
#undef VECTORIZED
#define REAL double
#define LANES(n) double_lanes_##n
#define LARGEST DBL_MAX
#define TARGETS en_double_targets
#define NORM en_double_row_norm
#define GRADIENT en_double_row_gradient
#define VECTORIZED
#include "lanes.body.h"
#include "rows.body.h"
