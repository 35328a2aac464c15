#include "resampling.h"

#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define MAP en_float_axis_map
#include "resampling.body.h"
#undef REAL
#undef MAP
#define REAL double
#define MAP en_double_axis_map
#include "resampling.body.h"
