// Rows of runs: copied, joined, split and gathered.
// Eight numbers side by side, at any address.
typedef REAL EIGHT __attribute__((vector_size(8 * sizeof(REAL)), aligned(sizeof(REAL))));
// Fewer of them.
typedef REAL FOUR __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL))));
typedef REAL TWO __attribute__((vector_size(2 * sizeof(REAL)), aligned(sizeof(REAL))));

/// y = x past the caches, in lines of y: what is larger than a cache is not read into it to be written.
INLINED OVERLOADED void stream_run(const long n, const REAL *restrict x, REAL *restrict y) {
  long i = 0;
  for (; i < n && !EN_IS_ALIGNED(y + i, 64); i++) y[i] = x[i];
  for (; i + 16 <= n; i += 16) __builtin_nontemporal_store(LOAD(x + i), (LINE *)(y + i));
  for (; i < n; i++) y[i] = x[i];
}

/// y = x, two vectors that overlap where a run is short: a call for each costs more than the copy.
INLINED OVERLOADED void copy_run(const long n, const REAL *restrict x, REAL *restrict y) {
  enum { long_run = 1 << 12 };
  if (n >= long_run) {
    memcpy(y, x, n * sizeof(REAL));
  } else if (n >= 16) {
    for (long i = 0; i < n - 16; i += 16) STORE(y + i, LOAD(x + i));
    STORE(y + n - 16, LOAD(x + n - 16));
  } else if (n >= 8) {
    const EIGHT last = *(const EIGHT *)(x + n - 8);
    *(EIGHT *)y = *(const EIGHT *)x;
    *(EIGHT *)(y + n - 8) = last;
  } else {
    for (long i = 0; i < n; i++) y[i] = x[i];
  }
}

// A run of few scalars moves as one vector: what it writes behind the run is overwritten by the next one. The last run, and
// the one at the highest address, are moved as they are.
#define MOVE_SHORT(TYPE, from, to) (*(TYPE *)(to) = *(const TYPE *)(from))
#define SHORT_RUNS(TYPE)                                                                \
  {                                                                                     \
    const long first = xStep < 0;                                                       \
    if (first) copy_run(n, x, y);                                                       \
    for (long i = first; i < rows - 1; i++) MOVE_SHORT(TYPE, x + i * xStep, y + i * n); \
    copy_run(n, x + (rows - 1) * xStep, y + (rows - 1) * n);                            \
  }

/// Rows of few scalars as above: what a vector writes behind its row is overwritten by the next one.
#define REPEAT_SHORT(TYPE)                                                                      \
  for (; (i + 1) * n + (long)(sizeof(TYPE) / sizeof(REAL)) <= rows * n && i < rows - 1; i++) \
    *(TYPE *)(y + i * n) = x[i * xStep] - (TYPE){0};

OVERLOADED KERNEL void en_repeat(long rows, long n, long xStep, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows) && EN_HAS(y, rows * n));
  long i = 0;
  if (n > 8 && n < 16) REPEAT_SHORT(VECTOR)
  else if (n > 4 && n < 8) REPEAT_SHORT(EIGHT)
  for (; i < rows; i++) {
    const REAL value = x[i * xStep];
    for (long j = 0; j < n; j++) y[i * n + j] = value;
  }
}
#undef REPEAT_SHORT

/// The pixels of a row with three channels in reverse order, five in a vector.
INLINED OVERLOADED void reverse_triples(long rows, const REAL *x, REAL *y) {
  copy_run(3, x, y);
  long i = 1;
  for (; i + 5 < rows; i += 5) {
    const VECTOR v = LOAD(x - 3 * (i + 4));
    STORE(y + 3 * i, __builtin_shufflevector(v, v, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 15));
  }
  for (; i < rows; i++) copy_run(3, x - 3 * i, y + 3 * i);
}

OVERLOADED KERNEL void en_copy_runs(long rows, long n, long xStep, int streams, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  assert(rows <= 1 || xStep == 0 || xStep >= n || -xStep >= n);
  if (rows == 0 || n == 0) return;
  // Lines that two runs share are not streamed: each would write a part of them to memory.
  if (streams && (rows == 1 || (n % 16 == 0 && EN_IS_ALIGNED(y, 64)))) {
    // What is read backwards is written backwards: an ascending reader is what the processor foresees.
    if (xStep < 0) {
      for (long i = rows - 1; i >= 0; i--) stream_run(n, x + i * xStep, y + i * n);
    } else {
      for (long i = 0; i < rows; i++) stream_run(n, x + i * xStep, y + i * n);
    }
    return;
  }
  if (n > 16) {
    for (long i = 0; i < rows; i++) copy_run(n, x + i * xStep, y + i * n);
    return;
  }
  if (n == 3 && xStep == -3) return reverse_triples(rows, x, y);
  REAL repeated[16] = {0};
  if (xStep == 0) {
    for (long i = 0; i < n; i++) repeated[i] = x[i];
    x = repeated;
  }
  if (n > 8) SHORT_RUNS(VECTOR)
  else if (n > 4) SHORT_RUNS(EIGHT)
  else if (n > 2) SHORT_RUNS(FOUR)
  else if (n == 2) SHORT_RUNS(TWO)
  else
    for (long i = 0; i < rows; i++) y[i] = x[i * xStep];
}
#undef SHORT_RUNS

#define JOIN_TWO_SHORT(TYPE)                                  \
  {                                                           \
    const long first = widths[0], second = widths[1];         \
    const REAL *a = x[0], *b = x[1];                          \
    for (; row < rows - 16; row++, a += first, b += second) { \
      MOVE_SHORT(TYPE, a, y);                                 \
      MOVE_SHORT(TYPE, b, y + first);                         \
      y += first + second;                                    \
    }                                                         \
  }
