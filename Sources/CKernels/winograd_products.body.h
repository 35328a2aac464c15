// The products of Winograd-domain components, on the register tile of `microkernel.h`.
//
// Factors that exceed the first-level cache are prefetched while the ones before them are multiplied: their runs are too short
// for the hardware prefetcher.

/// sums[panel][rows][16] += v[rows][channels] u[panel][channels][16], the channels a multiple of four; if `prefetches`,
/// prefetches as much of the next u.
INLINED void NAMED(add_rows_by_panels)(
  const long rows, const long panels, long channels, const REAL *v, long vRow, const REAL *u, long uPanel, VECTOR *sums,
  const int prefetches, const REAL *nextU) {
  // One pointer addresses three rows without arithmetic. The assembly hides from the compiler that these pointers are related,
  // as it would compute the address of every row, and that steps are independent, as it would hoist loads until registers run
  // out (clang 21 of Swift 6.3.1, 2026-11-28: with AVX2 a step of VGG16 took 0.90 of its time, of ResNet20 0.88).
  const REAL *from[4];
  EACH(i, 0, 4) if (rows > 3 * i) from[i] = v + 3 * i * vRow;
  for (const REAL *end = u + channels * 16; u < end; u += 4 * 16, nextU += 4 * 16) {
    EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(from[i]));
    EACH(c, 0, 4) {
      if (prefetches) EACH(j, 0, panels) __builtin_prefetch(nextU + j * uPanel + c * 16, 0, 2);
      VECTOR b[2];
      EACH(j, 0, panels) b[j] = LOAD(u + j * uPanel + c * 16);
      ADD_PRODUCTS(rows, panels, sums, from[i / 3][i % 3 * vRow + c], b);
      __asm__ volatile("" : : : "memory");
    }
    EACH(i, 0, 4) if (rows > 3 * i) from[i] += 4;
  }
}

/// Where the factors of a product lie, and what to prefetch of the next ones: one of them, the other is null.
typedef struct {
  const REAL *v, *u, *nextV, *nextU;
} NAMED(factors);

/// m[rows][panel][16] (+)= v[rows][channels] u[panel][channels][16]; prefetches as much of one of the next factors.
INLINED void NAMED(rows_by_panels)(
  const long rows, const long panels, long channels, NAMED(factors) f, long vRow, long uPanel, REAL *m, long mRow, int adds) {
  VECTOR sums[2 * en_mr];
  if (adds)
    load_tile(rows, panels, m, mRow, en_nr, sums);
  else
    clear_tile(rows, panels, sums);
  if (f.nextV) {
    const REAL *next[4];
    EACH(i, 0, 4) if (rows > 3 * i) next[i] = f.nextV + 3 * i * vRow;
    for (long c = 0; c < channels; c += 16) {
      EACH(i, 1, 4) if (rows > 3 * i) __asm__("" : "+r"(next[i]));
      EACH(i, 0, rows) __builtin_prefetch(next[i / 3] + i % 3 * vRow, 0, 2);
      EACH(i, 0, 4) if (rows > 3 * i) next[i] += 16;
      NAMED(add_rows_by_panels)(rows, panels, 16, f.v + c, vRow, f.u + c * 16, uPanel, sums, 0, f.u);
    }
  } else if (f.nextU) {
    NAMED(add_rows_by_panels)(rows, panels, channels, f.v, vRow, f.u, uPanel, sums, 1, f.nextU);
  } else {
    NAMED(add_rows_by_panels)(rows, panels, channels, f.v, vRow, f.u, uPanel, sums, 0, f.u);
  }
  store_tile(rows, panels, sums, m, mRow, en_nr);
}

// AVX-512 has registers for twelve rows of two panels of floats.
enum { NAMED(has_two_panels) = sizeof(REAL) == 4 };

/// `rows` tiles by all blocks of outputs, over `count` channels; `f` has the factors of the first block, and m its sums.
INLINED void NAMED(rows_by_blocks)(
  const int prefetches, en_winograd_product g, long rows, long count, NAMED(factors) f, REAL *m, int adds) {
  const long mRow = g.blocks * 16;
  for (long b = 0, taken; b < g.blocks; b += taken) {
    // Two panels at a time where MR is twelve, which implies enough registers: a step then loads less than it multiplies.
    taken = rows == en_mr && NAMED(has_two_panels) && b + 1 < g.blocks ? 2 : 1;
    const NAMED(factors) part = {
      f.v, f.u + b * g.uBlock, prefetches && b == 0 ? f.nextV : 0, prefetches && f.nextU ? f.nextU + b * g.uBlock : 0};
    REAL *to = m + b * 16;
#define ROWS(n) \
  case n: \
    if (n == en_mr && NAMED(has_two_panels) && taken == 2) \
      NAMED(rows_by_panels)(n, 2, count, part, g.channels, g.uBlock, to, mRow, adds); \
    else \
      NAMED(rows_by_panels)(n, 1, count, part, g.channels, g.uBlock, to, mRow, adds); \
    break
    switch (rows) { EN_EACH_MR(ROWS); }
#undef ROWS
  }
}

