#pragma once
// A convolution and its gradients by the definition, in double precision.
#include "check.h"

typedef struct {
  long images, height, width, inputs, outputs;
  long size, stride, padding, dilation;
  long outHeight, outWidth;
} convolution;

typedef struct {
  REAL *x, *w, *dy;
  double *y, *dx, *dw;
} products;

/// Random operands [images, height, width, inputs], [size, size, inputs, outputs] and [images, outHeight, outWidth, outputs], and
/// their products.
SHARED products products_of(convolution c) {
  const long pixels = c.images * c.outHeight * c.outWidth;
  const long xCount = c.images * c.height * c.width * c.inputs, wCount = c.size * c.size * c.inputs * c.outputs;
  const products p = {
    numbers(xCount), numbers(wCount), numbers(pixels * c.outputs), zeros(pixels * c.outputs), zeros(xCount), zeros(wCount)};
  for (long i = 0; i < pixels * c.size * c.size; i++) {
    const long pixel = i / (c.size * c.size), tap = i % (c.size * c.size), image = pixel / (c.outHeight * c.outWidth);
    const long row = pixel / c.outWidth % c.outHeight * c.stride + tap / c.size * c.dilation - c.padding;
    const long column = pixel % c.outWidth * c.stride + tap % c.size * c.dilation - c.padding;
    if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
    for (long q = 0; q < c.inputs; q++) {
      const long from = ((image * c.height + row) * c.width + column) * c.inputs + q, weight = (tap * c.inputs + q) * c.outputs;
      for (long k = 0, to = pixel * c.outputs; k < c.outputs; k++, to++) {
        p.y[to] += (double)p.x[from] * p.w[weight + k];
        p.dx[from] += (double)p.dy[to] * p.w[weight + k];
        p.dw[weight + k] += (double)p.dy[to] * p.x[from];
      }
    }
  }
  return p;
}
