#pragma once
#include "microkernel.h"
#include "multiversion.h"

// 3×3 convolution with stride 1 and padding 1 by Winograd's minimal filtering (Lavin, Gray, arXiv 1509.09308).
//
// The output is cut into tiles. Each tile's input and the weights are transformed into P Winograd-domain components, and for
// each component a small matrix product over the channels does all multiplications: P for a tile instead of 9 for a pixel.
//
//   en_winograd_4x4: F(4×4, 3×3), tiles of 4×4 from 6×6 inputs, 36 components, 4 times fewer multiplications.
//   en_winograd_2x2: an image of exactly 2×2, 9 components skipping products with the padding.
//
// Components are stored in channel blocks of 16: element c of tile t in component p is at
// p · component + t · tile + (c / 16) · block + c % 16.
// The numbers of channels are multiples of 16.

typedef enum { en_winograd_4x4, en_winograd_2x2 } en_winograd_form;

/// Tiles of images [height, width, channels], `first` the first of them, counted over all images.
typedef struct {
  en_winograd_form form;
  long height, width, channels, first, count;
} en_tiles;

/// The strides of the components of tiles.
typedef struct {
  long component, tile, block;
} en_component_layout;

/// components = Bᵀ x B
OVERLOADED void en_winograd_input(
  en_tiles tiles, const float *x, en_component_layout layout, float *components, en_prefetch prefetch);
OVERLOADED void en_winograd_input(
  en_tiles tiles, const double *x, en_component_layout layout, double *components, en_prefetch prefetch);

/// components = A dy Aᵀ, the adjoint of the output's transform, for `blocks` blocks of channels from `firstBlock` on
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const float *dy, en_component_layout layout, float *components);
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const double *dy, en_component_layout layout, double *components);

/// sums[16] (+)= the sums of dy's pixels; one component of the output's gradient holds those of each tile.
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const float *components, long component, float *sums, int adds);
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const double *components, long component, double *sums, int adds);

/// y = epilogue of Aᵀ components A for `blocks` blocks of channels from `firstBlock` on
OVERLOADED void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_component_layout layout, const float *components, en_float_epilogue epilogue,
  float *y);
OVERLOADED void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_component_layout layout, const double *components,
  en_double_epilogue epilogue, double *y);

/// u[component][input channel][16] = G w Gᵀ for a block of 16 output channels and some input channels.
///
/// w[tap][input · inputStride + output · outputStride] with taps `tapStride` apart, read backwards if `tapStride` is negative.
OVERLOADED void en_winograd_weights(
  en_winograd_form form, long inputs, const float *w, long tapStride, long inputStride, long outputStride, float *u,
  long component);
OVERLOADED void en_winograd_weights(
  en_winograd_form form, long inputs, const double *w, long tapStride, long inputStride, long outputStride, double *u,
  long component);

/// dw[tap][input · inputStride] = Gᵀ du G, the adjoint of the weights' transform, for 16 output channels that are contiguous. du
/// is the sum of `parts` arrays that lie `part` apart.
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_form form, long inputs, long parts, const float *du, long part, long component, float *dw, long tapStride,
  long inputStride);
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_form form, long inputs, long parts, const double *du, long part, long component, double *dw, long tapStride,
  long inputStride);

/// m = v u in each component: [tiles, channels] by [channels, 16], for `blocks` blocks of outputs that lie `uBlock` apart. Sums
/// over the channels `first` ..< `end`, of which u is given, and accumulates into m if `first` > 0.
///
/// The blocks of channels of a tile are contiguous in v and m (block 16).
OVERLOADED void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const float *v, long vComponent, long blocks,
  const float *u, long uComponent, long uBlock, float *m, long mComponent, en_prefetch prefetch);
OVERLOADED void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const double *v, long vComponent, long blocks,
  const double *u, long uComponent, long uBlock, double *m, long mComponent, en_prefetch prefetch);

/// du = vᵀ d, or du += vᵀ d if `adds`, in each component: [inputs, tiles] by [tiles, outputs], in blocks of 16 of either.
///
/// v's and d's blocks lie `block` apart; du[component][input][16] has blocks of outputs `duBlock` apart.
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const float *v, long outputs, const float *d, long block, long component,
  float *du, long duBlock, long duComponent, int adds, en_prefetch prefetch);
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const double *v, long outputs, const double *d, long block, long component,
  double *du, long duBlock, long duComponent, int adds, en_prefetch prefetch);
