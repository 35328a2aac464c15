/// Output i of a map of runs of n scalars, which follow each other in x.
INLINED OVERLOADED void combine(MAP map, long i, const long n, const REAL *restrict x, REAL *restrict y) {
  long k = map.starts[i];
  const long end = map.starts[i + 1];
  if (end - k == 1) {
    const REAL *a = x + map.inputs[k] * n, u = map.weights[k];
    for (long c = 0; c < n; c++) y[c] = u * a[c];
    return;
  }
  if (k == end) {
    for (long c = 0; c < n; c++) y[c] = 0;
    return;
  }
  const REAL *a = x + map.inputs[k] * n, *b = x + map.inputs[k + 1] * n;
  const REAL u = map.weights[k], v = map.weights[k + 1];
  for (long c = 0; c < n; c++) y[c] = u * a[c] + v * b[c];
  for (k += 2; k < end; k++) {
    const REAL *more = x + map.inputs[k] * n, weight = map.weights[k];
    for (long c = 0; c < n; c++) y[c] += weight * more[c];
  }
}

/// Pixels of a selection; those that follow each other in x as well are one copy.
INLINED OVERLOADED void select_pixels(MAP map, const long channels, const REAL *restrict x, REAL *restrict y) {
  for (long j = 0, run; j < map.outputCount; j += run) {
    const long from = map.inputs[j];
    for (run = 1; j + run < map.outputCount && map.inputs[j + run] == from + run;) run++;
    if (run == 1)
      for (long c = 0; c < channels; c++) y[j * channels + c] = x[from * channels + c];
    else memcpy(y + j * channels, x + from * channels, run * channels * sizeof(REAL));
  }
}

/// Whether output i is that before it.
static OVERLOADED int repeats(MAP map, long i) {
  if (!map.weights) return map.inputs[i] == map.inputs[i - 1];
  const long start = map.starts[i], before = map.starts[i - 1], n = start - before;
  if (map.starts[i + 1] - start != n) return 0;
  for (long k = 0; k < n; k++) {
    if (map.inputs[start + k] != map.inputs[before + k] || map.weights[start + k] != map.weights[before + k]) return 0;
  }
  return 1;
}

INLINED OVERLOADED void resample(
  MAP rows, MAP columns, const long channels, long first, long count, const REAL *x, REAL *scratch, REAL *y) {
  const long width = columns.inputCount * channels, outWidth = columns.outputCount * channels;
  int keepsColumns = !columns.weights && columns.inputCount == columns.outputCount;
  for (long j = 0; keepsColumns && j < columns.outputCount; j++) keepsColumns = columns.inputs[j] == j;
  for (long i = first; i < first + count; i++, y += outWidth) {
    if (i > first && repeats(rows, i)) {
      memcpy(y, y - outWidth, outWidth * sizeof(REAL));
      continue;
    }
    const REAL *row = scratch;
    if (!rows.weights) row = x + rows.inputs[i] * width;
    else if (keepsColumns) row = y;
    if (rows.weights) combine(rows, i, width, x, (REAL *)row);
    if (!columns.weights) {
      if (row != y) select_pixels(columns, channels, row, y);
      continue;
    }
    for (long j = 0; j < columns.outputCount; j++) combine(columns, j, channels, row, y + j * channels);
  }
}

#ifndef NDEBUG
static OVERLOADED void check_map(MAP map) {
  assert(map.inputCount >= 0 && map.outputCount >= 0);
  const long entries = map.weights ? map.starts[map.outputCount] : map.outputCount;
  assert(!map.weights || map.starts[0] == 0);
  assert(EN_HAS(map.inputs, entries));
  for (long k = 0; k < entries; k++) assert(map.inputs[k] >= 0 && map.inputs[k] < map.inputCount);
}
#endif

OVERLOADED KERNEL void en_resample(
  MAP rows, MAP columns, long channels, long first, long count, const REAL *x, REAL *scratch, REAL *y) {
#ifndef NDEBUG
  check_map(rows);
  check_map(columns);
  assert(channels >= 0 && first >= 0 && count >= 0 && first + count <= rows.outputCount);
  assert(EN_HAS(x, rows.inputCount * columns.inputCount * channels) && EN_HAS(scratch, columns.inputCount * channels));
  assert(EN_HAS(y, count * columns.outputCount * channels));
#endif
  // The usual numbers of channels are constants.
#define RESAMPLE(channels) resample(rows, columns, channels, first, count, x, scratch, y)
  switch (channels) {
  case 1: RESAMPLE(1); break;
  case 3: RESAMPLE(3); break;
  case 16: RESAMPLE(16); break;
  case 32: RESAMPLE(32); break;
  case 64: RESAMPLE(64); break;
  default: RESAMPLE(channels);
  }
#undef RESAMPLE
}
