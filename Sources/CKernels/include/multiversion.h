#pragma once
// How a kernel is compiled.
//
// KERNEL: one copy for each instruction set, chosen by the loader at start (an indirect function); elsewhere a plain
//   function, which on arm64 means NEON.
// OVERLOADED: the same C name for float and double, told apart by the argument types, in C and in Swift alike.
//   The loops of a family are in `<family>.body.h`, written in REAL, and `<family>.c` includes them for both types.
#if defined(__x86_64__) && defined(__linux__) && defined(EN_AT_MOST_AVX2)
// As on a processor without AVX-512, to test and measure on one that has it: `swift test -Xcc -O2 -Xcc -DEN_AT_MOST_AVX2`.
#define KERNEL __attribute__((target_clones("arch=x86-64-v3", "default"), min_vector_width(512)))
#elif defined(__x86_64__) && defined(__linux__)
// Explicit vectors of 64 bytes take one register where there are such.
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), min_vector_width(512)))
// Code for AVX-512 alone, which a kernel calls where `en_max_mr` says that it is there: in the other copies it would take long to
// compile, and never run.
#define AVX512_ONLY __attribute__((target("arch=x86-64-v4"), min_vector_width(512), noinline))
#else
#define KERNEL
#endif
#define OVERLOADED __attribute__((overloadable))
