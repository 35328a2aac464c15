#pragma once
#if __has_include(<jpeglib.h>)
#include <stdio.h>
#include <jpeglib.h>
#else
#error "EncodeNet needs jpeg: apt-get install libjpeg-dev (Debian), brew install jpeg-turbo (macOS)"
#endif
