#include "resampling.h"

#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define VECTOR float_16
#define LINE float_line
#define MAP en_float_axis_map
#include "resampling.body.h"
#undef REAL
#undef VECTOR
#undef LINE
#undef MAP
#define REAL double
#define VECTOR double_16
#define LINE double_line
#define MAP en_double_axis_map
#include "resampling.body.h"
