#include "elementwise.h"

#include <tgmath.h>

#define REAL float
#include "elementwise.body.h"
#undef REAL
#define REAL double
#include "elementwise.body.h"
