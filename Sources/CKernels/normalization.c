#include "normalization.h"

#define REAL float
#include "normalization.body.h"
#undef REAL
#define REAL double
#include "normalization.body.h"
