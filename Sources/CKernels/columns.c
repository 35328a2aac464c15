#include "columns.h"

#include <float.h>

#include "contract.h"
#include "elementary.h"
#include "vectors.h"

// The most columns of which sums are in registers, those of a vector, and the rows of a part of a sum.
enum { en_columns = 64, en_columns_of_vector = 16, en_rows_of_part = 64 };

#define REAL float
#define LARGEST FLT_MAX
#define VECTORIZED _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#include "columns.body.h"
#undef REAL
#undef LARGEST
#undef VECTORIZED
#define REAL double
#define LARGEST DBL_MAX
#define VECTORIZED
#include "columns.body.h"
