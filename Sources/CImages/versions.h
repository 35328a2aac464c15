#pragma once
// VERSIONS: one copy of a function for each instruction set, chosen by the loader at start; elsewhere a plain function.
// Nothing may depend on the choice: floats are not contracted, so that every copy gives the same bits.
#if defined(__x86_64__) && defined(__linux__) && defined(EN_AT_MOST_AVX2)
#define VERSIONS __attribute__((target_clones("arch=x86-64-v3", "default"), min_vector_width(512)))
#elif defined(__x86_64__) && defined(__linux__)
#define VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), min_vector_width(512)))
#else
#define VERSIONS
#endif
