// Places in order against the definition: an element stands after all that are before it.
#include "check.h"

/// Whether a comes before b.
static int is_before(const REAL *x, long a, long b, int isDescending) {
  const int sign = isDescending ? -1 : 1;
  const int order = isnan(x[a]) || isnan(x[b]) ? !!isnan(x[a]) - !!isnan(x[b]) : (x[a] > x[b]) - (x[a] < x[b]);
  return order ? sign * order < 0 : a < b;
}

static void check_order(long n, int isEqual, int hasOdd) {
  REAL *x = isEqual ? eighths(n) : numbers(n);
  const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 0, -NAN, largest, -smallest};
  for (long i = 0; hasOdd && i < n; i += 3) x[i] = (REAL)odd[i / 3 % COUNT(odd)];
  long *places = ARRAY(long, n), *wanted = ARRAY(long, n);
  for (int isDescending = 0; isDescending < 2; isDescending++) {
    for (long i = 0; i < n; i++) {
      long rank = 0;
      for (long j = 0; j < n; j++) rank += is_before(x, j, i, isDescending);
      wanted[rank] = i;
    }
    set_size("%ld%s%s", n, isEqual ? ", many equal" : "", hasOdd ? ", NaN and infinities" : "");
    RUN(en_sorted_places, n, isDescending, x, ARRAY(DESCRIPTOR(ranked), 2 * n), places);
    for (long i = 0; i < n; i++) expect_integer(i, places[i], wanted[i]);
  }
  const long counts[] = {1, 2, 5, 32, n};
  for (long c = 0; c < COUNT(counts); c++) {
    const long k = counts[c];
    if (k > n || k < 1) continue;
    set_size("%ld of %ld%s%s", k, n, isEqual ? ", many equal" : "", hasOdd ? ", NaN and infinities" : "");
    RUN(en_largest_places, n, k, x, ARRAY(DESCRIPTOR(ranked), k), places);
    for (long i = 0; i < k; i++) expect_integer(i, places[i], wanted[i]);
  }
  free_arrays();
}

void TYPED(check_sorting)(void) {
  const long sizes[] = {0, 1, 2, 7, 39, 40, 41, 300, 1031};
  for (long k = 0; k < COUNT(sizes); k++) {
    for (int kind = 0; kind < 4; kind++) check_order(sizes[k], kind % 2, kind / 2);
  }
}