/// Inlined with and without prefetching.
INLINED void NAMED(multiply)(
  const int prefetches, long maxMR, en_winograd_product g, const REAL *v, const REAL *u, REAL *m, en_prefetch prefetch) {
  const long components = g.form == en_winograd_4x4 ? 36 : 9;
  for (long p = 0; p < components; p++) {
    // So many channels of a panel stay in the first-level cache over all tiles.
    for (long c = g.first; c < g.end; c += en_winograd_kc) {
      const long count = g.end - c < en_winograd_kc ? g.end - c : en_winograd_kc;
      for (long t = 0; t < g.tiles;) {
        const long rows = en_split_mr(g.tiles - t, maxMR);
        if (c == 0 && prefetch.bytes > 0) en_prefetch_part(prefetch, p * g.tiles + t, components * g.tiles, rows);
        NAMED(factors) f = {
          v + p * g.vComponent + t * g.channels + c, u + p * g.uComponent + (c - g.first) * 16, 0, 0};
        // Next after the last tiles: the channels after these, or the next component.
        if (prefetches && t + rows == g.tiles)
          f.nextU = c + en_winograd_kc < g.end ? f.u + en_winograd_kc * 16 : u + (p + 1) * g.uComponent;
        else if (prefetches)
          f.nextV = f.v + rows * g.channels;
        NAMED(rows_by_blocks)(prefetches, g, rows, count, f, m + p * g.mComponent + t * g.blocks * 16, c > 0);
        t += rows;
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply(
  en_winograd_product g, const REAL *v, const REAL *u, REAL *m, en_prefetch prefetch) {
  assert(g.tiles >= 0 && g.channels > 0 && g.channels % 16 == 0 && g.blocks > 0);
  assert(g.first >= 0 && g.first % 16 == 0 && g.end % 16 == 0 && g.first < g.end && g.end <= g.channels);
  assert(g.vComponent >= g.tiles * g.channels && g.uComponent >= (g.end - g.first) * 16);
  assert(g.mComponent >= g.tiles * g.blocks * 16 && (g.blocks == 1 || g.uBlock > 0));
  assert(EN_HAS(v, g.tiles) && u && EN_HAS(m, g.tiles));
  const long maxMR = en_max_mr();
  if (g.channels > (maxMR > 6 ? 32 : 128))
    NAMED(multiply)(1, maxMR, g, v, u, m, prefetch);
  else
    NAMED(multiply)(0, maxMR, g, v, u, m, prefetch);
}

/// m[panel][rows][16] (+)= Σ v[t][rows] d[panel][t][16]; prefetches as much of `next` where there is one.
INLINED void NAMED(columns_by_panels)(
  const long rows, const long panels, long tiles, const REAL *v, const REAL *d, long dPanel, REAL *m, long mPanel, int adds,
  const int prefetches, const REAL *next) {
  VECTOR sums[2 * en_mr];
  if (adds)
    load_tile(rows, panels, m, en_nr, mPanel, sums);
  else
    clear_tile(rows, panels, sums);
#pragma clang loop unroll_count(4)
  for (long t = 0; t < tiles; t++) {
    if (prefetches) __builtin_prefetch(next + t * 16, 0, 2);
    VECTOR b[2];
    EACH(j, 0, panels) b[j] = LOAD(d + j * dPanel + t * 16);
    ADD_PRODUCTS(rows, panels, sums, v[t * 16 + i], b);
  }
  store_tile(rows, panels, sums, m, en_nr, mPanel);
}

/// Where the factors and sums of a block lie that comes after the one of inputs `c` and outputs from `k` on, of which `taken` blocks
/// are taken at once: after the last block of inputs the next ones of outputs, after the last of those the next component.
typedef struct {
  const REAL *v, *d, *du;
} NAMED(next_block);

INLINED NAMED(next_block) NAMED(block_after)(
  en_winograd_transposed_product g, long p, long k, long c, long taken, NAMED(next_block) here, NAMED(next_block) first) {
  const int endsInputs = c + 1 == g.inputs, endsComponent = endsInputs && k + taken == g.outputs;
  if (endsComponent)
    return (NAMED(next_block)){
      first.v + (p + 1) * g.component, first.d + (p + 1) * g.component, first.du + (p + 1) * g.duComponent};
  if (endsInputs)
    return (NAMED(next_block)){
      first.v + p * g.component, here.d + taken * g.block, first.du + (k + taken) * g.duBlock + p * g.duComponent};
  return (NAMED(next_block)){here.v + g.block, here.d, here.du + 256};
}

/// Inlined with and without prefetching, and for both register files: sixteen rows of sums of one block of outputs go in three
/// parts, of two blocks in two.
INLINED void NAMED(multiply_transposed)(
  const int prefetches, const int isWide, en_winograd_transposed_product g, const REAL *v, const REAL *d, REAL *du,
  en_prefetch prefetch) {
  const long components = g.form == en_winograd_4x4 ? 36 : 9;
  for (long p = 0; p < components; p++) {
    for (long k = 0, taken; k < g.outputs; k += taken) {
      taken = isWide && NAMED(has_two_panels) && k + 1 < g.outputs ? 2 : 1;
      for (long c = 0; c < g.inputs; c++) {
        if (prefetch.bytes > 0)
          en_prefetch_part(prefetch, (p * g.outputs + k) * g.inputs + c * taken, components * g.outputs * g.inputs, taken);
        const REAL *from = v + c * g.block + p * g.component, *panel = d + k * g.block + p * g.component;
        REAL *to = du + k * g.duBlock + p * g.duComponent + c * 256;
        NAMED(next_block) next = {0, 0, 0};
        if (prefetches)
          next = NAMED(block_after)(
            g, p, k, c, taken, (NAMED(next_block)){from, panel, to}, (NAMED(next_block)){v, d, du});
        if (prefetches && g.adds)
          for (long j = 0; j < taken; j++) EACH(i, 0, 16) __builtin_prefetch(next.du + j * g.duBlock + i * 16, 1, 2);
#define COLUMNS(rows, panels, first, prefetches, next) \
  NAMED(columns_by_panels)( \
    rows, panels, g.tiles, from + first, panel, g.block, to + first * 16, g.duBlock, g.adds, prefetches, next)
        if (!isWide) {
          COLUMNS(6, 1, 0, prefetches, next.v);
          COLUMNS(5, 1, 6, prefetches, next.d);
          COLUMNS(5, 1, 11, 0, 0);
        } else if (taken == 2) {
          COLUMNS(8, 2, 0, prefetches, next.v);
          COLUMNS(8, 2, 8, prefetches, next.d);
        } else {
          COLUMNS(8, 1, 0, prefetches, next.v);
          COLUMNS(8, 1, 8, prefetches, next.d);
        }
#undef COLUMNS
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_multiply_transposed(
  en_winograd_transposed_product g, const REAL *v, const REAL *d, REAL *du, en_prefetch prefetch) {
  assert(g.tiles >= 0 && g.inputs > 0 && g.outputs > 0 && g.component >= g.tiles * 16);
  assert((g.inputs == 1 && g.outputs == 1) || g.block > 0);
  assert(g.duComponent >= g.inputs * 256 && (g.outputs == 1 || g.duBlock > 0));
  assert(EN_HAS(v, g.tiles) && EN_HAS(d, g.tiles) && du);
  // Read once, so that the compiler sees in the loop over tiles what the branch below knows of their number: otherwise it keeps
  // sixteen more instructions in it (clang 21 of Swift 6.3.1, 2026-12-02: 6 % of all).
  const long tiles = g.tiles;
  const en_winograd_transposed_product p = {
    .form = g.form, .tiles = tiles, .inputs = g.inputs, .outputs = g.outputs, .block = g.block, .component = g.component,
    .duBlock = g.duBlock, .duComponent = g.duComponent, .adds = g.adds};
#define MULTIPLY(prefetches, isWide) NAMED(multiply_transposed)(prefetches, isWide, p, v, d, du, prefetch)
  if (en_max_mr() > 6)
    if (tiles > 32) MULTIPLY(1, 1); else MULTIPLY(0, 1);
  else if (tiles > 32) MULTIPLY(1, 0); else MULTIPLY(0, 0);
#undef MULTIPLY
}
