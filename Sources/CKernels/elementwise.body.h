// Results from element `i` on, `width` at a time, each computed in registers and stored past the caches: what is larger than a cache
// is not read into it to be written. `...` declares the operands of `result` at element i.
#define STREAMED(width, i, n, y, result, ...)                                                       \
  for (; i + width <= n; i += width) {                                                              \
    const long first = i;                                                                           \
    REAL results[width];                                                                            \
    VECTORIZED                                                                                      \
    for (long lane = 0; lane < width; lane++) {                                                     \
      const long i = first + lane;                                                                  \
      __VA_ARGS__;                                                                                  \
      results[lane] = result;                                                                       \
    }                                                                                               \
    EACH(line, 0, width / 16) __builtin_nontemporal_store(LOAD(results + 16 * line), (LINE *)(y + first + 16 * line)); \
  }

// y[i] = result for every i, in three ways. Where y is an operand, a pragma says that it overlaps none otherwise: the compiler's checks
// would end in a loop over single numbers, four times as slow. Elsewhere they serve, and the rest of a short row is in vectors too.
#define PLAIN(n, y, result, ...) for (long i = 0; i < n; i++) { __VA_ARGS__; y[i] = result; }
#define IN_PLACE(n, y, result, ...) _Pragma("clang loop vectorize(assume_safety)") PLAIN(n, y, result, __VA_ARGS__)
#define STREAM(n, y, result, ...)                                                   \
  {                                                                                 \
    long i = 0;                                                                     \
    for (; i < n && !EN_IS_ALIGNED(y + i, 64); i++) { __VA_ARGS__; y[i] = result; } \
    STREAMED(16, i, n, y, result, __VA_ARGS__)                                      \
    for (; i < n; i++) { __VA_ARGS__; y[i] = result; }                              \
  }
#define RESULTS(n, streams, isInPlace, y, result, ...) \
  if (isInPlace) IN_PLACE(n, y, result, __VA_ARGS__)   \
  else if (streams) STREAM(n, y, result, __VA_ARGS__)  \
  else PLAIN(n, y, result, __VA_ARGS__)

#define UNARY(name, result)                                                       \
  OVERLOADED KERNEL void en_##name(long n, int streams, const REAL *x, REAL *y) { \
    assert(n >= 0 && EN_HAS(x, n) && EN_HAS(y, n));                               \
    RESULTS(n, streams, x == y, y, result, const REAL v = x[i])                   \
  }

// A kernel `header` that maps x to y, where v is an element. Whole vectors, of which the last is a copy filled up: what has no
// branches is not done number by number at the end. Blocks stream, whose vectors hide the latency of each other.
#define MAPPED(header, result)                                     \
  OVERLOADED KERNEL void header {                                  \
    assert(n >= 0 && EN_HAS(x, n) && EN_HAS(y, n));                \
    const long whole = n & -en_lanes, rest = n - whole;            \
    long i = 0;                                                    \
    if (streams && x != y && EN_IS_ALIGNED(y, 64)) {               \
      STREAMED(en_block, i, whole, y, result, const REAL v = x[i]) \
    }                                                              \
    VECTORIZED                                                     \
    for (; i < whole; i++) {                                       \
      const REAL v = x[i];                                         \
      y[i] = result;                                               \
    }                                                              \
    if (rest == 0) return;                                         \
    REAL last[en_lanes] = {0};                                     \
    memcpy(last, x + whole, rest * sizeof(REAL));                  \
    VECTORIZED                                                     \
    for (long i = 0; i < en_lanes; i++) {                          \
      const REAL v = last[i];                                      \
      last[i] = result;                                            \
    }                                                              \
    memcpy(y + whole, last, rest * sizeof(REAL));                  \
  }
#define ELEMENTARY(name) MAPPED(en_##name(long n, int streams, const REAL *x, REAL *y), name##_of(v))

// The same for functions that reduce their argument; those that are too large for it, infinite or NaN are put right one by one.
#define PERIODIC(name)                                                                       \
  OVERLOADED KERNEL void en_##name(long n, int streams, const REAL *x, REAL *y) {            \
    assert(n >= 0 && EN_HAS(x, n) && EN_HAS(y, n));                                          \
    streams = streams && x != y && EN_IS_ALIGNED(y, 64);                                     \
    for (long start = 0; start < n; start += en_block) {                                     \
      const long count = n - start < en_block ? n - start : en_block;                        \
      REAL a[en_block] = {0}, b[en_block];                                                   \
      memcpy(a, x + start, count * sizeof(REAL));                                            \
      VECTORIZED                                                                             \
      for (long i = 0; i < en_block; i++) b[i] = name##_of(a[i]);                            \
      int beyond = 0;                                                                        \
      for (long i = 0; i < en_block; i++) beyond |= !(fabs(a[i]) <= en_largest_periodic);    \
      if (beyond) {                                                                          \
        for (long i = 0; i < count; i++) {                                                   \
          if (!(fabs(a[i]) <= en_largest_periodic)) b[i] = name(a[i]);                       \
        }                                                                                    \
      }                                                                                      \
      if (streams && count == en_block) {                                                    \
        EACH(line, 0, en_block / 16)                                                         \
          __builtin_nontemporal_store(LOAD(b + 16 * line), (LINE *)(y + start + 16 * line)); \
      } else {                                                                               \
        memcpy(y + start, b, count * sizeof(REAL));                                          \
      }                                                                                      \
    }                                                                                        \
  }
