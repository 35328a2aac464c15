#pragma once
#include "multiversion.h"

// Numbers `first`, `first` + 1, … of the sequence that a seed stands for: each is a hash of its place, so that any thread can
// make any part of it.

/// Uniform in 0 ..< 1.
OVERLOADED void en_uniform(unsigned long seed, long first, long n, float *y);
OVERLOADED void en_uniform(unsigned long seed, long first, long n, double *y);

/// Normal with mean 0 and deviation 1, by Box and Muller. `first` is even.
OVERLOADED void en_normal(unsigned long seed, long first, long n, float *y);
OVERLOADED void en_normal(unsigned long seed, long first, long n, double *y);
