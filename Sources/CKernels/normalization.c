#include "normalization.h"

#include "contract.h"
#include "vectors.h"

/// How the gradient finds the mask of a ReLU.
enum { no_relu, relu_from_output, relu_recomputed };
/// Where the masked gradient is written: nowhere, apart from dy, or in place.
enum { dz_none, dz_apart, dz_in_place };

#define REAL float
#define NORM en_float_channel_norm
#define GRADIENT en_float_channel_gradient
#include "normalization.body.h"
#undef REAL
#undef NORM
#undef GRADIENT
#define REAL double
#define NORM en_double_channel_norm
#define GRADIENT en_double_channel_gradient
#include "normalization.body.h"
