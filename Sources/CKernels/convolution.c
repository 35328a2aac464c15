#include "convolution.h"

#include <string.h>

#include "contract.h"
#include "movement.h"
#include "vectors.h"

#define REAL float
#define EPILOGUE en_float_epilogue
#define VECTOR float_16
#define LINE float_line
#include "register_tile.body.h"
#include "convolution.body.h"
#undef REAL
#undef EPILOGUE
#undef VECTOR
#undef LINE
#define REAL double
#define EPILOGUE en_double_epilogue
#define VECTOR double_16
#define LINE double_line
#include "register_tile.body.h"
#include "convolution.body.h"
