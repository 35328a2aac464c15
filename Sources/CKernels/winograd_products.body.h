// The products of Winograd's planes.
//
// The micro-kernels keep some rows of 16 sums in registers. Each step loads one row of the right factor and multiplies it by
// one scalar for each row of sums, read where it lies. Factors beyond what the first-level cache holds are brought near while
// those before them are multiplied: they come in pieces too short for the processor to guess the next.

/// sums[panel][rows][16] += v[rows][channels] u[panel][channels][16], the channels a multiple of four; where it `fetches`, brings
/// near as much of the next u.
INLINED void NAMED(add_rows_by_panels)(
  const long rows, const long panels, long channels, const REAL *v, long vRow, const REAL *u, long uPanel, VECTOR *sums,
  const int fetches, const REAL *nextU) {
  // One pointer reaches three rows without arithmetic. That these pointers are related is hidden from the compiler, which
  // would else add up the address of every row; and that a step has nothing to do with the one before, as it would load so
  // far ahead that registers run out.
  const REAL *from[4];
  EACH(i, 0, 4) from[i] = v + 3 * i * vRow;
  for (const REAL *end = u + channels * 16; u < end; u += 4 * 16, nextU += 4 * 16) {
    EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(from[i]));
    EACH(c, 0, 4) {
      if (fetches) EACH(j, 0, panels) __builtin_prefetch(nextU + j * uPanel + c * 16, 0, 2);
      VECTOR b[2];
      EACH(j, 0, panels) b[j] = *(const VECTOR *)(u + j * uPanel + c * 16);
      EACH(i, 0, rows) EACH(j, 0, panels) sums[j * 12 + i] += from[i / 3][i % 3 * vRow + c] * b[j];
      __asm__ volatile("" : : : "memory");
    }
    EACH(i, 0, 4) from[i] += 4;
  }
}

/// m[rows][panel][16] (+)= v[rows][channels] u[panel][channels][16]; brings near as much of one of the next factors, of which the
/// other is 0.
INLINED void NAMED(rows_by_panels)(
  const long rows, const long panels, long channels, const REAL *v, long vRow, const REAL *u, long uPanel, REAL *m,
  long mRow, int adds, const REAL *nextV, const REAL *nextU) {
  VECTOR sums[24];
  EACH(j, 0, panels) EACH(i, 0, rows)
    sums[j * 12 + i] = adds ? *(const VECTOR *)(m + i * mRow + j * 16) : (VECTOR){0};
  if (nextV) {
    const REAL *soon[4];
    EACH(i, 0, 4) soon[i] = nextV + 3 * i * vRow;
    for (long c = 0; c < channels; c += 16) {
      EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(soon[i]));
      EACH(i, 0, rows) __builtin_prefetch(soon[i / 3] + i % 3 * vRow, 0, 2);
      EACH(i, 0, 4) soon[i] += 16;
      NAMED(add_rows_by_panels)(rows, panels, 16, v + c, vRow, u + c * 16, uPanel, sums, 0, u);
    }
  } else if (nextU) {
    NAMED(add_rows_by_panels)(rows, panels, channels, v, vRow, u, uPanel, sums, 1, nextU);
  } else {
    NAMED(add_rows_by_panels)(rows, panels, channels, v, vRow, u, uPanel, sums, 0, u);
  }
  EACH(j, 0, panels) EACH(i, 0, rows) *(VECTOR *)(m + i * mRow + j * 16) = sums[j * 12 + i];
}

/// m[panel][rows][16] (+)= Σ v[t][rows] d[panel][t][16]; where it `fetches`, brings near as much of the next factor.
INLINED void NAMED(columns_by_panels)(
  const long rows, const long panels, long tiles, const REAL *v, const REAL *d, long dPanel, REAL *m, long mPanel, int adds,
  const int fetches, const REAL *next) {
  VECTOR sums[16];
  EACH(j, 0, panels) EACH(i, 0, rows)
    sums[j * 8 + i] = adds ? *(const VECTOR *)(m + j * mPanel + i * 16) : (VECTOR){0};
#pragma clang loop unroll_count(4)
  for (long t = 0; t < tiles; t++) {
    if (fetches) __builtin_prefetch(next + t * 16, 0, 2);
    VECTOR b[2];
    EACH(j, 0, panels) b[j] = *(const VECTOR *)(d + j * dPanel + t * 16);
    EACH(i, 0, rows) EACH(j, 0, panels) sums[j * 8 + i] += v[t * 16 + i] * b[j];
  }
  EACH(j, 0, panels) EACH(i, 0, rows) *(VECTOR *)(m + j * mPanel + i * 16) = sums[j * 8 + i];
}

