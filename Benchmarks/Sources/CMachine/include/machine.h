#pragma once

/// Runs `rounds` rounds of independent multiply-adds of single precision, and returns how many operations that were; the
/// result goes to `sink`, so that the compiler cannot leave the work out.
double machine_multiply_adds(long rounds, float *sink);

/// Adds up `count` numbers.
float machine_read(const float *x, long count);

/// Nanoseconds that a line of a cache takes from one thread to another and back: some 50 to 100 where two cores share a cache,
/// three hundred and more where they do not. A host may move virtual cores between the two from second to second.
double machine_pass_a_line(long rounds);
