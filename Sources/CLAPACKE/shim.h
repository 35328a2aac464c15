#pragma once
#if __has_include(<lapacke.h>)
#include <lapacke.h>
#else
#error "EncodeNet needs LAPACKE: apt-get install liblapacke-dev (Debian), brew install lapack (macOS)"
#endif
