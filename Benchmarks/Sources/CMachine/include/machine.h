#pragma once

/// Runs `rounds` rounds of independent multiply-adds of single precision, and returns how many operations that were; the
/// result goes to `sink`, so that the compiler cannot leave the work out.
double machine_multiply_adds(long rounds, float *sink);

/// Adds up `count` numbers.
float machine_read(const float *x, long count);
