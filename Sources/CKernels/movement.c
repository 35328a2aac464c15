#include "movement.h"

#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define EIGHT en_eight_floats
#include "movement.body.h"
#undef REAL
#undef EIGHT
#define REAL double
#define EIGHT en_eight_doubles
#include "movement.body.h"
