// The pool of threads, the processors, and the functions of the register tile and of groups.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "check.h"

#undef TYPE
#define TYPE "no type"
enum { most_pieces = 1000 };

typedef struct {
  atomic_int done[most_pieces];
  /// Pieces of a call from inside each piece.
  long nested;
  atomic_int nestedDone;
  /// The order of the pieces where one thread takes them.
  atomic_long last;
  atomic_int descents;
} tally;

static void count_nested(void *context, long piece) {
  (void)piece;
  atomic_fetch_add(&((tally *)context)->nestedDone, 1);
}

static void count_piece(void *context, long piece) {
  tally *t = context;
  atomic_fetch_add(&t->done[piece], 1);
  if (piece < atomic_exchange(&t->last, piece)) atomic_fetch_add(&t->descents, 1);
  if (t->nested) en_parallel(t->nested, 4, 0, count_nested, t);
}

static int runs_each_once(long pieces, long threads, int isReversed, long nested) {
  tally t = {.nested = nested, .last = isReversed ? pieces : -1};
  en_parallel(pieces, threads, isReversed, count_piece, &t);
  for (long i = 0; i < most_pieces; i++)
    if (t.done[i] != (i < pieces)) return 0;
  if (t.nestedDone != pieces * nested) return 0;
  return threads > 1 || t.descents == (isReversed ? pieces : 0);
}

static void check_parallel(void) {
  const long pieces[] = {0, 1, 2, 3, 7, 17, 64, most_pieces}, threads[] = {1, 2, 3, 7, 300};
  for (long k = 0; k < COUNT(pieces); k++) {
    for (long i = 0; i < COUNT(threads) * 2; i++) {
      const int isReversed = (int)(i % 2);
      set_size("%ld pieces, %ld threads%s", pieces[k], threads[i / 2], isReversed ? " reversed" : "");
      begin_call("en_parallel", TYPE);
      compare(0, runs_each_once(pieces[k], threads[i / 2], isReversed, 0), 0, 1);
      compare(1, runs_each_once(pieces[k], threads[i / 2], isReversed, 3), 0, 1);
    }
  }
  set_size("7 pieces, 3 threads, 500 times");
  begin_call("en_parallel", TYPE);
  for (long i = 0; i < 500; i++) compare(i, runs_each_once(7, 3, 0, 0), 0, 1);
}

static void *call_often(void *failed) {
  for (long i = 0; i < 200; i++)
    if (!runs_each_once(17, 3, 0, 2)) atomic_fetch_add((atomic_int *)failed, 1);
  return 0;
}

/// Calls of several threads at once, of which one has the pool.
static void check_callers(void) {
  pthread_t callers[3];
  atomic_int failed = 0;
  set_size("17 pieces, 3 threads, of 3 callers");
  begin_call("en_parallel", TYPE);
  for (long i = 0; i < COUNT(callers); i++) pthread_create(&callers[i], 0, call_often, &failed);
  for (long i = 0; i < COUNT(callers); i++) pthread_join(callers[i], 0);
  expect_integer(0, failed, 0);
}

static void check_processors(void) {
  cpu_set_t set;
  const long wanted = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  set_size("of this process");
  const long found = RUN(en_allowed_processors);
  expect_integer(0, found, wanted);
}

/// Rows are split into numbers that the kernels have, none of them below four while more than three are left.
static void check_split(void) {
  set_size("of this processor");
  const long maxMR = RUN(en_max_mr);
#ifdef __aarch64__
  expect_integer(0, maxMR, 6);
#else
  compare(0, maxMR == 6 || maxMR == 12, (double)maxMR, 6);
#endif
  for (long most = 6; most <= 12; most += 6) {
    for (long rows = 1; rows <= 100; rows++) {
      set_size("%ld rows, at most %ld", rows, most);
      for (long left = rows, count; left > 0; left -= count) {
        count = RUN(en_split_mr, left, most);
        int isCase = 0;
#define IS_CASE(n) case n: isCase = 1; break
        switch (count) { EN_EACH_MR(IS_CASE); }
#undef IS_CASE
        compare(left, isCase && count <= most && count <= left && (count > 3 || left <= 3), (double)count, (double)left);
        if (!isCase) return;
      }
    }
  }
}

/// A prefetch of what may not be read is harmless.
static void check_prefetch(void) {
  char *closed = mmap(0, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  set_size("65536 bytes in 7 steps");
  for (long step = 0; step < 7; step++) RUN(en_prefetch_part, ((en_prefetch){closed, 65536}), step, 7, 2);
  munmap(closed, 65536);
}

/// Blocks of a group's outputs, and groups of 8 that are whole where a register holds sixteen floats.
static void check_groups(void) {
  const long lanes[][2] = {{1, 1}, {2, 1}, {3, 1}, {4, 4}, {5, 4}, {7, 4}, {8, 8}, {9, 8}, {15, 8}, {16, 8}, {100, 8}};
  for (long k = 0; k < COUNT(lanes); k++) {
    set_size("%ld left", lanes[k][0]);
    const long found = RUN(en_group_lanes, lanes[k][0]);
    expect_integer(0, found, lanes[k][1]);
  }
  const int ofEight = en_max_mr() > 6;
  const long kinds[][4] = {
    {4, 4, 4, 1}, {12, 4, 4, 1}, {1, 4, 4, 0}, {3, 4, 4, 0}, {6, 4, 4, 0}, {4, 8, 4, 0}, {4, 4, 8, 0}, {2, 8, 8, ofEight},
    {6, 8, 8, ofEight}, {1, 8, 8, 0}, {3, 8, 8, 0}, {16, 1, 1, 0}, {8, 2, 2, 0}, {1, 16, 16, 0}, {2, 16, 16, 0}};
  for (long k = 0; k < COUNT(kinds); k++) {
    const long *g = kinds[k];
    set_size("%ld groups of %ld to %ld", g[0], g[1], g[2]);
    const int found = RUN(en_takes_whole_groups, g[0], g[1], g[2]);
    expect_integer(0, found != 0, g[3]);
  }
}

void check_threads(void) {
  check_processors();
  check_split();
  check_groups();
  check_prefetch();
  check_parallel();
  check_callers();
}
