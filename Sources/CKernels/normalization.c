#include "normalization.h"

#include "contract.h"
#include "vectors.h"

/// How the gradient finds the mask of a ReLU.
enum { no_relu, relu_from_output, relu_recomputed };
/// Where the masked gradient is written: nowhere, apart from dy, or in place.
enum { dz_none, dz_apart, dz_in_place };

#define REAL float
#define VECTOR float_16
#define LINE float_line
#define VECTORIZED _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#define NORM en_float_channel_norm
#define GRADIENT en_float_channel_gradient
#include "normalization.body.h"
#undef VECTORIZED
#undef REAL
#undef VECTOR
#undef LINE
#undef NORM
#undef GRADIENT
#define REAL double
#define VECTOR double_16
#define LINE double_line
#define VECTORIZED
#define NORM en_double_channel_norm
#define GRADIENT en_double_channel_gradient
#include "normalization.body.h"
