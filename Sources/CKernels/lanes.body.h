// Vectors of sixteen scalars with halves `lo` and `hi` and a choice by lanes (`a > b ? a : b`). A tree over the lanes of an array,
// written as a loop, becomes scalars; this stays in registers.

INLINED OVERLOADED REAL lanes_sum(const LANES(16) *v) {
  const LANES(8) eight = v->lo + v->hi;
  const LANES(4) four = eight.lo + eight.hi;
  const LANES(2) two = four.lo + four.hi;
  return two[0] + two[1];
}

INLINED OVERLOADED REAL largest_lane(const LANES(16) *v) {
  const LANES(8) eight = v->hi > v->lo ? v->hi : v->lo;
  const LANES(4) four = eight.hi > eight.lo ? eight.hi : eight.lo;
  const LANES(2) two = four.hi > four.lo ? four.hi : four.lo;
  return two[1] > two[0] ? two[1] : two[0];
}

INLINED OVERLOADED int has_other_than_zero(const LANES(16) *v) {
  int has = 0;
  for (int lane = 0; lane < 16; lane++) has |= (*v)[lane] != 0;
  return has;
}

// Sets the lanes from n on to 0.
INLINED OVERLOADED void keep_first(long n, LANES(16) *v) {
  LANES(16) lanes;
  EACH(lane, 0, 16) lanes[lane] = lane;
  *v = lanes < (REAL)n ? *v : 0;
}

// The first n of 16 numbers, and `other` beyond them. `readable` numbers follow from x on.
INLINED OVERLOADED void load_first(long n, long readable, const REAL *x, REAL other, LANES(16) *v) {
  if (readable < 16) {
    REAL copy[16];
    for (int lane = 0; lane < 16; lane++) copy[lane] = lane < n ? x[lane] : other;
    *v = *(const LANES(16) *)copy;
    return;
  }
  LANES(16) lanes;
  EACH(lane, 0, 16) lanes[lane] = lane;
  *v = lanes < (REAL)n ? *(const LANES(16) *)x : other;
}

INLINED OVERLOADED void add_terms(
  const int terms, const LANES(16) *x, const LANES(16) *z, REAL mean, LANES(16) *sum) {
  if (terms == en_numbers) *sum += *x;
  if (terms == en_squares) *sum += *x * *x;
  if (terms == en_products) *sum += *x * *z;
  if (terms == en_differences) *sum += (*x - *z) * (*x - *z);
  if (terms == en_distances) *sum += *x < *z ? *z - *x : *x - *z;
  if (terms == en_deviations) *sum += (*x - mean) * (*x - mean);
}

// The sum of terms, in a fixed number of lanes, reduced as a tree: short chains of additions keep errors small, and the result does
// not depend on the vector width. `readable` numbers follow from x on, and from z.
INLINED OVERLOADED REAL block_sum(const int terms, long n, long readable, const REAL *x, const REAL *z, REAL mean) {
  LANES(16) sum[2] = {0}, rest[2];
  long i = 0;
  for (; i + 32 <= n; i += 32) {
    EACH(k, 0, 2) {
      const long at = i + 16 * k;
      add_terms(terms, (const LANES(16) *)(x + at), (const LANES(16) *)(z + at), mean, sum + k);
    }
  }
  const int isWide = n - i >= 16;
  if (isWide) {
    add_terms(terms, (const LANES(16) *)(x + i), (const LANES(16) *)(z + i), mean, sum);
    i += 16;
  }
  if (i < n) {
    load_first(n - i, readable - i, x + i, mean, rest);
    if (terms == en_products || terms >= en_differences) load_first(n - i, readable - i, z + i, 0, rest + 1);
    if (isWide) add_terms(terms, rest, rest + 1, mean, sum + 1);
    else add_terms(terms, rest, rest + 1, mean, sum);
  }
  sum[0] += sum[1];
  return lanes_sum(sum);
}
