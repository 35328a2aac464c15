#include "sorting.h"

#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define KEY uint32_t
#define RANKED en_float_ranked
#include "sorting.body.h"
#undef REAL
#undef KEY
#undef RANKED
#define REAL double
#define KEY uint64_t
#define RANKED en_double_ranked
#include "sorting.body.h"
