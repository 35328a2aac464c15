// Images whose rows and columns are sums or selections of those of others.
#include "check.h"

enum { most_entries = 64 };
typedef struct {
  long starts[most_entries], inputs[most_entries];
  REAL weights[most_entries];
} entries;

/// What an output of a map is: the input at its place; any input, where some follow each other or repeat; a sum.
enum { identity, selection, sums };

/// Sums of up to three inputs, some of them the one before again, or with other weights.
static const struct {
  long count, inputs[3];
  double weights[3];
} shares[] = {
  {1, {0}, {1}}, {3, {0, 1, 2}, {0.25, 0.5, 0.25}}, {3, {0, 1, 2}, {0.25, 0.5, 0.25}}, {2, {1, 2}, {0.75, 0.25}},
  {2, {1, 2}, {0.5, 0.5}}, {0}, {1, {2}, {0.5}}, {1, {2}, {0.5}}, {2, {2, 0}, {0.5, -0.5}}};

static DESCRIPTOR(axis_map) map_of(int kind, long inputs, long outputs, entries *e) {
  long k = 0;
  for (long i = 0; i < outputs; i++) {
    e->starts[i] = k;
    if (kind == identity) e->inputs[k++] = i;
    if (kind == selection) e->inputs[k++] = i * 2 / 3 % inputs;
    for (long share = 0; kind == sums && share < shares[i].count; share++) {
      e->weights[k] = (REAL)shares[i].weights[share];
      e->inputs[k++] = shares[i].inputs[share];
    }
  }
  e->starts[outputs] = k;
  return (DESCRIPTOR(axis_map)){inputs, outputs, e->starts, e->inputs, kind == sums ? e->weights : 0};
}

/// The weight of an input in an output.
static double share_of(DESCRIPTOR(axis_map) map, long output, long input) {
  if (!map.weights) return map.inputs[output] == input;
  double weight = 0;
  for (long k = map.starts[output]; k < map.starts[output + 1]; k++)
    if (map.inputs[k] == input) weight += map.weights[k];
  return weight;
}

static void check_resample(int rowKind, int columnKind, long channels, long height, long width) {
  entries rowEntries, columnEntries;
  const DESCRIPTOR(axis_map)
    rows = map_of(rowKind, height, rowKind == identity ? height : 7, &rowEntries),
    columns = map_of(columnKind, width, columnKind == identity ? width : 9, &columnEntries);
  const long first = 1, count = rows.outputCount - 2, n = count * columns.outputCount * channels;
  REAL *x = eighths(height * width * channels), *y = ARRAY(REAL, n), *scratch = ARRAY(REAL, width * channels);
  double *wanted = zeros(n);
  for (long i = 0; i < n; i++) {
    const long row = first + i / channels / columns.outputCount, column = i / channels % columns.outputCount;
    for (long from = 0; from < height * width; from++)
      wanted[i] += share_of(rows, row, from / width) * share_of(columns, column, from % width) * x[from * channels + i % channels];
  }
  set_size("%ld×%ld×%ld, rows of kind %d, columns of kind %d", height, width, channels, rowKind, columnKind);
  for (int streams = 0; streams < 2; streams++) {
    RUN(en_resample, rows, columns, channels, first, count, streams, x, scratch, y);
    expect(n, y, wanted, 4);
  }
  free_arrays();
}

void TYPED(check_resampling)(void) {
  const long channels[] = {1, 2, 3, 7, 16, 17, 32, 64};
  for (long k = 0; k < COUNT(channels); k++) {
    for (int kinds = 0; kinds < 9; kinds++) {
      check_resample(kinds / 3, kinds % 3, channels[k], 5, 4);
      check_resample(kinds / 3, kinds % 3, channels[k], 3, 11);
    }
  }
}
