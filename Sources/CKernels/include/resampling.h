#pragma once
#include "multiversion.h"

/// A linear map of an axis: output i is Σ weights[k] · input inputs[k], for k from starts[i] to starts[i + 1], which it excludes.
/// Without weights it selects: output i is input inputs[i].
typedef struct {
  long inputCount, outputCount;
  const long *starts, *inputs;
  const float *weights;
} en_float_axis_map;

typedef struct {
  long inputCount, outputCount;
  const long *starts, *inputs;
  const double *weights;
} en_double_axis_map;

/// y = the rows from `first` on, `count` of them, of an image [rows.outputCount, columns.outputCount, channels], whose axes are
/// maps of those of x. `scratch` has room for a row of x. What selects in whole lines `streams` them past the caches.
OVERLOADED void en_resample(
  en_float_axis_map rows, en_float_axis_map columns, long channels, long first, long count, int streams, const float *x,
  float *scratch, float *y);
OVERLOADED void en_resample(
  en_double_axis_map rows, en_double_axis_map columns, long channels, long first, long count, int streams, const double *x,
  double *scratch, double *y);
