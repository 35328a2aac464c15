// The products of Winograd-domain components.
//
// The micro-kernels keep MR rows of 16 sums in registers. Each step loads one row of the right factor and multiplies it by
// one scalar for each row of sums, read where it lies. Factors that exceed the first-level cache are prefetched while
// the ones before them are multiplied: their runs are too short for the hardware prefetcher.

/// sums[panel][rows][16] += v[rows][channels] u[panel][channels][16], the channels a multiple of four; if `prefetches`,
/// prefetches as much of the next u.
INLINED void NAMED(add_rows_by_panels)(
  const long rows, const long panels, long channels, const REAL *v, long vRow, const REAL *u, long uPanel, VECTOR *sums,
  const int prefetches, const REAL *nextU) {
  // One pointer addresses three rows without arithmetic. The assembly hides from the compiler that these pointers are related,
  // as it would compute the address of every row, and that steps are independent, as it would hoist loads until registers run
  // out.
  const REAL *from[4];
  EACH(i, 0, 4) from[i] = v + 3 * i * vRow;
  for (const REAL *end = u + channels * 16; u < end; u += 4 * 16, nextU += 4 * 16) {
    EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(from[i]));
    EACH(c, 0, 4) {
      if (prefetches) EACH(j, 0, panels) __builtin_prefetch(nextU + j * uPanel + c * 16, 0, 2);
      VECTOR b[2];
      EACH(j, 0, panels) b[j] = *(const VECTOR *)(u + j * uPanel + c * 16);
      EACH(i, 0, rows) EACH(j, 0, panels) sums[j * 12 + i] += from[i / 3][i % 3 * vRow + c] * b[j];
      __asm__ volatile("" : : : "memory");
    }
    EACH(i, 0, 4) from[i] += 4;
  }
}

/// m[rows][panel][16] (+)= v[rows][channels] u[panel][channels][16]; prefetches as much of one of the next factors: the other
/// is null.
INLINED void NAMED(rows_by_panels)(
  const long rows, const long panels, long channels, const REAL *v, long vRow, const REAL *u, long uPanel, REAL *m,
  long mRow, int adds, const REAL *nextV, const REAL *nextU) {
  VECTOR sums[24];
  EACH(j, 0, panels) EACH(i, 0, rows)
    sums[j * 12 + i] = adds ? *(const VECTOR *)(m + i * mRow + j * 16) : (VECTOR){0};
  if (nextV) {
    const REAL *next[4];
    EACH(i, 0, 4) next[i] = nextV + 3 * i * vRow;
    for (long c = 0; c < channels; c += 16) {
      EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(next[i]));
      EACH(i, 0, rows) __builtin_prefetch(next[i / 3] + i % 3 * vRow, 0, 2);
      EACH(i, 0, 4) next[i] += 16;
      NAMED(add_rows_by_panels)(rows, panels, 16, v + c, vRow, u + c * 16, uPanel, sums, 0, u);
    }
  } else if (nextU) {
    NAMED(add_rows_by_panels)(rows, panels, channels, v, vRow, u, uPanel, sums, 1, nextU);
  } else {
    NAMED(add_rows_by_panels)(rows, panels, channels, v, vRow, u, uPanel, sums, 0, u);
  }
  EACH(j, 0, panels) EACH(i, 0, rows) *(VECTOR *)(m + i * mRow + j * 16) = sums[j * 12 + i];
}

/// m[panel][rows][16] (+)= Σ v[t][rows] d[panel][t][16]; if `prefetches`, prefetches as much of the next factor.
INLINED void NAMED(columns_by_panels)(
  const long rows, const long panels, long tiles, const REAL *v, const REAL *d, long dPanel, REAL *m, long mPanel, int adds,
  const int prefetches, const REAL *next) {
  VECTOR sums[16];
  EACH(j, 0, panels) EACH(i, 0, rows)
    sums[j * 8 + i] = adds ? *(const VECTOR *)(m + j * mPanel + i * 16) : (VECTOR){0};
#pragma clang loop unroll_count(4)
  for (long t = 0; t < tiles; t++) {
    if (prefetches) __builtin_prefetch(next + t * 16, 0, 2);
    VECTOR b[2];
    EACH(j, 0, panels) b[j] = *(const VECTOR *)(d + j * dPanel + t * 16);
    EACH(i, 0, rows) EACH(j, 0, panels) sums[j * 8 + i] += v[t * 16 + i] * b[j];
  }
  EACH(j, 0, panels) EACH(i, 0, rows) *(VECTOR *)(m + j * mPanel + i * 16) = sums[j * 8 + i];
}

