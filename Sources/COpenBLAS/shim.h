#pragma once
#if __has_include(<cblas.h>)
#include <cblas.h>
extern void openblas_set_num_threads(int);
#else
#error "EncodeNet needs OpenBLAS: apt-get install libopenblas-dev (Debian), brew install openblas (macOS)"
#endif