/// Inlined for factors that are brought near, and for those that need not.
INLINED void NAMED(multiply)(
  const int fetches, long most, long planes, long tiles, long channels, long first, long end, const REAL *v, long vPlane,
  long blocks, const REAL *u, long uPlane, long uBlock, REAL *m, long mPlane, en_ahead ahead) {
  // So many channels of a panel stay in the first-level cache while all tiles go by.
  enum { depth = 256 };
  // AVX-512 has registers for twelve rows of two panels of floats.
  enum { hasRoom = sizeof(REAL) == 4 };
  const long mRow = blocks * 16;
  for (long p = 0; p < planes; p++) {
    for (long c = first; c < end; c += depth) {
      const long count = end - c < depth ? end - c : depth;
      for (long t = 0; t < tiles;) {
        const long rows = en_share(tiles - t, most);
        if (c == 0 && ahead.bytes > 0) en_bring_near(ahead, p * tiles + t, planes * tiles, rows);
        for (long b = 0, some; b < blocks; b += some) {
          // Two panels at a time where twelve rows say that there are registers: a step then loads less than it multiplies.
          some = rows == 12 && hasRoom && b + 1 < blocks ? 2 : 1;
          const REAL *from = v + p * vPlane + t * channels + c, *panel = u + b * uBlock + p * uPlane + (c - first) * 16;
          REAL *to = m + p * mPlane + t * mRow + b * 16;
          const REAL *nextV = 0, *nextU = 0;
          if (fetches && t + rows == tiles)
            nextU = c + depth < end ? panel + depth * 16 : u + b * uBlock + (p + 1) * uPlane;
          else if (fetches && b == 0)
            nextV = from + rows * channels;
#define ROWS(n) \
  case n: \
    if (n == 12 && hasRoom && some == 2) \
      NAMED(rows_by_panels)(n, 2, count, from, channels, panel, uBlock, to, mRow, c > 0, nextV, nextU); \
    else \
      NAMED(rows_by_panels)(n, 1, count, from, channels, panel, uBlock, to, mRow, c > 0, nextV, nextU); \
    break
          switch (rows) { EN_EACH_SHARE(ROWS); }
#undef ROWS
        }
        t += rows;
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const REAL *v, long vPlane, long blocks,
  const REAL *u, long uPlane, long uBlock, REAL *m, long mPlane, en_ahead ahead) {
  const long planes = form == en_winograd_4x4 ? 36 : 9, most = en_most_rows();
  if (channels > (most > 6 ? 32 : 128))
    NAMED(multiply)(
      1, most, planes, tiles, channels, first, end, v, vPlane, blocks, u, uPlane, uBlock, m, mPlane, ahead);
  else
    NAMED(multiply)(
      0, most, planes, tiles, channels, first, end, v, vPlane, blocks, u, uPlane, uBlock, m, mPlane, ahead);
}

/// Inlined for factors that are brought near, and for those that need not, and for the registers there are: sixteen rows of sums
/// of one block of outputs go in three parts, of two blocks in two.
INLINED void NAMED(multiply_transposed)(
  const int fetches, const int isWide, long planes, long tiles, long inputs, const REAL *v, long outputs, const REAL *d,
  long block, long plane, REAL *du, long duBlock, long duPlane, int adds, en_ahead ahead) {
  for (long p = 0; p < planes; p++) {
    for (long k = 0, some; k < outputs; k += some) {
      some = isWide && sizeof(REAL) == 4 && k + 1 < outputs ? 2 : 1;
      for (long c = 0; c < inputs; c++) {
        if (ahead.bytes > 0) en_bring_near(ahead, (p * outputs + k) * inputs + c * some, planes * outputs * inputs, some);
        const REAL *from = v + c * block + p * plane, *panel = d + k * block + p * plane;
        REAL *to = du + k * duBlock + p * duPlane + c * 256;
        const REAL *nextV = 0, *nextD = 0;
        if (fetches) {
          // What comes after this block of inputs: the next one, the next blocks of outputs, or the next plane.
          const int isLast = c + 1 == inputs, isPlane = isLast && k + some == outputs;
          nextV = isPlane ? v + (p + 1) * plane : isLast ? v + p * plane : from + block;
          nextD = isPlane ? d + (p + 1) * plane : isLast ? panel + some * block : panel;
          const REAL *next =
            isPlane ? du + (p + 1) * duPlane : isLast ? du + (k + some) * duBlock + p * duPlane : to + 256;
          if (adds)
            for (long j = 0; j < some; j++) EACH(i, 0, 16) __builtin_prefetch(next + j * duBlock + i * 16, 1, 2);
        }
#define COLUMNS(rows, panels, first, fetches, next) \
  NAMED(columns_by_panels)( \
    rows, panels, tiles, from + first, panel, block, to + first * 16, duBlock, adds, fetches, next)
        if (!isWide) {
          COLUMNS(6, 1, 0, fetches, nextV);
          COLUMNS(5, 1, 6, fetches, nextD);
          COLUMNS(5, 1, 11, 0, 0);
        } else if (some == 2) {
          COLUMNS(8, 2, 0, fetches, nextV);
          COLUMNS(8, 2, 8, fetches, nextD);
        } else {
          COLUMNS(8, 1, 0, fetches, nextV);
          COLUMNS(8, 1, 8, fetches, nextD);
        }
#undef COLUMNS
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const REAL *v, long outputs, const REAL *d, long block, long plane,
  REAL *du, long duBlock, long duPlane, int adds, en_ahead ahead) {
  const long planes = form == en_winograd_4x4 ? 36 : 9;
#define MULTIPLY(fetches, isWide) \
  NAMED(multiply_transposed)( \
    fetches, isWide, planes, tiles, inputs, v, outputs, d, block, plane, du, duBlock, duPlane, adds, ahead)
  if (en_most_rows() > 6)
    if (tiles > 32) MULTIPLY(1, 1); else MULTIPLY(0, 1);
  else if (tiles > 32) MULTIPLY(1, 0); else MULTIPLY(0, 0);
#undef MULTIPLY
}
