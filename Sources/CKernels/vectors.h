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
