#pragma once
#include "microkernel.h"
#include "multiversion.h"

// Convolutions whose groups have few channels. A product of matrices would leave most of a vector empty: here a vector holds
// channels of one pixel of the result, and stays in a register while all taps are added.
//
// A run is a row of pixels of the result, `toStep` apart, that the same taps reach; a tap reads pixels that are `fromStep` apart.
// At the border a run has fewer taps, so nothing is multiplied by a padded zero. Backward-data is the same with x and y swapped,
// and has runs of its own for each phase of a stride.

/// What a tap reads, as scalars from the beginning of its run, and which tap of the kernel it is.
typedef struct {
  long offset, tap;
} en_tap;

/// A run: where its first pixel begins in x and y, and its taps among those of the plan. The last `leadCount` of them read pixels
/// that no run before has read. Where `rowTaps` is above 1, each so many taps read neighbours, `fromStep` apart.
typedef struct {
  long from, to, pixels, firstTap, tapCount, leadCount, rowTaps;
} en_tap_run;

/// Runs of one image, with the number of scalars of an image of x and of y that they stay within.
typedef struct {
  const en_tap_run *runs;
  long runCount;
  const en_tap *taps;
  long tapCount, kernelTaps;
  long fromStep, toStep;
  long xCount, yCount;
} en_tap_plan;

/// Groups of one channel: weights are [tap][`wStep`], of which `channels` are taken.
typedef struct {
  en_tap_plan plan;
  long channels, wStep;
} en_depthwise_channels;

/// y = epilogue of Σ x · w over the taps; x, w and y begin with the first of the channels.
OVERLOADED void en_depthwise(
  en_depthwise_channels channels, const float *x, const float *w, en_float_epilogue epilogue, float *y);
OVERLOADED void en_depthwise(
  en_depthwise_channels channels, const double *x, const double *w, en_double_epilogue epilogue, double *y);

/// sums += Σ x · dy over the pixels.
OVERLOADED void en_depthwise_weights(en_depthwise_channels channels, const float *x, const float *dy, float *sums);
OVERLOADED void en_depthwise_weights(en_depthwise_channels channels, const double *x, const double *dy, double *sums);

/// Groups of `inputs` channels of x and `outputs` of y each. Weights are packed: of each group [block][tap][input][lane], where
/// blocks of `outputs` have as many lanes as `en_group_lanes` says; or, where `en_takes_whole_groups`, of each sixteen outputs
/// [tap][input][lane].
typedef struct {
  en_tap_plan plan;
  long groups, inputs, outputs;
} en_channel_groups;

/// y = epilogue of Σ x · w over the taps and the inputs of a group.
OVERLOADED void en_convolve_groups(
  en_channel_groups groups, const float *x, const float *w, en_float_epilogue epilogue, float *y);
OVERLOADED void en_convolve_groups(
  en_channel_groups groups, const double *x, const double *w, en_double_epilogue epilogue, double *y);

/// sums += Σ x · dy over the pixels; sums are packed like weights.
OVERLOADED void en_convolve_groups_weights(en_channel_groups groups, const float *x, const float *dy, float *sums);
OVERLOADED void en_convolve_groups_weights(en_channel_groups groups, const double *x, const double *dy, double *sums);

/// The lanes of the next block where `left` outputs of a group are left.
static inline __attribute__((always_inline)) long en_group_lanes(long left) {
  return left >= 8 ? 8 : left >= 4 ? 4 : 1;
}

/// Whether a vector of sixteen results has whole groups, of which each reads as many channels as it writes. Groups of eight fill a
/// vector of AVX2 by themselves.
static inline __attribute__((always_inline)) int en_takes_whole_groups(long groups, long inputs, long outputs) {
  return inputs == outputs && (outputs == 4 || (outputs == 8 && en_max_mr() > 6)) && groups * outputs % en_nr == 0;
}
