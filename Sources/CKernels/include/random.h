#pragma once
#include "multiversion.h"

// Counter-based random numbers `first`, `first` + 1, … of a seed's sequence: each is a hash of its index, so any thread can
// generate any part.

/// Uniform in 0 ..< 1.
OVERLOADED void en_uniform(unsigned long seed, long first, long n, float *y);
OVERLOADED void en_uniform(unsigned long seed, long first, long n, double *y);

/// Normal with mean 0 and standard deviation 1, by Box and Muller. `first` is even.
OVERLOADED void en_normal(unsigned long seed, long first, long n, float *y);
OVERLOADED void en_normal(unsigned long seed, long first, long n, double *y);

/// y = x / keep where the uniform number of that place is below `keep`, else 0.
OVERLOADED void en_dropout(unsigned long seed, long first, long n, float keep, const float *x, float *y);
OVERLOADED void en_dropout(unsigned long seed, long first, long n, double keep, const double *x, double *y);
