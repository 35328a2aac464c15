#pragma once
#if __has_include(<zlib.h>)
#include <zlib.h>
#else
#error "EncodeNet needs z: apt-get install zlib1g-dev (Debian), brew install zlib (macOS)"
#endif
