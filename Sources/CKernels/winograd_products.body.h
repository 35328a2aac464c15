// The products of Winograd's planes.
//
// The micro-kernels keep some rows of 16 sums in registers. Each step loads one row of the right factor and multiplies it by
// one scalar for each row of sums, read where it lies. Factors beyond what the first-level cache holds are brought near while
// those before them are multiplied: they come in pieces too short for the processor to guess the next.

/// sums[rows][16] += v[rows][channels] u[channels][16], the channels a multiple of four; where it `fetches`, brings near as much
/// of the next u.
INLINED void NAMED(add_rows_by_panel)(
  const long rows, long channels, const REAL *v, long vRow, const REAL *u, VECTOR *sums, const int fetches,
  const REAL *nextU) {
  // One pointer reaches three rows without arithmetic. That these pointers are related is hidden from the compiler, which
  // would else add up the address of every row; and that a step has nothing to do with the one before, as it would load so
  // far ahead that registers run out.
  const REAL *from[4];
  EACH(i, 0, 4) from[i] = v + 3 * i * vRow;
  for (const REAL *end = u + channels * 16; u < end; u += 4 * 16, nextU += 4 * 16) {
    EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(from[i]));
    EACH(c, 0, 4) {
      if (fetches) __builtin_prefetch(nextU + c * 16, 0, 2);
      const VECTOR b = *(const VECTOR *)(u + c * 16);
      EACH(i, 0, rows) sums[i] += from[i / 3][i % 3 * vRow + c] * b;
      __asm__ volatile("" : : : "memory");
    }
    EACH(i, 0, 4) from[i] += 4;
  }
}

/// m[rows][16] (+)= v[rows][channels] u[channels][16]; brings near as much of one of the next factors, of which the other is 0.
INLINED void NAMED(rows_by_panel)(
  const long rows, long channels, const REAL *v, long vRow, const REAL *u, REAL *m, long mRow, int adds,
  const REAL *nextV, const REAL *nextU) {
  VECTOR sums[12];
  EACH(i, 0, rows) sums[i] = adds ? *(const VECTOR *)(m + i * mRow) : (VECTOR){0};
  if (nextV) {
    for (long c = 0; c < channels; c += 16) {
      EACH(i, 0, rows) __builtin_prefetch(nextV + i * vRow + c, 0, 2);
      NAMED(add_rows_by_panel)(rows, 16, v + c, vRow, u + c * 16, sums, 0, u);
    }
  } else if (nextU) {
    NAMED(add_rows_by_panel)(rows, channels, v, vRow, u, sums, 1, nextU);
  } else {
    NAMED(add_rows_by_panel)(rows, channels, v, vRow, u, sums, 0, u);
  }
  EACH(i, 0, rows) *(VECTOR *)(m + i * mRow) = sums[i];
}

/// m[rows][16] (+)= Σ v[t][rows] d[t][16]; where it `fetches`, brings near as much of the next factor.
INLINED void NAMED(columns_by_panel)(
  const long rows, long tiles, const REAL *v, const REAL *d, REAL *m, int adds, const int fetches, const REAL *next) {
  VECTOR sums[8];
  EACH(i, 0, rows) sums[i] = adds ? *(const VECTOR *)(m + i * 16) : (VECTOR){0};
#pragma clang loop unroll_count(4)
  for (long t = 0; t < tiles; t++) {
    if (fetches) __builtin_prefetch(next + t * 16, 0, 2);
    const VECTOR b = *(const VECTOR *)(d + t * 16);
    EACH(i, 0, rows) sums[i] += v[t * 16 + i] * b;
  }
  EACH(i, 0, rows) *(VECTOR *)(m + i * 16) = sums[i];
}

