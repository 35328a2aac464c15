#include "normalization.h"

/// How the gradient finds the mask of a ReLU.
enum { no_relu, relu_from_output, relu_recomputed };
/// Where the masked gradient is written: nowhere, apart from dy, or in place.
enum { dz_none, dz_apart, dz_in_place };

#define REAL float
#include "normalization.body.h"
#undef REAL
#define REAL double
#include "normalization.body.h"
