#pragma once
#include "multiversion.h"

// A kernel that `streams` writes whole lines past the caches, where it can.

/// y = x read with `strides`, in row-major order of `dimensions`: permutes, slices, flips and broadcasts.
OVERLOADED void en_read_strided(
  long rank, const long *dimensions, const long *strides, int streams, const float *x, float *y);
OVERLOADED void en_read_strided(
  long rank, const long *dimensions, const long *strides, int streams, const double *x, double *y);

/// y[i · yRow + j] = x[i + j · xColumn] for i below `rows` and j below `columns`.
OVERLOADED void en_transpose_plane(long rows, long columns, long xColumn, long yRow, const float *x, float *y);
OVERLOADED void en_transpose_plane(long rows, long columns, long xColumn, long yRow, const double *x, double *y);

/// Writes x, in row-major order of `dimensions`, into y with `strides`.
OVERLOADED void en_write_strided(
  long rank, const long *dimensions, const long *strides, const float *x, float *y);
OVERLOADED void en_write_strided(
  long rank, const long *dimensions, const long *strides, const double *x, double *y);

/// y[i] = x[i · xStep …], in rows of n, side by side in y; xStep is 0 or not below n, or negative.
OVERLOADED void en_copy_runs(long rows, long n, long xStep, int streams, const float *x, float *y);
OVERLOADED void en_copy_runs(long rows, long n, long xStep, int streams, const double *x, double *y);

/// Rows below which a scalar is repeated in place: a call for each row costs more.
enum { en_few_repeats = 64 };

/// y[i][j] = x[i · xStep] for j < n.
OVERLOADED void en_repeat(long rows, long n, long xStep, const float *x, float *y);
OVERLOADED void en_repeat(long rows, long n, long xStep, const double *x, double *y);

/// Each row of y is that of every part x[p], of widths[p], one after another.
OVERLOADED void en_join_rows(
  long rows, long parts, const long *widths, int streams, const float *const *x, float *y);
OVERLOADED void en_join_rows(
  long rows, long parts, const long *widths, int streams, const double *const *x, double *y);

/// Each row of x, cut into the rows of every part y[p], of widths[p].
OVERLOADED void en_split_rows(
  long rows, long parts, const long *widths, int streams, const float *x, float *const *y);
OVERLOADED void en_split_rows(
  long rows, long parts, const long *widths, int streams, const double *x, double *const *y);

/// y[i] = x[indices[i]], in rows of n, of which x has `count`.
OVERLOADED void en_gather_rows(long rows, long n, long count, const long *indices, const float *x, float *y);
OVERLOADED void en_gather_rows(long rows, long n, long count, const long *indices, const double *x, double *y);

/// y[indices[i]] += x[i], in rows of n.
OVERLOADED void en_scatter_add_rows(long rows, long n, const long *indices, const float *x, float *y);
OVERLOADED void en_scatter_add_rows(long rows, long n, const long *indices, const double *x, double *y);

/// y[i] = value
OVERLOADED void en_fill(long n, float value, float *y);
OVERLOADED void en_fill(long n, double value, double *y);

/// y[i] = start + (first + i) · step, computed in double.
OVERLOADED void en_count(long first, long n, double start, double step, float *y);
OVERLOADED void en_count(long first, long n, double start, double step, double *y);
