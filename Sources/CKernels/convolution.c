#include "convolution.h"

#include <string.h>

// A panel's row as one vector, which the compiler splits into as many registers as the instruction set needs.
// Aligned like a scalar, for unaligned loads and stores.
typedef float float_row __attribute__((vector_size(64), aligned(4)));
typedef double double_row __attribute__((vector_size(128), aligned(8)));
// The same, aligned to a cache line.
typedef float float_line __attribute__((vector_size(64), aligned(64)));
typedef double double_line __attribute__((vector_size(128), aligned(64)));

#define REAL float
#define EPILOGUE en_float_epilogue
#define ROW float_row
#define LINE float_line
#include "convolution.body.h"
#undef REAL
#undef EPILOGUE
#undef ROW
#undef LINE
#define REAL double
#define EPILOGUE en_double_epilogue
#define ROW double_row
#define LINE double_line
#include "convolution.body.h"
