#include "reductions.h"

enum { en_strip = 64 };

#define REAL float
#define block_sum block_sum_float
#include "reductions.body.h"
#undef block_sum
#undef REAL
#define REAL double
#define block_sum block_sum_double
#include "reductions.body.h"