/// Inlined with and without prefetching.
INLINED void NAMED(multiply)(
  const int prefetches, long maxMR, long components, long tiles, long channels, long first, long end, const REAL *v,
  long vComponent, long blocks, const REAL *u, long uComponent, long uBlock, REAL *m, long mComponent, en_prefetch prefetch) {
  // So many channels of a panel stay in the first-level cache over all tiles.
  enum { depth = 256 };
  // AVX-512 has registers for twelve rows of two panels of floats.
  enum { hasRegisters = sizeof(REAL) == 4 };
  const long mRow = blocks * 16;
  for (long p = 0; p < components; p++) {
    for (long c = first; c < end; c += depth) {
      const long count = end - c < depth ? end - c : depth;
      for (long t = 0; t < tiles;) {
        const long rows = en_split_mr(tiles - t, maxMR);
        if (c == 0 && prefetch.bytes > 0) en_prefetch_part(prefetch, p * tiles + t, components * tiles, rows);
        for (long b = 0, taken; b < blocks; b += taken) {
          // Two panels at a time where MR is twelve, which implies enough registers: a step then loads less than it multiplies.
          taken = rows == 12 && hasRegisters && b + 1 < blocks ? 2 : 1;
          const REAL *from = v + p * vComponent + t * channels + c, *panel = u + b * uBlock + p * uComponent + (c - first) * 16;
          REAL *to = m + p * mComponent + t * mRow + b * 16;
          const REAL *nextV = 0, *nextU = 0;
          if (prefetches && t + rows == tiles)
            nextU = c + depth < end ? panel + depth * 16 : u + b * uBlock + (p + 1) * uComponent;
          else if (prefetches && b == 0)
            nextV = from + rows * channels;
#define ROWS(n) \
  case n: \
    if (n == 12 && hasRegisters && taken == 2) \
      NAMED(rows_by_panels)(n, 2, count, from, channels, panel, uBlock, to, mRow, c > 0, nextV, nextU); \
    else \
      NAMED(rows_by_panels)(n, 1, count, from, channels, panel, uBlock, to, mRow, c > 0, nextV, nextU); \
    break
          switch (rows) { EN_EACH_MR(ROWS); }
#undef ROWS
        }
        t += rows;
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const REAL *v, long vComponent, long blocks,
  const REAL *u, long uComponent, long uBlock, REAL *m, long mComponent, en_prefetch prefetch) {
  const long components = form == en_winograd_4x4 ? 36 : 9, maxMR = en_max_mr();
  if (channels > (maxMR > 6 ? 32 : 128))
    NAMED(multiply)(
      1, maxMR, components, tiles, channels, first, end, v, vComponent, blocks, u, uComponent, uBlock, m, mComponent, prefetch);
  else
    NAMED(multiply)(
      0, maxMR, components, tiles, channels, first, end, v, vComponent, blocks, u, uComponent, uBlock, m, mComponent, prefetch);
}

/// Inlined with and without prefetching, and for both register files: sixteen rows of sums of one block of outputs go in three
/// parts, of two blocks in two.
INLINED void NAMED(multiply_transposed)(
  const int prefetches, const int isWide, long components, long tiles, long inputs, const REAL *v, long outputs, const REAL *d,
  long block, long component, REAL *du, long duBlock, long duComponent, int adds, en_prefetch prefetch) {
  for (long p = 0; p < components; p++) {
    for (long k = 0, taken; k < outputs; k += taken) {
      taken = isWide && sizeof(REAL) == 4 && k + 1 < outputs ? 2 : 1;
      for (long c = 0; c < inputs; c++) {
        if (prefetch.bytes > 0)
          en_prefetch_part(prefetch, (p * outputs + k) * inputs + c * taken, components * outputs * inputs, taken);
        const REAL *from = v + c * block + p * component, *panel = d + k * block + p * component;
        REAL *to = du + k * duBlock + p * duComponent + c * 256;
        const REAL *nextV = 0, *nextD = 0;
        if (prefetches) {
          // Next after this block of inputs: the next one, the next blocks of outputs, or the next component.
          const int endsInputs = c + 1 == inputs, endsComponent = endsInputs && k + taken == outputs;
          nextV = endsComponent ? v + (p + 1) * component : endsInputs ? v + p * component : from + block;
          nextD = endsComponent ? d + (p + 1) * component : endsInputs ? panel + taken * block : panel;
          const REAL *next =
            endsComponent ? du + (p + 1) * duComponent : endsInputs ? du + (k + taken) * duBlock + p * duComponent : to + 256;
          if (adds)
            for (long j = 0; j < taken; j++) EACH(i, 0, 16) __builtin_prefetch(next + j * duBlock + i * 16, 1, 2);
        }
#define COLUMNS(rows, panels, first, prefetches, next) \
  NAMED(columns_by_panels)( \
    rows, panels, tiles, from + first, panel, block, to + first * 16, duBlock, adds, prefetches, next)
        if (!isWide) {
          COLUMNS(6, 1, 0, prefetches, nextV);
          COLUMNS(5, 1, 6, prefetches, nextD);
          COLUMNS(5, 1, 11, 0, 0);
        } else if (taken == 2) {
          COLUMNS(8, 2, 0, prefetches, nextV);
          COLUMNS(8, 2, 8, prefetches, nextD);
        } else {
          COLUMNS(8, 1, 0, prefetches, nextV);
          COLUMNS(8, 1, 8, prefetches, nextD);
        }
#undef COLUMNS
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const REAL *v, long outputs, const REAL *d, long block, long component,
  REAL *du, long duBlock, long duComponent, int adds, en_prefetch prefetch) {
  const long components = form == en_winograd_4x4 ? 36 : 9;
#define MULTIPLY(prefetches, isWide) \
  NAMED(multiply_transposed)( \
    prefetches, isWide, components, tiles, inputs, v, outputs, d, block, component, du, duBlock, duComponent, adds, prefetch)
  if (en_max_mr() > 6)
    if (tiles > 32) MULTIPLY(1, 1); else MULTIPLY(0, 1);
  else if (tiles > 32) MULTIPLY(1, 0); else MULTIPLY(0, 0);
#undef MULTIPLY
}
