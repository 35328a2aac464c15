#include "machine.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#if defined(__x86_64__) && defined(__linux__) && defined(EN_AT_MOST_AVX2)
#define KERNEL __attribute__((target_clones("arch=x86-64-v3", "default"), min_vector_width(512)))
#elif defined(__x86_64__) && defined(__linux__)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), min_vector_width(512)))
#else
#define KERNEL
#endif

static int has_wide_registers(void) {
#if defined(__x86_64__) && !defined(EN_AT_MOST_AVX2)
  return __builtin_cpu_supports("avx512vl");
#else
  return 0;
#endif
}

typedef float vector __attribute__((vector_size(64)));

// The peak is reached with enough independent sums to hide a multiply-add's latency, and registers for all of them: twelve of
// AVX-512, or six in twelve of AVX2.
static inline __attribute__((always_inline)) double multiply_adds(const int sums, long rounds, float *sink) {
  vector sum[12];
#pragma clang loop unroll(full)
  for (int i = 0; i < sums; i++) sum[i] = (vector){0} + (float)(i + 1) + *sink;
  const vector a = (vector){0} + 0.999f, b = (vector){0} + 0.001f;
  for (long round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < sums; i++) sum[i] = sum[i] * a + b;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < sums; i++) *sink += sum[i][0];
  return (double)rounds * sums * 16 * 2;
}

KERNEL double machine_multiply_adds(long rounds, float *sink) {
  return has_wide_registers() ? multiply_adds(12, rounds, sink) : multiply_adds(6, rounds, sink);
}

KERNEL float machine_read(const float *x, long count) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (long i = 0; i < count; i++) sum += x[i];
  return sum;
}

// One thread makes a number odd, the other makes it even again: each time the line goes to the other's core and back.
typedef struct {
  _Alignas(64) atomic_long turns;
  long rounds;
} passed_line;

static void wait_for(passed_line *line, long turn) {
  for (long i = 1; atomic_load(&line->turns) != turn; i++) {
    // Where both are on one core, the other must come to it.
    if (i % 10000 == 0) sched_yield();
  }
}

static void *pass_back(void *context) {
  passed_line *line = context;
  for (long i = 0; i < line->rounds; i++) {
    wait_for(line, 2 * i + 1);
    atomic_store(&line->turns, 2 * i + 2);
  }
  return 0;
}

double machine_pass_a_line(long rounds) {
  passed_line line = {.turns = 0, .rounds = rounds};
  pthread_t other;
  if (pthread_create(&other, 0, pass_back, &line) != 0) return 0;
  struct timespec begin, end;
  for (long i = 0; i < rounds; i++) {
    // Until then the other thread is getting under way.
    if (i == rounds / 10) clock_gettime(CLOCK_MONOTONIC, &begin);
    atomic_store(&line.turns, 2 * i + 1);
    wait_for(&line, 2 * i + 2);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  pthread_join(other, 0);
  const double nanoseconds = (end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec);
  return nanoseconds / (rounds - rounds / 10);
}
