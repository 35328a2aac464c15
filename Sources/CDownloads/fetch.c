#include "CDownloads.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const cd_request *request;
  int64_t length;
  char *problem;
} state;

static size_t receive(char *bytes, size_t unit, size_t count, void *context) {
  state *s = context;
  (void)unit;
  if ((int64_t)count > s->request->size - s->length) {
    snprintf(s->problem, 512, "sends more than the %lld bytes that were published", (long long)s->request->size);
    return 0;
  }
  for (size_t done = 0; done < count;) {
    ssize_t written = pwrite(s->request->file, bytes + done, count - done, s->length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      snprintf(s->problem, 512, "cannot write: %s", strerror(errno));
      return 0;
    }
    done += (size_t)written;
    s->length += written;
  }
  if (s->request->progress) s->request->progress(s->request->context, s->length);
  return count;
}

static void initialize(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static bool is_broken(CURLcode code, long status) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_PARTIAL_FILE:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM: return true;
  case CURLE_HTTP_RETURNED_ERROR: return status >= 500 || status == 408 || status == 429;
  default: return false;
  }
}

cd_outcome cd_fetch(const cd_request *request, char *problem) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialize);
  CURL *curl = curl_easy_init();
  problem[0] = 0;
  if (!curl) {
    snprintf(problem, 512, "libcurl does not start");
    return cd_refused;
  }
  char text[CURL_ERROR_SIZE] = "";
  state s = {request, request->from, problem};
  curl_easy_setopt(curl, CURLOPT_URL, request->url);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
  if (request->proxy) curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)request->stall_timeout);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)request->stall_timeout);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "encodenet");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s);
  if (request->from > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)request->from);

  CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  if (code == CURLE_OK) return cd_done;
  if (!problem[0]) snprintf(problem, 512, "%s", text[0] ? text : curl_easy_strerror(code));
  // A server that knows no ranges, or one whose file is shorter than what was fetched.
  if (request->from > 0 && (code == CURLE_RANGE_ERROR || status == 416)) return cd_no_range;
  return is_broken(code, status) ? cd_broken : cd_refused;
}