#include "unary.table.h"
#undef PERIODIC
#undef ELEMENTARY
#undef UNARY

// A kernel `header` that takes a gradient d of y back to x, of which v is an element.
#define MAPPED_BACK(header, result)                                            \
  OVERLOADED KERNEL void header {                                              \
    assert(n >= 0 && EN_HAS(x, n) && EN_HAS(dy, n) && EN_HAS(dx, n));          \
    const long whole = n & -en_lanes, rest = n - whole;                        \
    long i = 0;                                                                \
    if (streams && x != dx && dy != dx && EN_IS_ALIGNED(dx, 64)) {             \
      STREAMED(en_block, i, whole, dx, result, const REAL v = x[i], d = dy[i]) \
    }                                                                          \
    VECTORIZED                                                                 \
    for (; i < whole; i++) {                                                   \
      const REAL v = x[i], d = dy[i];                                          \
      dx[i] = result;                                                          \
    }                                                                          \
    if (rest == 0) return;                                                     \
    REAL lastX[en_lanes] = {0}, lastD[en_lanes] = {0};                         \
    memcpy(lastX, x + whole, rest * sizeof(REAL));                             \
    memcpy(lastD, dy + whole, rest * sizeof(REAL));                            \
    VECTORIZED                                                                 \
    for (long i = 0; i < en_lanes; i++) {                                      \
      const REAL v = lastX[i], d = lastD[i];                                   \
      lastD[i] = result;                                                       \
    }                                                                          \
    memcpy(dx + whole, lastD, rest * sizeof(REAL));                            \
  }
#define PULLBACK(name, result) \
  MAPPED_BACK(en_##name##_pullback(long n, int streams, const REAL *x, const REAL *dy, REAL *dx), result)
#include "pullback.table.h"
#undef PULLBACK

#ifndef NDEBUG
static OVERLOADED void check_pairs(en_pairs p, const REAL *x, const REAL *z, const REAL *y) {
  assert(p.rows >= 0 && p.n >= 0 && p.aRow >= 0 && p.bRow >= 0);
  assert((p.aStep == 0 || p.aStep == 1) && (p.bStep == 0 || p.bStep == 1));
  assert(EN_HAS(x, p.rows * p.n) && EN_HAS(z, p.rows * p.n) && EN_HAS(y, p.rows * p.n));
}
#define CHECK_PAIRS(...) check_pairs(__VA_ARGS__)
#else
#define CHECK_PAIRS(...)
#endif

// Branches on the operands' steps along a row, so that the loops vectorise. A row of b that all rows share is read from a copy: where it
// lay, its lines left the first-level cache of a Zen 4 for those of y, and 4096 rows of 1000 took 1.07 ms in place of 0.7.
#define EACH_ROW(LOOP, result)                                                \
  for (long row = 0; row < p.rows; row++, x += p.aRow, z += p.bRow, y += n) { \
    if (p.aStep && p.bStep) {                                                 \
      LOOP(n, y, result, const REAL a = x[i], b = z[i])                       \
    } else if (p.aStep) {                                                     \
      const REAL b = *z;                                                      \
      LOOP(n, y, result, const REAL a = x[i])                                 \
    } else if (p.bStep) {                                                     \
      const REAL a = *x;                                                      \
      LOOP(n, y, result, const REAL b = z[i])                                 \
    } else {                                                                  \
      const REAL a = *x, b = *z;                                              \
      for (long i = 0; i < n; i++) y[i] = result;                             \
    }                                                                         \
  }
#define BINARY(name, result)                                                            \
  OVERLOADED KERNEL void en_##name(en_pairs p, const REAL *x, const REAL *z, REAL *y) { \
    CHECK_PAIRS(p, x, z, y);                                                            \
    if (p.n == 0) return;                                                               \
    const long n = p.n;                                                                 \
    const int isInPlace = x == y || z == y;                                             \
    REAL copy[en_copied];                                                               \
    if (p.bRow == 0 && p.bStep && p.rows > 4 && n <= en_copied) {                       \
      memcpy(copy, z, n * sizeof(REAL));                                                \
      z = copy;                                                                         \
    }                                                                                   \
    if (isInPlace) EACH_ROW(IN_PLACE, result)                                           \
    else if (p.streams) EACH_ROW(STREAM, result)                                        \
    else EACH_ROW(PLAIN, result)                                                        \
  }
