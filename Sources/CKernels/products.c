#include "products.h"

#include "contract.h"
#include "microkernel.h"
#include "vectors.h"

#define REAL float
#define VECTOR float_16
#include "products.body.h"
#undef REAL
#undef VECTOR
#define REAL double
#define VECTOR double_16
#include "products.body.h"
