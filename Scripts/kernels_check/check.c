// Checks every kernel of Sources/CKernels, on the processor that it runs on, against loops in double precision that say the same
// as the headers; see Scripts/arm-check.
//
// usage: kernels_check FILE, which gets the names of the functions that were called, with their types. Exits with 1 where a result
// is wrong, an assertion fails, or memory is touched beyond an array.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_arrays = 64, most_functions = 512, printed_of_call = 3, printed_in_all = 60 };

static struct {
  const char *name, *type;
} functions[most_functions];
static long functionCount, calls, compared, failures, failuresOfCall;
static const char *function = "", *type = "";
static char sizes[240];

static struct {
  unsigned char *start;
  size_t size, before;
} arrays[most_arrays];
static long arrayCount;

void begin_call(const char *name, const char *typeName) {
  function = name;
  type = typeName;
  calls++;
  failuresOfCall = 0;
  for (long i = 0; i < functionCount; i++)
    if (strcmp(functions[i].name, name) == 0 && strcmp(functions[i].type, typeName) == 0) return;
  if (functionCount == most_functions) abort();
  functions[functionCount].name = name;
  functions[functionCount++].type = typeName;
}

void name_composition(const char *name) { function = name; }

void set_size(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sizes, sizeof sizes, format, arguments);
  va_end(arguments);
}

static void stop(const char *what) {
  char line[512];
  const int n = snprintf(line, sizeof line, "kernels_check: %s of %s, %s: %s\n", function, type, sizes, what);
  if (write(2, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1) < 0) _exit(2);
  _exit(1);
}

static void caught(int signal) { stop(signal == SIGABRT ? "failed an assertion" : "touched memory beyond an array"); }

void compare(long index, int isRight, double found, double wanted) {
  compared++;
  if (isRight) return;
  failures++;
  if (failuresOfCall++ < printed_of_call)
    printf("kernels_check: %s of %s, %s: at %ld found %.17g, wanted %.17g\n", function, type, sizes, index, found, wanted);
  if (failures == 1000 || (failuresOfCall == 1 && failures > printed_in_all)) stop("too much is wrong to go on");
}

void *room(size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (bytes + page - 1) / page * page;
  unsigned char *start = mmap(0, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || arrayCount == most_arrays || mprotect(start + size, page, PROT_NONE) != 0)
    stop("the check has too little memory");
  memset(start, 0xff, size);
  arrays[arrayCount].start = start;
  arrays[arrayCount].size = size + page;
  arrays[arrayCount++].before = size - bytes;
  return start + size - bytes;
}

void free_arrays(void) {
  while (arrayCount > 0) {
    arrayCount--;
    for (size_t i = 0; i < arrays[arrayCount].before; i++)
      if (arrays[arrayCount].start[i] != 0xff) stop("wrote before the beginning of an array");
    munmap(arrays[arrayCount].start, arrays[arrayCount].size);
  }
}

static uint64_t state;

double next_number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)((int64_t)state >> 40) / (1 << 23);
}

int main(int count, char **arguments) {
  const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
  for (long i = 0; i < COUNT(signals); i++) signal(signals[i], caught);
  setvbuf(stdout, 0, _IOLBF, 0);
  // Each family has the same numbers whatever is checked before it.
#define CHECKED(family) state = 30, check_##family##_float(), state = 30, check_##family##_double();
  EACH_FAMILY(CHECKED)
#undef CHECKED
  check_threads();
  free_arrays();
  FILE *file = count > 1 ? fopen(arguments[1], "w") : 0;
  for (long i = 0; file && i < functionCount; i++) fprintf(file, "%s %s\n", functions[i].name, functions[i].type);
  if (file) fclose(file);
  printf("%ld calls of %ld functions, %ld numbers compared, %ld wrong\n", calls, functionCount, compared, failures);
  return failures > 0;
}
