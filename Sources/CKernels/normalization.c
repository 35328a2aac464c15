#include "normalization.h"

/// How the gradient finds what a ReLU let through.
enum { no_relu, relu_by_output, relu_again };

#define REAL float
#include "normalization.body.h"
#undef REAL
#define REAL double
#include "normalization.body.h"
