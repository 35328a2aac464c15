#pragma once
#if __has_include(<png.h>)
#include <png.h>
#else
#error "EncodeNet needs png: apt-get install libpng-dev (Debian), brew install libpng (macOS)"
#endif
