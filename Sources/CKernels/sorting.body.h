// Numbers have the order of their bits, the negative ones backwards; -0 is 0, and NaN the largest.
INLINED OVERLOADED KEY key_of(REAL x) {
  enum { top = 8 * sizeof(KEY) - 1 };
  const REAL zeroed = x + 0;
  KEY bits;
  memcpy(&bits, &zeroed, sizeof bits);
  return x != x ? (KEY)-1 : bits ^ (-(bits >> top) | (KEY)1 << top);
}

// By insertion, where the digits' counts would take longer than all else.
INLINED OVERLOADED void insert_each(long n, RANKED *ranked) {
  for (long i = 1; i < n; i++) {
    const RANKED next = ranked[i];
    long at = i;
    for (; at > 0 && next.key < ranked[at - 1].key; at--) ranked[at] = ranked[at - 1];
    ranked[at] = next;
  }
}

// Digit by digit from the last one on, each time in the order that was: equals stay where they are. Counts are taken of all digits in
// one pass, and a digit that is the same everywhere is left out. Returns which of `from` and `to` has the result.
INLINED OVERLOADED RANKED *sort_by_digits(long n, RANKED *from, RANKED *to) {
  enum { digits = sizeof(KEY), values = 256 };
  uint32_t counts[digits][values];
  memset(counts, 0, sizeof counts);
  for (long i = 0; i < n; i++) {
    EACH(digit, 0, digits) counts[digit][from[i].key >> 8 * digit & 255]++;
  }
  for (long digit = 0; digit < digits; digit++) {
    uint32_t *next = counts[digit], total = 0;
    if (next[from[0].key >> 8 * digit & 255] == n) continue;
    for (long value = 0; value < values; value++) {
      const uint32_t count = next[value];
      next[value] = total;
      total += count;
    }
    for (long i = 0; i < n; i++) to[next[from[i].key >> 8 * digit & 255]++] = from[i];
    RANKED *sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

OVERLOADED KERNEL void en_sorted_places(long n, int isDescending, const REAL *x, RANKED *room, long *places) {
  assert(n >= 0 && n <= UINT32_MAX && EN_HAS(x, n) && EN_HAS(room, n) && EN_HAS(places, n));
  enum { few = 40 };
  const KEY flip = isDescending ? (KEY)-1 : 0;
  for (long i = 0; i < n; i++) room[i] = (RANKED){key_of(x[i]) ^ flip, i};
  const RANKED *sorted = room;
  if (n <= few) insert_each(n, room);
  else sorted = sort_by_digits(n, room, room + n);
  for (long i = 0; i < n; i++) places[i] = sorted[i].place;
}

// The largest so far are kept in order while the others pass by: of most blocks none is larger than the last of them.
OVERLOADED KERNEL void en_largest_places(long n, long k, const REAL *x, RANKED *room, long *places) {
  assert(k > 0 && k <= n && n <= UINT32_MAX && EN_HAS(x, n) && EN_HAS(room, k) && EN_HAS(places, k));
  enum { block = 64 };
  for (long i = 0; i < k; i++) room[i] = (RANKED){~key_of(x[i]), i};
  insert_each(k, room);
  REAL last = x[room[k - 1].place];
  for (long i = k; i < n;) {
    const long end = n - i < block ? n : i + block;
    int isCandidate = end - i < block;
    // NaN is a candidate too.
    if (!isCandidate) {
      for (long j = 0; j < block; j++) isCandidate |= !(x[i + j] <= last);
    }
    for (; isCandidate && i < end; i++) {
      if (x[i] <= last) continue;
      const RANKED next = {~key_of(x[i]), i};
      long at = k - 1;
      if (next.key >= room[at].key) continue;
      for (; at > 0 && next.key < room[at - 1].key; at--) room[at] = room[at - 1];
      room[at] = next;
      last = x[room[k - 1].place];
    }
    i = end;
  }
  for (long i = 0; i < k; i++) places[i] = room[i].place;
}
