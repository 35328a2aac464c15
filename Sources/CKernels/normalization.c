#include "normalization.h"

/// How the gradient finds what a ReLU let through.
enum { no_relu, relu_by_output, relu_again };
/// Where dy as it was let through is kept: nowhere, apart from dy, or in its place.
enum { keeps_nothing, keeps_elsewhere, keeps_in_place };

#define REAL float
#include "normalization.body.h"
#undef REAL
#define REAL double
#include "normalization.body.h"
