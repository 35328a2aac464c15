#include "elementwise.h"

#include <tgmath.h>

#include "activations.h"
#include "contract.h"
#include "periodic.h"
#include "vectors.h"

enum { en_lanes = 16, en_block = 64, en_copied = 2048 };

#define REAL float
#define VECTOR float_16
#define LINE float_line
#define VECTORIZED _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#include "elementwise.body.h"
#undef VECTORIZED
#undef REAL
#undef VECTOR
#undef LINE
#define REAL double
#define VECTOR double_16
#define LINE double_line
#define VECTORIZED
#include "elementwise.body.h"
