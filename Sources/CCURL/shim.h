#pragma once
#if __has_include(<curl/curl.h>)
#include <curl/curl.h>
#else
#error "EncodeNet needs libcurl: apt-get install libcurl4-openssl-dev (Debian), brew install curl (macOS)"
#endif
