#include "winograd.h"

#include <string.h>

#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define EACH(i, from, to) UNROLLED for (long i = from; i < to; i++)
#define LOAD(p) (*(const VECTOR *)(p))
#define STORE(p, v) (*(VECTOR *)(p) = (v))

// Sixteen channels, which the compiler splits into as many registers as the instruction set needs. Aligned like
// a scalar, for unaligned loads and stores.
typedef float float_16 __attribute__((vector_size(64), aligned(4)));
typedef double double_16 __attribute__((vector_size(128), aligned(8)));
// The same, aligned to a cache line.
typedef float float_line __attribute__((vector_size(64), aligned(64)));
typedef double double_line __attribute__((vector_size(128), aligned(64)));

#define REAL float
#define EPILOGUE en_float_epilogue
#define VECTOR float_16
#define LINE float_line
#define NAMED(name) name##_float
#include "winograd.body.h"
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
#include "winograd.body.h"
#include "winograd_weights.body.h"
#include "winograd_products.body.h"
