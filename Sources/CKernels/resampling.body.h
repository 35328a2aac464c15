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

/// Output [i, j] of two maps, of two rows and two columns: back from where pixels were repeated.
INLINED OVERLOADED void combine_four(
  MAP rows, MAP columns, long i, long j, const long channels, const REAL *restrict x, REAL *restrict y) {
  const long k = rows.starts[i], l = columns.starts[j], width = columns.inputCount * channels;
  const REAL *a = x + rows.inputs[k] * width, *b = x + rows.inputs[k + 1] * width;
  const long left = columns.inputs[l] * channels, right = columns.inputs[l + 1] * channels;
  const REAL u = rows.weights[k], v = rows.weights[k + 1], p = columns.weights[l], q = columns.weights[l + 1];
  for (long c = 0; c < channels; c++)
    y[c] = p * (u * a[left + c] + v * b[left + c]) + q * (u * a[right + c] + v * b[right + c]);
}

/// Whether a map has half as many outputs, each a sum of two inputs.
static OVERLOADED int halves(MAP map) {
  if (!map.weights || map.inputCount != 2 * map.outputCount) return 0;
  for (long i = 0; i < map.outputCount; i++)
    if (map.starts[i + 1] - map.starts[i] != 2) return 0;
  return 1;
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

/// Pixels of a selection in whole lines, stored past the caches.
INLINED OVERLOADED void stream_pixels(MAP map, const long channels, const REAL *restrict x, REAL *restrict y) {
  for (long j = 0; j < map.outputCount; j++, y += channels) {
    const REAL *from = x + map.inputs[j] * channels;
    for (long c = 0; c < channels; c += 16) __builtin_nontemporal_store(LOAD(from + c), (LINE *)(y + c));
  }
}

/// Whether output i is that before it.
static OVERLOADED int repeats(MAP map, long i) {
  const long start = map.starts[i], before = map.starts[i - 1], n = start - before;
  if (map.starts[i + 1] - start != n) return 0;
  for (long k = 0; k < n; k++) {
    if (map.inputs[start + k] != map.inputs[before + k] || map.weights[start + k] != map.weights[before + k]) return 0;
  }
  return 1;
}

INLINED OVERLOADED void resample(
  MAP rows, MAP columns, const long channels, long first, long count, int streams, const REAL *x, REAL *scratch, REAL *y) {
  const long width = columns.inputCount * channels, outWidth = columns.outputCount * channels;
  if (streams && !rows.weights && !columns.weights && channels % 16 == 0 && EN_IS_ALIGNED(y, 64)) {
    for (long i = first; i < first + count; i++, y += outWidth)
      stream_pixels(columns, channels, x + rows.inputs[i] * width, y);
    return;
  }
  if (halves(rows) && halves(columns)) {
    for (long i = first; i < first + count; i++, y += outWidth)
      for (long j = 0; j < columns.outputCount; j++) combine_four(rows, columns, i, j, channels, x, y + j * channels);
    return;
  }
  int keepsColumns = !columns.weights && columns.inputCount == columns.outputCount;
  for (long j = 0; keepsColumns && j < columns.outputCount; j++) keepsColumns = columns.inputs[j] == j;
  for (long i = first; i < first + count; i++, y += outWidth) {
    // A row of a selection is selected again: that costs less than a call to copy it.
    if (rows.weights && i > first && repeats(rows, i)) {
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
  MAP rows, MAP columns, long channels, long first, long count, int streams, const REAL *x, REAL *scratch, REAL *y) {
#ifndef NDEBUG
  check_map(rows);
  check_map(columns);
  assert(channels >= 0 && first >= 0 && count >= 0 && first + count <= rows.outputCount);
  assert(EN_HAS(x, rows.inputCount * columns.inputCount * channels) && EN_HAS(scratch, columns.inputCount * channels));
  assert(EN_HAS(y, count * columns.outputCount * channels));
#endif
  // The usual numbers of channels are constants.
#define RESAMPLE(channels) resample(rows, columns, channels, first, count, streams, x, scratch, y)
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
