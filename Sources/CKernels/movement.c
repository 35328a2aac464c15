#include "movement.h"

#include <string.h>

#define REAL float
#include "movement.body.h"
#undef REAL
#define REAL double
#include "movement.body.h"
