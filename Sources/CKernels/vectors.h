#pragma once
// Explicit vectors of sixteen scalars, which the compiler splits into as many registers as the instruction set needs.

#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define EACH(i, from, to) UNROLLED for (long i = from; i < to; i++)
#define LOAD(p) (*(const VECTOR *)(p))
#define STORE(p, v) (*(VECTOR *)(p) = (v))

// Aligned like a scalar, for unaligned loads and stores.
typedef float float_16 __attribute__((vector_size(64), aligned(4)));
typedef double double_16 __attribute__((vector_size(128), aligned(8)));
// The same, aligned to a cache line.
typedef float float_line __attribute__((vector_size(64), aligned(64)));
typedef double double_line __attribute__((vector_size(128), aligned(64)));
// The same with halves `lo` and `hi`, as in `lanes.body.h`.
#define LANES_OF(type, n) typedef type type##_lanes_##n __attribute__((ext_vector_type(n), aligned(sizeof(type))))
LANES_OF(float, 16);
LANES_OF(float, 8);
LANES_OF(float, 4);
LANES_OF(float, 2);
LANES_OF(double, 16);
LANES_OF(double, 8);
LANES_OF(double, 4);
LANES_OF(double, 2);
#undef LANES_OF

// What `block_sum` adds: x, x², x z, (x - mean)², (x - z)², or |x - z|. Beyond the last number it takes `mean` for x and 0 for z, so
// that terms there are 0: whoever does not ask for deviations gives 0 as the mean, and who has no z gives x.
enum { en_numbers, en_squares, en_products, en_deviations, en_differences, en_distances };