/// Inlined for factors that are brought near, and for those that need not.
INLINED void NAMED(multiply)(
  const int fetches, long most, long planes, long tiles, long channels, long first, long end, const REAL *v, long vPlane,
  long blocks, const REAL *u, long uPlane, long uBlock, REAL *m, long mPlane, en_ahead ahead) {
  // So many channels of a panel stay in the first-level cache while all tiles go by.
  enum { depth = 256 };
  const long mRow = blocks * 16;
  for (long p = 0; p < planes; p++) {
    for (long c = first; c < end; c += depth) {
      const long count = end - c < depth ? end - c : depth;
      for (long t = 0; t < tiles;) {
        const long rows = en_share(tiles - t, most);
        if (c == 0 && ahead.bytes > 0) en_bring_near(ahead, p * tiles + t, planes * tiles, rows);
        for (long b = 0; b < blocks; b++) {
          const REAL *from = v + p * vPlane + t * channels + c, *panel = u + b * uBlock + p * uPlane + (c - first) * 16;
          REAL *to = m + p * mPlane + t * mRow + b * 16;
          const REAL *nextV = 0, *nextU = 0;
          if (fetches && t + rows == tiles)
            nextU = c + depth < end ? panel + depth * 16 : u + b * uBlock + (p + 1) * uPlane;
          else if (fetches && b == 0)
            nextV = from + rows * channels;
#define ROWS(n) \
  case n: NAMED(rows_by_panel)(n, count, from, channels, panel, to, mRow, c > 0, nextV, nextU); break
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

/// Inlined for factors that are brought near, and for those that need not.
INLINED void NAMED(multiply_transposed)(
  const int fetches, long most, long planes, long tiles, long inputs, const REAL *v, long outputs, const REAL *d, long block,
  long plane, REAL *du, long duBlock, long duPlane, int adds, en_ahead ahead) {
  for (long p = 0; p < planes; p++) {
    for (long k = 0; k < outputs; k++) {
      for (long c = 0; c < inputs; c++) {
        if (ahead.bytes > 0) en_bring_near(ahead, (p * outputs + k) * inputs + c, planes * outputs * inputs, 1);
        const REAL *from = v + c * block + p * plane, *panel = d + k * block + p * plane;
        REAL *to = du + k * duBlock + p * duPlane + c * 256;
        const REAL *nextV = 0, *nextD = 0;
        if (fetches) {
          // What comes after this block of inputs: the next one, the next block of outputs, or the next plane.
          const int isLast = c + 1 == inputs, isPlane = isLast && k + 1 == outputs;
          nextV = isPlane ? v + (p + 1) * plane : isLast ? v + p * plane : from + block;
          nextD = isPlane ? d + (p + 1) * plane : isLast ? panel + block : panel;
          const REAL *next = isPlane ? du + (p + 1) * duPlane : isLast ? du + (k + 1) * duBlock + p * duPlane : to + 256;
          if (adds) EACH(i, 0, 16) __builtin_prefetch(next + i * 16, 1, 2);
        }
        if (most <= 6) {
          NAMED(columns_by_panel)(6, tiles, from, panel, to, adds, fetches, nextV);
          NAMED(columns_by_panel)(5, tiles, from + 6, panel, to + 6 * 16, adds, fetches, nextD);
          NAMED(columns_by_panel)(5, tiles, from + 11, panel, to + 11 * 16, adds, 0, 0);
        } else {
          NAMED(columns_by_panel)(8, tiles, from, panel, to, adds, fetches, nextV);
          NAMED(columns_by_panel)(8, tiles, from + 8, panel, to + 8 * 16, adds, fetches, nextD);
        }
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const REAL *v, long outputs, const REAL *d, long block, long plane,
  REAL *du, long duBlock, long duPlane, int adds, en_ahead ahead) {
  const long planes = form == en_winograd_4x4 ? 36 : 9, most = en_most_rows();
  if (tiles > 32)
    NAMED(multiply_transposed)(
      1, most, planes, tiles, inputs, v, outputs, d, block, plane, du, duBlock, duPlane, adds, ahead);
  else
    NAMED(multiply_transposed)(
      0, most, planes, tiles, inputs, v, outputs, d, block, plane, du, duBlock, duPlane, adds, ahead);
}
