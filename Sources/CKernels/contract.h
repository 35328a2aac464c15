#pragma once
// What a kernel needs of its arguments is asserted where it begins: sizes that are positive, multiples and strides that fit,
// memory that is there. Asserts count in debug builds; the release configuration of Package.swift defines NDEBUG.
//
// A trap with a message for the user stands above, in Swift: what fails here is a mistake of this package.

#include <assert.h>
#include <stdint.h>

/// Whether an array of `n` scalars can lie at `p`: an empty one may lie nowhere.
#define EN_HAS(p, n) ((n) == 0 || (p) != 0)
#define EN_IS_ALIGNED(p, bytes) ((uintptr_t)(p) % (bytes) == 0)
