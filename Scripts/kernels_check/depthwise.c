// Convolutions whose groups are single channels, and their gradients, against the definition.
#include "tap_plan.h"

/// `channels` of all, from `first` on.
typedef struct {
  long first, channels;
} part;

static en_depthwise_channels work_of(convolution c, int isBackward, part some) {
  en_depthwise_channels work = {plan_of(c, isBackward), some.channels, c.inputs};
  work.plan.xCount -= some.first;
  work.plan.yCount -= some.first;
  return work;
}

/// y, or backward dx; the other channels of it stay NaN.
static void check_pass(convolution c, int isBackward, part some, int kind, const products *a) {
  const en_depthwise_channels work = work_of(c, isBackward, some);
  const REAL *x = isBackward ? a->dy : a->x;
  const double *sums = isBackward ? a->dx : a->y;
  const long xCount = work.plan.xCount + some.first, yCount = work.plan.yCount + some.first, n = c.images * yCount;
  const REAL *bias = wide_numbers(c.inputs);
  REAL *residual = wide_numbers(n), *y = ARRAY(REAL, n);
  double *wanted = ARRAY(double, n);
  const long middle = n / 2 / c.inputs;
  residual[middle * c.inputs + some.first + middle % some.channels] = NAN;
  // Vectors that stream begin at a cache line.
  if (c.inputs % en_nr || some.channels % en_nr || some.first % en_nr) kind &= ~is_nontemporal;
  const DESCRIPTOR(epilogue) all = epilogue_of(kind, bias, residual);
  for (long i = 0; i < n; i++) {
    const long channel = i % c.inputs;
    if (channel >= some.first && channel < some.first + some.channels) wanted[i] = finished(all, sums[i], channel, i);
  }
  set_sizes_of(c, isBackward ? "backward" : "forward", some.first, some.channels, kind);
  for (long image = 0; image < c.images; image++) {
    const long at = image * yCount + some.first;
    RUN(en_depthwise, work, x + image * xCount + some.first, a->w + some.first,
        epilogue_of(kind, bias + some.first, residual + at), y + at);
  }
  expect(n, y, wanted, 32 + (double)work.plan.kernelTaps);
}

static void check_weights(convolution c, part some, const products *a) {
  const en_depthwise_channels work = work_of(c, 0, some);
  const long n = work.plan.kernelTaps * c.inputs;
  REAL *sums = numbers(n);
  double *wanted = ARRAY(double, n);
  for (long i = 0; i < n; i++) {
    const long channel = i % c.inputs;
    wanted[i] = sums[i] + (channel >= some.first && channel < some.first + some.channels ? a->dw[i] : 0);
  }
  set_sizes_of(c, "weights", some.first, some.channels, 0);
  for (long image = 0; image < c.images; image++) {
    RUN(en_depthwise_weights, work, a->x + image * (work.plan.xCount + some.first) + some.first,
        a->dy + image * (work.plan.yCount + some.first) + some.first, sums + some.first);
  }
  expect(n, sums, wanted, 16 + (double)(c.images * c.outHeight * c.outWidth));
}

static void check_channels(convolution c, part some, int kind) {
  const products a = products_of(c);
  check_pass(c, 0, some, kind % epilogue_count, &a);
  check_pass(c, 1, some, (kind + 11) % epilogue_count, &a);
  check_weights(c, some, &a);
  free_arrays();
}

void TYPED(check_depthwise)(void) {
  const long channels[] = {1, 3, 7, 15, 16, 17, 33};
  int kind = 0;
  for (long k = 0; k < geometries; k++) {
    for (long j = 0; j < COUNT(channels); j++, kind += 5) {
      const long n = channels[j], rounded = (n + 2 * en_nr - 1) / en_nr * en_nr;
      check_channels(geometry(k, n, n, n), (part){0, n}, kind);
      check_channels(geometry(k, n + 5, n + 5, n + 5), (part){2, n}, kind + 1);
      check_channels(geometry(k, rounded, rounded, rounded), (part){en_nr, n}, kind + 2);
    }
  }
  const long whole[] = {3, 16, 23, 32};
  for (long j = 0; j < COUNT(whole); j++) {
    const long n = whole[j];
    for (int epilogue = 0; epilogue < epilogue_count; epilogue++) check_channels(geometry(0, n, n, n), (part){0, n}, epilogue);
    for (long pixels = 1; pixels <= 26; pixels++) check_channels(row_of(pixels, n, n, n), (part){0, n}, (int)(pixels + j) * 7);
  }
}
