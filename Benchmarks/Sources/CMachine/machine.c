#include "machine.h"

// The peak of an instruction set is reached with enough independent sums to hide a multiply-add's latency, and registers for
// all of them: two vectors of 64 bytes more than needed with AVX-512, twelve registers with AVX2.
#if defined(__x86_64__) && defined(__linux__)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERNEL
#endif

typedef float vector __attribute__((vector_size(32)));
enum { sums = 12 };

KERNEL double machine_multiply_adds(long rounds, float *sink) {
  vector sum[sums];
  for (int i = 0; i < sums; i++) sum[i] = (vector){0} + (float)(i + 1) + *sink;
  const vector a = (vector){0} + 0.999f, b = (vector){0} + 0.001f;
  for (long round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < sums; i++) sum[i] = sum[i] * a + b;
  }
  for (int i = 0; i < sums; i++) *sink += sum[i][0];
  return (double)rounds * sums * 8 * 2;
}

KERNEL float machine_read(const float *x, long count) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (long i = 0; i < count; i++) sum += x[i];
  return sum;
}
