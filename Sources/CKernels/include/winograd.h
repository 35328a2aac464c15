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

/// Some blocks of 16 channels.
typedef struct {
  long first, count;
} en_channel_blocks;

/// components = Bᵀ x B
OVERLOADED void en_winograd_input(
  en_tiles tiles, const float *x, en_component_layout layout, float *components, en_prefetch prefetch);
OVERLOADED void en_winograd_input(
  en_tiles tiles, const double *x, en_component_layout layout, double *components, en_prefetch prefetch);

/// components = A dy Aᵀ, the adjoint of the output's transform, of some blocks of dy's channels
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, en_channel_blocks blocks, const float *dy, en_component_layout layout, float *components);
OVERLOADED void en_winograd_output_gradient(
  en_tiles tiles, en_channel_blocks blocks, const double *dy, en_component_layout layout, double *components);

/// sums[16] (+)= the sums of dy's pixels; one component of the output's gradient holds those of each tile.
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const float *components, long component, float *sums, int adds);
OVERLOADED void en_winograd_pixel_sums(
  en_winograd_form form, long tiles, const double *components, long component, double *sums, int adds);

/// y = epilogue of Aᵀ components A, for some blocks of y's channels
OVERLOADED void en_winograd_output(
  en_tiles tiles, en_channel_blocks blocks, en_component_layout layout, const float *components, en_float_epilogue epilogue,
  float *y);
OVERLOADED void en_winograd_output(
  en_tiles tiles, en_channel_blocks blocks, en_component_layout layout, const double *components,
  en_double_epilogue epilogue, double *y);

/// The weights from some input channels to a block of 16 output channels, w[tap][input · inputStride + output · outputStride] with
/// taps `tapStride` apart, read backwards if that is negative; and their components u[component][input][16].
typedef struct {
  en_winograd_form form;
  long inputs;
  long tapStride, inputStride, outputStride;
  /// From component to component of u.
  long component;
} en_winograd_filters;

/// u = G w Gᵀ
OVERLOADED void en_winograd_weights(en_winograd_filters filters, const float *w, float *u);
OVERLOADED void en_winograd_weights(en_winograd_filters filters, const double *w, double *u);

/// dw = Gᵀ du G, the adjoint of the weights' transform, for output channels that are contiguous. du is the sum of `parts` arrays
/// that lie `part` apart.
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_filters filters, long parts, long part, const float *du, float *dw);
OVERLOADED void en_winograd_weights_gradient(
  en_winograd_filters filters, long parts, long part, const double *du, double *dw);

/// A product of tiles by weights in each component: m[tiles, 16] (+)= v[tiles, channels] u[channels, 16], for `blocks` blocks of
/// 16 outputs. The blocks of channels of a tile are contiguous in v and m (block 16).
typedef struct {
  en_winograd_form form;
  long tiles, channels;
  /// The channels that are summed over, of which u is given; m is accumulated into if the first is not 0.
  long first, end;
  /// From component to component of v.
  long vComponent;
  /// Blocks of outputs, and in u from block to block and from component to component.
  long blocks, uBlock, uComponent;
  /// From component to component of m.
  long mComponent;
} en_winograd_product;

/// m = v u in each component.
OVERLOADED void en_winograd_multiply(
  en_winograd_product product, const float *v, const float *u, float *m, en_prefetch prefetch);
OVERLOADED void en_winograd_multiply(
  en_winograd_product product, const double *v, const double *u, double *m, en_prefetch prefetch);

/// A product over tiles in each component: du[inputs, outputs] (+)= vᵀ[inputs, tiles] d[tiles, outputs], in blocks of 16 of either.
typedef struct {
  en_winograd_form form;
  long tiles;
  /// Blocks of 16 channels of v, and of d.
  long inputs, outputs;
  /// In v and in d from block to block, and from component to component.
  long block, component;
  /// In du, which is [component][input][16], from block to block of outputs, and from component to component.
  long duBlock, duComponent;
  /// Whether du is accumulated into.
  int adds;
} en_winograd_transposed_product;

/// du = vᵀ d in each component.
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_transposed_product product, const float *v, const float *d, float *du, en_prefetch prefetch);
OVERLOADED void en_winograd_multiply_transposed(
  en_winograd_transposed_product product, const double *v, const double *d, double *du, en_prefetch prefetch);
