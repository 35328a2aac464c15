#include "optimizers.h"

#include "contract.h"

#define REAL float
#define MOMENTUM en_float_momentum
#define ADAM en_float_adam
#include "optimizers.body.h"
#undef REAL
#undef MOMENTUM
#undef ADAM
#define REAL double
#define MOMENTUM en_double_momentum
#define ADAM en_double_adam
#include "optimizers.body.h"
