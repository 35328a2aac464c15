#include "CDownloads.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

bool cd_md5(int file, char *hexadecimal) {
  static const size_t size = 1 << 16;
  unsigned char bytes[1 << 16], digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
  for (off_t place = 0; good;) {
    ssize_t count = pread(file, bytes, size, place);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) break;
    good = count > 0 && EVP_DigestUpdate(context, bytes, (size_t)count) == 1;
    place += count;
  }
  good = good && EVP_DigestFinal_ex(context, digest, &length) == 1 && length == 16;
  EVP_MD_CTX_free(context);
  for (unsigned int i = 0; good && i < length; ++i) snprintf(hexadecimal + 2 * i, 3, "%02x", digest[i]);
  return good;
}
