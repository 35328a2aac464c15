// Convolutions whose groups have few channels, and their gradients, against the definition.
#include "tap_plan.h"

static en_channel_groups work_of(convolution c, int isBackward) {
  const long inputs = c.inputs / c.groups, outputs = c.outputs / c.groups;
  return (en_channel_groups){plan_of(c, isBackward), c.groups, isBackward ? outputs : inputs, isBackward ? inputs : outputs};
}

/// Where the weight of a tap, of input `q` of a group and of result `k` of all, is packed.
static long packed_index(const en_channel_groups *work, long tap, long q, long k) {
  const long row = tap * work->inputs + q, rows = work->plan.kernelTaps * work->inputs;
  if (en_takes_whole_groups(work->groups, work->inputs, work->outputs)) return (k / en_nr * rows + row) * en_nr + k % en_nr;
  const long o = k % work->outputs;
  long first = 0, lanes = en_group_lanes(work->outputs);
  while (o >= first + lanes) {
    first += lanes;
    lanes = en_group_lanes(work->outputs - first);
  }
  return (k - o + first) * rows + row * lanes + o - first;
}

/// The packed place of each scalar of the weights; backward their inputs are the results.
static long *packed_order(convolution c, int isBackward, const en_channel_groups *work) {
  const long inputs = c.inputs / c.groups, outputs = c.outputs / c.groups, n = c.size * c.size * inputs * c.outputs;
  long *order = ARRAY(long, n);
  for (long i = 0; i < n; i++) {
    const long tap = i / c.outputs / inputs, input = i / c.outputs % inputs, output = i % c.outputs;
    order[i] = isBackward ? packed_index(work, tap, output % outputs, output / outputs * inputs + input)
                          : packed_index(work, tap, input, output);
  }
  return order;
}

/// y, or backward dx.
static void check_pass(convolution c, int isBackward, int kind, const products *a) {
  const en_channel_groups work = work_of(c, isBackward);
  const long *order = packed_order(c, isBackward, &work), wCount = c.size * c.size * c.inputs / c.groups * c.outputs;
  const REAL *x = isBackward ? a->dy : a->x;
  const double *sums = isBackward ? a->dx : a->y;
  const long n = c.images * work.plan.yCount, channels = work.groups * work.outputs;
  const REAL *bias = wide_numbers(channels);
  REAL *w = ARRAY(REAL, wCount), *residual = wide_numbers(n), *y = ARRAY(REAL, n);
  for (long i = 0; i < wCount; i++) w[order[i]] = a->w[i];
  double *wanted = ARRAY(double, n);
  residual[n / 2] = NAN;
  // Vectors that stream begin at a cache line.
  if (channels % en_nr) kind &= ~is_nontemporal;
  const DESCRIPTOR(epilogue) all = epilogue_of(kind, bias, residual);
  for (long i = 0; i < n; i++) wanted[i] = finished(all, sums[i], i % channels, i);
  set_sizes_of(c, isBackward ? "backward" : "forward", 0, channels, kind);
  for (long image = 0; image < c.images; image++) {
    const long at = image * work.plan.yCount;
    RUN(en_convolve_groups, work, x + image * work.plan.xCount, w, epilogue_of(kind, bias, residual + at), y + at);
  }
  expect(n, y, wanted, 32 + (double)(work.plan.kernelTaps * work.inputs));
}

static void check_weights(convolution c, const products *a) {
  const en_channel_groups work = work_of(c, 0);
  const long *order = packed_order(c, 0, &work), n = c.size * c.size * c.inputs / c.groups * c.outputs;
  REAL *sums = numbers(n);
  double *wanted = ARRAY(double, n);
  for (long i = 0; i < n; i++) wanted[order[i]] = sums[order[i]] + a->dw[i];
  set_sizes_of(c, "weights", 0, c.outputs, 0);
  for (long image = 0; image < c.images; image++)
    RUN(en_convolve_groups_weights, work, a->x + image * work.plan.xCount, a->dy + image * work.plan.yCount, sums);
  expect(n, sums, wanted, 16 + (double)(c.images * c.outHeight * c.outWidth));
}

static void check_groups(convolution c, int kind) {
  const products a = products_of(c);
  check_pass(c, 0, kind % epilogue_count, &a);
  check_pass(c, 1, (kind + 11) % epilogue_count, &a);
  check_weights(c, &a);
  free_arrays();
}

/// Every number of inputs and outputs in blocks of 8, 4 and 1; then groups of 4 and of 8, which are whole where sixteen results
/// have them.
void TYPED(check_groups)(void) {
  int kind = 0;
  for (long inputs = 1; inputs <= 17; inputs++) {
    for (long outputs = 1; outputs <= 17; outputs++, kind += 5) {
      const long groups = 2 + (inputs + outputs) % 2;
      check_groups(geometry(kind, groups * inputs, groups * outputs, groups), kind);
    }
  }
  const long sizes[][3] = {{4, 4, 4}, {12, 4, 4}, {3, 4, 4}, {2, 8, 8}, {4, 8, 8}, {3, 8, 8}, {2, 13, 13}, {4, 3, 4}, {16, 1, 1}};
  for (long j = 0; j < COUNT(sizes); j++) {
    const long groups = sizes[j][0], inputs = groups * sizes[j][1], outputs = groups * sizes[j][2];
    for (long k = 0; k < geometries; k++, kind += 5) check_groups(geometry(k, inputs, outputs, groups), kind);
    for (int epilogue = 0; epilogue < epilogue_count; epilogue++) check_groups(geometry(0, inputs, outputs, groups), epilogue);
    for (long pixels = 1; pixels <= 26; pixels++) check_groups(row_of(pixels, inputs, outputs, groups), (int)(pixels + j) * 7);
  }
}
