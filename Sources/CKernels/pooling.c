#include "pooling.h"

#include <limits.h>

#include "contract.h"
#include "vectors.h"

#ifndef NDEBUG
static void check_windows(en_windows w) {
  assert(w.height > 0 && w.width > 0 && w.channels >= 0 && w.outHeight >= 0 && w.outWidth >= 0);
  assert(w.size > 0 && w.stride > 0 && w.padding >= 0 && w.padding < w.size);
  // The last window reaches the image.
  assert((w.outHeight - 1) * w.stride < w.height + w.padding && (w.outWidth - 1) * w.stride < w.width + w.padding);
}
static void check_subsampling(en_subsampling s) {
  assert(s.channels >= 0 && s.stride > 0 && s.outHeight >= 0 && s.outWidth >= 0 && s.before >= 0);
  assert((s.outWidth - 1) * s.stride < s.width && s.before + s.channels <= s.outChannels);
}
#endif

#define REAL float
#include "pooling.body.h"
#undef REAL
#define REAL double
#include "pooling.body.h"
