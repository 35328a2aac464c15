#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { spins = 20000, maximumThreads = 256 };

/// Set in `joined` when nobody may join the job any more.
static const long closed = 1L << 32;

// The job. Only who holds `busy` writes it, and only while `joined` is closed.
static void (*jobBody)(void *, long);
static void *jobContext;
static long jobPieces;
static atomic_long nextPiece;
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

static void run_pieces(void) {
  insideBody = true;
  for (long piece; (piece = atomic_fetch_add(&nextPiece, 1)) < jobPieces;) jobBody(jobContext, piece);
  insideBody = false;
}

static void *work(void *unused) {
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
    run_pieces();
    atomic_fetch_add(&finished, 1);
  }
  return unused;
}

static void start_threads(long wanted) {
  for (; started < wanted && started < maximumThreads; started++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, work, 0) != 0) return;
    pthread_detach(thread);
  }
}

void en_parallel(long pieces, long threads, void (*body)(void *, long), void *context) {
  if (pieces < 2 || threads < 2 || insideBody || atomic_flag_test_and_set(&busy)) {
    for (long piece = 0; piece < pieces; piece++) body(context, piece);
    return;
  }
  start_threads(threads);
  jobBody = body;
  jobContext = context;
  jobPieces = pieces;
  atomic_store(&nextPiece, 0);
  atomic_store(&finished, 0);
  atomic_store(&joined, 0);
  atomic_fetch_add(&generation, 1);
  if (atomic_load(&sleeping) > 0) {
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
  }
  run_pieces();
  long others = atomic_fetch_or(&joined, closed);
  for (long i = 0; atomic_load(&finished) < others; i++) {
    if (i < spins) pause_briefly(); else sched_yield();
  }
  atomic_flag_clear(&busy);
}