#define JOIN_SHORT(TYPE)                                                                            \
  for (; row < rows - 16; row++) {                                                                  \
    for (long part = 0; part < parts; y += widths[part++]) MOVE_SHORT(TYPE, x[part] + row * widths[part], y); \
  }

OVERLOADED KERNEL void en_join_rows(
  long rows, long parts, const long *widths, int streams, const REAL *const *x, REAL *y) {
  assert(rows >= 0 && parts >= 0 && EN_HAS(widths, parts) && EN_HAS(x, parts));
  long widest = 0, narrowest = 16;
  int areLines = EN_IS_ALIGNED(y, 64);
  for (long part = 0; part < parts; part++) {
    assert(widths[part] >= 0 && EN_HAS(x[part], rows * widths[part]));
    if (widths[part] > widest) widest = widths[part];
    if (widths[part] < narrowest) narrowest = widths[part];
    areLines &= widths[part] % 16 == 0;
  }
  if (streams && areLines) {
    for (long row = 0; row < rows; row++) {
      for (long part = 0; part < parts; y += widths[part++]) stream_run(widths[part], x[part] + row * widths[part], y);
    }
    return;
  }
  long row = 0;
  // A vector may reach fifteen scalars too far, which are as many rows at most.
  if (narrowest > 0) {
    if (parts == 2 && widest <= 4) JOIN_TWO_SHORT(FOUR)
    else if (parts == 2 && widest <= 8) JOIN_TWO_SHORT(EIGHT)
    else if (widest <= 4) JOIN_SHORT(FOUR)
    else if (widest <= 8) JOIN_SHORT(EIGHT)
    else if (widest <= 16) JOIN_SHORT(VECTOR)
  }
  for (; row < rows; row++) {
    for (long part = 0; part < parts; y += widths[part++]) copy_run(widths[part], x[part] + row * widths[part], y);
  }
}
#undef JOIN_SHORT
#undef JOIN_TWO_SHORT

#define SPLIT_SHORT(TYPE)                                                                           \
  for (; row < rows - 16; row++) {                                                                  \
    for (long part = 0; part < parts; x += widths[part++]) MOVE_SHORT(TYPE, x, y[part] + row * widths[part]); \
  }

// One pass: two that read every other run of x took three times as long.
OVERLOADED KERNEL void en_split_rows(
  long rows, long parts, const long *widths, int streams, const REAL *x, REAL *const *y) {
  assert(rows >= 0 && parts >= 0 && EN_HAS(widths, parts) && EN_HAS(y, parts));
  long widest = 0, narrowest = 16;
  for (long part = 0; part < parts; part++) {
    assert(widths[part] >= 0 && EN_HAS(y[part], rows * widths[part]));
    if (widths[part] > widest) widest = widths[part];
    if (widths[part] < narrowest) narrowest = widths[part];
    streams &= widths[part] % 16 == 0 && EN_IS_ALIGNED(y[part], 64);
  }
  if (streams) {
    for (long row = 0; row < rows; row++) {
      for (long part = 0; part < parts; x += widths[part++]) stream_run(widths[part], x, y[part] + row * widths[part]);
    }
    return;
  }
  long row = 0;
  // What a vector writes behind a run is overwritten by the next row.
  if (narrowest > 0) {
    if (widest <= 4) SPLIT_SHORT(FOUR)
    else if (widest <= 8) SPLIT_SHORT(EIGHT)
    else if (widest <= 16) SPLIT_SHORT(VECTOR)
  }
  for (; row < rows; row++) {
    for (long part = 0; part < parts; x += widths[part++]) copy_run(widths[part], x, y[part] + row * widths[part]);
  }
}
#undef SPLIT_SHORT

#define GATHER_SHORT(TYPE)                                                             \
  for (long row = 0; row < rows - 1; row++) {                                          \
    if (indices[row] < count - 1) MOVE_SHORT(TYPE, x + indices[row] * n, y + row * n); \
    else copy_run(n, x + indices[row] * n, y + row * n);                               \
  }

OVERLOADED KERNEL void en_gather_rows(long rows, long n, long count, const long *indices, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(indices, rows) && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  for (long row = 0; row < rows; row++) assert(indices[row] >= 0 && indices[row] < count);
  if (rows == 0 || n == 0) return;
  if (n == 1) {
    // Where a slice fits in a first-level cache, all lines of the one that most likely follows: the hardware fetches nothing
    // ahead of places without an order.
    const long line = 64 / sizeof(REAL), lines = (count + line - 1) / line;
    const long ahead = lines <= rows && lines <= (32 << 10) / 64 ? lines : 0;
    for (long row = 0; row < ahead; row++) {
      y[row] = x[indices[row]];
      __builtin_prefetch(x + count + row * line, 0, 3);
    }
    for (long row = ahead; row < rows; row++) y[row] = x[indices[row]];
    return;
  }
  if (n > 16) {
    for (long row = 0; row < rows; row++) copy_run(n, x + indices[row] * n, y + row * n);
    return;
  }
  if (n > 8) GATHER_SHORT(VECTOR)
  else if (n > 4) GATHER_SHORT(EIGHT)
  else if (n > 2) GATHER_SHORT(FOUR)
  else GATHER_SHORT(TWO)
  copy_run(n, x + indices[rows - 1] * n, y + (rows - 1) * n);
}
#undef GATHER_SHORT
#undef MOVE_SHORT
