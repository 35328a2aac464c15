#include "elementwise.h"

#include <tgmath.h>

#include "activations.h"
#include "contract.h"
#include "periodic.h"
#include "vectors.h"

enum { en_lanes = 16, en_block = 64, en_copied = 2048 };

#define REAL float
#define VECTORIZED _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#include "elementwise.body.h"
#undef VECTORIZED
#undef REAL
#define REAL double
#define VECTORIZED
#include "elementwise.body.h"
