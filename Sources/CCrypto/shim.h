#pragma once
#if __has_include(<openssl/evp.h>)
#include <openssl/evp.h>
#else
#error "EncodeNet needs libcrypto: apt-get install libssl-dev (Debian), brew install openssl (macOS)"
#endif
