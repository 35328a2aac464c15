#include "winograd.h"

#include <string.h>

#include "contract.h"
#include "vectors.h"

#define REAL float
#define EPILOGUE en_float_epilogue
#define VECTOR float_16
#define LINE float_line
#define NAMED(name) name##_float
#include "register_tile.body.h"
#include "winograd.body.h"
#include "winograd_tiles.body.h"
#include "winograd_weights.body.h"
#include "winograd_products.body.h"
#undef REAL
#undef EPILOGUE
#undef VECTOR
#undef LINE
#undef NAMED
#define REAL double
#define EPILOGUE en_double_epilogue
#define VECTOR double_16
#define LINE double_line
#define NAMED(name) name##_double
#include "register_tile.body.h"
#include "winograd.body.h"
#include "winograd_tiles.body.h"
#include "winograd_weights.body.h"
#include "winograd_products.body.h"
