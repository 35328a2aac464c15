#pragma once
#if __has_include(<webp/decode.h>)
#include <webp/decode.h>
#else
#error "EncodeNet needs webp: apt-get install libwebp-dev (Debian), brew install webp (macOS)"
#endif
