#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "contract.h"

enum { spins = 20000, maximumThreads = 256 };

/// Set in `joined` when no thread may join the job any more.
static const long closed = 1L << 32;

// Work stealing: each thread has a contiguous share of the pieces, and when that is done steals from the far ends of the other
// shares. So a thread mostly reads what it wrote itself: a cache line takes 300 ns between cores without a common cache, 50 with
// one.
typedef struct {
  /// The pieces that are left: the first, and from bit 32 on the end.
  _Alignas(64) _Atomic uint64_t left;
} share;
static share shares[maximumThreads];

// The job. Written only by the thread that has set `busy`, and only while `joined` is closed.
static void (*jobBody)(void *, long);
static void *jobContext;
static long jobThreads;
static bool jobIsReversed;
static atomic_long joined = closed;
static atomic_long finished;

static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_ulong generation;
static atomic_long sleeping;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static long started = 1;
static _Thread_local bool insideBody;

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/// Takes the first or last piece of a share; -1 where none is left.
static long take(share *share, bool last) {
  uint64_t left = atomic_load(&share->left);
  for (;;) {
    const uint64_t first = left & UINT32_MAX, end = left >> 32;
    if (first == end) return -1;
    const uint64_t rest = last ? first | (end - 1) << 32 : (first + 1) | end << 32;
    if (atomic_compare_exchange_weak(&share->left, &left, rest)) return (long)(last ? end - 1 : first);
  }
}

static void run_pieces(long thread) {
  insideBody = true;
  for (long i = 0; i < jobThreads; i++) {
    share *share = &shares[(thread + i) % jobThreads];
    for (long piece; (piece = take(share, (i > 0) != jobIsReversed)) >= 0;) jobBody(jobContext, piece);
  }
  insideBody = false;
}

static void *work(void *number) {
  const long thread = (long)number;
  unsigned long seen = 0;
  for (;;) {
    for (int i = 0; i < spins && atomic_load(&generation) == seen; i++) pause_briefly();
    if (atomic_load(&generation) == seen) {
      pthread_mutex_lock(&lock);
      atomic_fetch_add(&sleeping, 1);
      while (atomic_load(&generation) == seen) pthread_cond_wait(&wake, &lock);
      atomic_fetch_sub(&sleeping, 1);
      pthread_mutex_unlock(&lock);
    }
    seen = atomic_load(&generation);
    // Join, unless the caller has already seen the job to its end.
    long others = atomic_load(&joined);
    while (!(others & closed) && !atomic_compare_exchange_weak(&joined, &others, others + 1)) {}
    if (others & closed) continue;
    if (thread < jobThreads) run_pieces(thread);
    atomic_fetch_add(&finished, 1);
  }
  return 0;
}

static void start_threads(long count) {
  for (; started < count && started < maximumThreads; started++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, work, (void *)started) != 0) return;
    pthread_detach(thread);
  }
}

void en_parallel(long pieces, long threads, int isReversed, void (*body)(void *, long), void *context) {
  // The pieces of a share are two halves of a word.
  assert(pieces >= 0 && pieces <= UINT32_MAX && threads > 0 && body);
  if (pieces < 2 || threads < 2 || insideBody || atomic_flag_test_and_set(&busy)) {
    for (long i = 0; i < pieces; i++) body(context, isReversed ? pieces - 1 - i : i);
    return;
  }
  start_threads(threads);
  jobThreads = threads < started ? threads : started;
  jobIsReversed = isReversed;
  for (long i = 0; i < jobThreads; i++) {
    const uint64_t first = (uint64_t)(pieces * i / jobThreads), end = (uint64_t)(pieces * (i + 1) / jobThreads);
    atomic_store(&shares[i].left, first | end << 32);
  }
  jobBody = body;
  jobContext = context;
  atomic_store(&finished, 0);
  atomic_store(&joined, 0);
  atomic_fetch_add(&generation, 1);
  if (atomic_load(&sleeping) > 0) {
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
  }
  run_pieces(0);
  long others = atomic_fetch_or(&joined, closed);
  for (long i = 0; atomic_load(&finished) < others; i++) {
    if (i < spins) pause_briefly(); else sched_yield();
  }
  atomic_flag_clear(&busy);
}
