#include "movement.h"

#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define VECTOR float_16
#define LINE float_line
#define EIGHT en_eight_floats
#define FOUR en_four_floats
#define TWO en_two_floats
#include "runs.body.h"
#include "movement.body.h"
#undef REAL
#undef VECTOR
#undef LINE
#undef EIGHT
#undef FOUR
#undef TWO
#define REAL double
#define VECTOR double_16
#define LINE double_line
#define EIGHT en_eight_doubles
#define FOUR en_four_doubles
#define TWO en_two_doubles
#include "runs.body.h"
#include "movement.body.h"
