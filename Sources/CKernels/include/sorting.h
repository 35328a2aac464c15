#pragma once
#include "multiversion.h"

#include <stdint.h>

// The order of the elements of a row: ascending or descending, equals by their places, NaN the largest.

/// An element as an unsigned integer of the same order, and its place.
typedef struct {
  uint32_t key, place;
} en_float_ranked;
typedef struct {
  uint64_t key, place;
} en_double_ranked;

/// places[i] = where the i-th of the n elements in order stands. `room` has room for 2 n. n is less than 2³².
OVERLOADED void en_sorted_places(long n, int isDescending, const float *x, en_float_ranked *room, long *places);
OVERLOADED void en_sorted_places(long n, int isDescending, const double *x, en_double_ranked *room, long *places);

/// places[i] = where the i-th of the k largest of n elements stands, largest first; 0 < k ≤ n. `room` has room for k.
OVERLOADED void en_largest_places(long n, long k, const float *x, en_float_ranked *room, long *places);
OVERLOADED void en_largest_places(long n, long k, const double *x, en_double_ranked *room, long *places);