#include "binary.table.h"
#undef BINARY
#undef EACH_ROW

// Powers of a block of numbers at a time, whose operands lie side by side whatever their steps.
INLINED OVERLOADED void fill_power_block(
  long count, long step, const REAL *x, REAL *a) {
  if (step && count == en_block) {
    memcpy(a, x, en_block * sizeof(REAL));
  } else if (step) {
    for (long i = 0; i < count; i++) a[i] = x[i];
    for (long i = count; i < en_block; i++) a[i] = 1;
  } else {
    for (long i = 0; i < en_block; i++) a[i] = *x;
  }
}

OVERLOADED KERNEL void en_power(en_pairs p, const REAL *x, const REAL *z, REAL *y) {
  CHECK_PAIRS(p, x, z, y);
  for (long row = 0; row < p.rows; row++, x += p.aRow, z += p.bRow, y += p.n) {
    for (long start = 0; start < p.n; start += en_block) {
      const long count = p.n - start < en_block ? p.n - start : en_block;
      REAL a[en_block], b[en_block];
      fill_power_block(count, p.aStep, x + start * p.aStep, a);
      fill_power_block(count, p.bStep, z + start * p.bStep, b);
      VECTORIZED
      for (long i = 0; i < en_block; i++) a[i] = pow_of(a[i], b[i]);
      memcpy(y + start, a, count * sizeof(REAL));
    }
  }
}
#undef CHECK_PAIRS

OVERLOADED KERNEL void en_select(long n, const REAL *mask, const REAL *a, const REAL *b, REAL *y) {
  assert(n >= 0 && EN_HAS(mask, n) && EN_HAS(a, n) && EN_HAS(b, n) && EN_HAS(y, n));
  for (long i = 0; i < n; i++) y[i] = mask[i] != 0 ? a[i] : b[i];
}

// A slope of 0 is a branch of its own, as 0 · -∞ is NaN.
OVERLOADED KERNEL void en_leaky_relu(long n, int streams, REAL slope, const REAL *x, REAL *y) {
  assert(n >= 0 && EN_HAS(x, n) && EN_HAS(y, n));
  const int isInPlace = x == y;
  if (slope == 0) {
    RESULTS(n, streams, isInPlace, y, v <= 0 ? 0 : v, const REAL v = x[i])
    return;
  }
  RESULTS(n, streams, isInPlace, y, v > 0 ? v : slope * v, const REAL v = x[i])
}

OVERLOADED KERNEL void en_leaky_relu_backward(
  long n, int streams, REAL slope, const REAL *x, const REAL *dy, REAL *dx) {
  assert(n >= 0 && EN_HAS(x, n) && EN_HAS(dy, n) && EN_HAS(dx, n));
  const int isInPlace = x == dx || dy == dx;
  if (slope == 0) {
    RESULTS(n, streams, isInPlace, dx, v > 0 ? d : 0, const REAL v = x[i], d = dy[i])
    return;
  }
  RESULTS(n, streams, isInPlace, dx, v > 0 ? d : slope * d, const REAL v = x[i], d = dy[i])
}

// Where NaN passes, it is the last operand of the selections.
MAPPED(en_elu(long n, int streams, REAL scale, const REAL *x, REAL *y), v > 0 ? v : scale * expm1_of(v > 0 ? 0 : v))
MAPPED_BACK(
  en_elu_backward(long n, int streams, REAL scale, const REAL *x, const REAL *dy, REAL *dx), v > 0 ? d : d * (scale * exp_of(v > 0 ? 0 : v)))
MAPPED(en_clamp(long n, int streams, REAL low, REAL high, const REAL *x, REAL *y), v < low ? low : v > high ? high : v)
MAPPED_BACK(
  en_clamp_backward(long n, int streams, REAL low, REAL high, const REAL *x, const REAL *dy, REAL *dx), v >= low && v <= high ? d : 0)
// With q = min(|x|, δ) both branches are q (|x| - q/2).
INLINED OVERLOADED REAL huber_of(REAL threshold, REAL v) {
  const REAL a = v < 0 ? -v : v, q = a > threshold ? threshold : a;
  return q * (a - q * (REAL)0.5);
}
MAPPED(en_huber(long n, int streams, REAL threshold, const REAL *x, REAL *y), huber_of(threshold, v))
#undef MAPPED
#undef MAPPED_BACK
#undef RESULTS
#undef STREAM
#undef IN_PLACE
#undef PLAIN
#undef STREAMED
