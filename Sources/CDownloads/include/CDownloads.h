#ifndef CDOWNLOADS_H
#define CDOWNLOADS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *url;
  /// NULL: what the environment says (`https_proxy` and the like).
  const char *proxy;
  /// An open file; the bytes that come are written from `from` on, where the server is asked to begin.
  int file;
  int64_t from;
  /// The number of bytes that the file may grow to.
  int64_t size;
  /// The seconds without a byte that end the transfer.
  int64_t stall_timeout;
  /// Called with the length of the file.
  void (*progress)(void *context, int64_t bytes);
  void *context;
} cd_request;

typedef enum {
  cd_done,
  /// The connection failed or ended early: another attempt may resume there.
  cd_broken,
  /// The server has not what is at `from`: begin at 0.
  cd_no_range,
  /// Nothing that another attempt would change.
  cd_refused,
} cd_outcome;

/// Fetches by HTTP or HTTPS; `problem` has room for 512 characters and says what went wrong.
cd_outcome cd_fetch(const cd_request *request, char *problem);

/// The MD5 of an open file from its beginning in 32 hexadecimal digits and a zero; false where it cannot be read.
bool cd_md5(int file, char *hexadecimal);

#endif
