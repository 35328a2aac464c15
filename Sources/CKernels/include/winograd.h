#pragma once
#include "microkernel.h"
#include "multiversion.h"

// 3×3 convolution with stride 1 and padding 1 by Winograd's minimal filtering (Lavin, Gray, arXiv 1509.09308).
//
// The image is cut into tiles of the output. Each tile's input is transformed into P planes (P products), the weights are too,
// and plane by plane a small matrix product over the channels does all multiplications: P for a tile in place of 9 a pixel.
//
//   en_winograd_4x4: F(4×4, 3×3), tiles of 4×4 from 6×6 inputs, 36 planes, 4 times fewer multiplications.
//   en_winograd_2x2: an image of exactly 2×2, 9 planes where the padding would else be multiplied, exact to rounding.
//
// Planes lie in channel blocks of 16: element c of tile t in plane p is at p · plane + t · tile + (c / 16) · block + c % 16.
// The numbers of channels are multiples of 16.

typedef enum { en_winograd_4x4, en_winograd_2x2 } en_winograd_form;

/// Tiles of images [height, width, channels], `first` the first of them, counted over all images.
typedef struct {
  en_winograd_form form;
  long height, width, channels, first, count;
} en_tiles;

/// Where transformed tiles lie.
typedef struct {
  long plane, tile, block;
} en_plane_layout;

/// planes = Bᵀ x B
OVERLOADED void en_winograd_input(en_tiles tiles, const float *x, en_plane_layout layout, float *planes, en_ahead ahead);
OVERLOADED void en_winograd_input(
  en_tiles tiles, const double *x, en_plane_layout layout, double *planes, en_ahead ahead);

/// planes = A dy Aᵀ, the adjoint of the output's transform, for `blocks` blocks of channels from `firstBlock` on
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const float *dy, en_plane_layout layout, float *planes);
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, long firstBlock, long blocks, const double *dy, en_plane_layout layout, double *planes);

/// sums[16] (+)= the sums of dy's pixels, of which one plane of the above holds those over each tile.
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const float *planes, long plane, float *sums, int adds);
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const double *planes, long plane, double *sums, int adds);

/// y = epilogue of Aᵀ planes A for `blocks` blocks of channels from `firstBlock` on
OVERLOADED void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_plane_layout layout, const float *planes, en_float_epilogue epilogue,
  float *y);
OVERLOADED void en_winograd_output(
  en_tiles tiles, long firstBlock, long blocks, en_plane_layout layout, const double *planes,
  en_double_epilogue epilogue, double *y);

/// u[plane][input channel][16] = G w Gᵀ for a block of 16 output channels and some input channels.
///
/// w[tap][input · inputStride + output · outputStride] with taps `tapStride` apart, read backwards if `tapStride` is negative.
OVERLOADED void en_winograd_weights(
  en_winograd_form form, long inputs, const float *w, long tapStride, long inputStride, long outputStride, float *u,
  long plane);
OVERLOADED void en_winograd_weights(
  en_winograd_form form, long inputs, const double *w, long tapStride, long inputStride, long outputStride, double *u,
  long plane);

/// dw[tap][input · inputStride] = Gᵀ du G, the adjoint of the weights' transform, for 16 output channels that lie together. du
/// is the sum of `parts`, which lie `part` apart.
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_form form, long inputs, long parts, const float *du, long part, long plane, float *dw, long tapStride,
  long inputStride);
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_form form, long inputs, long parts, const double *du, long part, long plane, double *dw, long tapStride,
  long inputStride);

/// m = v u in each plane: [tiles, channels] by [channels, 16], for `blocks` blocks of outputs that lie `uBlock` apart. Of the
/// channels `first` ..< `end` take part, whose u is given, and what they give is added to m if there were others before.
///
/// v's blocks of channels lie together in a tile (block 16), as do m's.
OVERLOADED void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const float *v, long vPlane, long blocks,
  const float *u, long uPlane, long uBlock, float *m, long mPlane, en_ahead ahead);
OVERLOADED void en_winograd_multiply(
  en_winograd_form form, long tiles, long channels, long first, long end, const double *v, long vPlane, long blocks,
  const double *u, long uPlane, long uBlock, double *m, long mPlane, en_ahead ahead);

/// du = vᵀ d, or du += vᵀ d if it adds, in each plane: [inputs, tiles] by [tiles, outputs], in blocks of 16 of either.
///
/// v's and d's blocks lie `block` apart; du[plane][input][16] has a block of outputs each `duBlock`.
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const float *v, long outputs, const float *d, long block, long plane,
  float *du, long duBlock, long duPlane, int adds, en_ahead ahead);
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_form form, long tiles, long inputs, const double *v, long outputs, const double *d, long block, long plane,
  double *du, long duBlock, long duPlane, int adds, en_ahead ahead);
