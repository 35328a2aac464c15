// glibc declares sched_getaffinity for GNU sources alone.
#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>

long en_allowed_processors(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}
