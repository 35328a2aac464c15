#pragma once
// A convolution and its gradients by the definition, in double precision.
#include "check.h"

typedef struct {
  long images, height, width, inputs, outputs;
  long size, stride, padding, dilation;
  long outHeight, outWidth;
  /// Of inputs and outputs, that convolve by themselves.
  long groups;
} convolution;

/// With the sizes of the result.
SHARED convolution sized(convolution c) {
  const long reach = (c.size - 1) * c.dilation + 1;
  c.outHeight = (c.height + 2 * c.padding - reach) / c.stride + 1;
  c.outWidth = (c.width + 2 * c.padding - reach) / c.stride + 1;
  return c;
}

typedef struct {
  REAL *x, *w, *dy;
  double *y, *dx, *dw;
} products;

/// Random operands [images, height, width, inputs], [size, size, inputs / groups, outputs] and [images, outHeight, outWidth,
/// outputs], and their products.
SHARED products products_of(convolution c) {
  const long pixels = c.images * c.outHeight * c.outWidth, groupInputs = c.inputs / c.groups, groupOutputs = c.outputs / c.groups;
  const long xCount = c.images * c.height * c.width * c.inputs, wCount = c.size * c.size * groupInputs * c.outputs;
  const products p = {
    numbers(xCount), numbers(wCount), numbers(pixels * c.outputs), zeros(pixels * c.outputs), zeros(xCount), zeros(wCount)};
  for (long i = 0; i < pixels * c.size * c.size; i++) {
    const long pixel = i / (c.size * c.size), tap = i % (c.size * c.size), image = pixel / (c.outHeight * c.outWidth);
    const long row = pixel / c.outWidth % c.outHeight * c.stride + tap / c.size * c.dilation - c.padding;
    const long column = pixel % c.outWidth * c.stride + tap % c.size * c.dilation - c.padding;
    if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
    for (long q = 0; q < c.inputs; q++) {
      const long from = ((image * c.height + row) * c.width + column) * c.inputs + q, first = q / groupInputs * groupOutputs;
      const long weight = (tap * groupInputs + q % groupInputs) * c.outputs;
      for (long k = first, to = pixel * c.outputs + first; k < first + groupOutputs; k++, to++) {
        p.y[to] += (double)p.x[from] * p.w[weight + k];
        p.dx[from] += (double)p.dy[to] * p.w[weight + k];
        p.dw[weight + k] += (double)p.dy[to] * p.x[from];
      }
    }
  }
  return p;
}
