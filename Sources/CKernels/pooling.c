#include "pooling.h"

#define REAL float
#include "pooling.body.h"
#undef REAL
#define REAL double
#include "pooling.body.h"
