#include "optimizers.h"

#include <math.h>

#define REAL float
#include "optimizers.body.h"
#undef REAL
#define REAL double
#include "optimizers.body.h"
