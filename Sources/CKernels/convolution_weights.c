#include "convolution.h"

#include "contract.h"
#include "vectors.h"

#define REAL float
#define VECTOR float_16
#include "register_tile.body.h"
#include "convolution_weights.body.h"
#undef REAL
#undef VECTOR
#define REAL double
#define VECTOR double_16
#include "register_tile.body.h"
#include "convolution_weights.body.h"
