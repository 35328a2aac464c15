// Winograd's filtering, all steps together, against the definition of the convolution and of its gradients.
#include "definition.h"
#include "epilogues.h"

/// How components lie: `step` tiles at a time, with gaps, as Swift has them.
typedef struct {
  en_winograd_form form;
  long side, components, tileCount, step;
} filtering;

static filtering filtering_of(convolution c, int isTiny, long step) {
  const long side = isTiny ? 2 : 4;
  const long tiles = c.images * ((c.height + side - 1) / side) * ((c.width + side - 1) / side);
  return (filtering){isTiny ? en_winograd_2x2 : en_winograd_4x4, side, isTiny ? 9 : 36, tiles, step};
}

static en_tiles tiles_of(filtering f, convolution c, long channels, long first, long end) {
  const long left = end - first;
  return (en_tiles){f.form, c.height, c.width, channels, first, left < f.step ? left : f.step};
}

/// y = epilogue of x ∗ w, or of backward-data, where inputs and outputs are those of the call. Channels are summed over in two
/// parts, and outputs transformed in two groups of blocks.
static void convolve(
  filtering f, convolution c, const REAL *x, const REAL *w, int isBackwardData, DESCRIPTOR(epilogue) epilogue, REAL *y) {
  const long inputs = c.inputs, outputs = c.outputs, blocks = outputs / 16, half = inputs / 32 * 16;
  const en_winograd_filters filters = {
    f.form, inputs, isBackwardData ? -inputs * outputs : inputs * outputs, isBackwardData ? 1 : outputs,
    isBackwardData ? inputs : 1, inputs * 16 + 16};
  const long uBlock = f.components * filters.component + 32;
  REAL *u = ARRAY(REAL, blocks * uBlock);
  for (long k = 0; k < blocks; k++) RUN(en_winograd_weights, filters, w + k * 16 * filters.outputStride, u + k * uBlock);
  const long vComponent = f.step * inputs + 16, mComponent = f.step * outputs + 16;
  REAL *v = ARRAY(REAL, f.components * vComponent), *m = ARRAY(REAL, f.components * mComponent);
  for (long first = 0; first < f.tileCount; first += f.step) {
    const en_tiles from = tiles_of(f, c, inputs, first, f.tileCount), to = tiles_of(f, c, outputs, first, f.tileCount);
    RUN(en_winograd_input, from, x, ((en_component_layout){vComponent, inputs, 16}), v, ((en_prefetch){w, 1000}));
    en_winograd_product product = {
      .form = f.form, .tiles = from.count, .channels = inputs, .end = half > 0 ? half : inputs, .vComponent = vComponent,
      .blocks = blocks, .uBlock = uBlock, .uComponent = filters.component, .mComponent = mComponent};
    RUN(en_winograd_multiply, product, v, u, m, ((en_prefetch){x, 1000}));
    product.first = half;
    product.end = inputs;
    if (half > 0) RUN(en_winograd_multiply, product, v, u + half * 16, m, ((en_prefetch){0}));
    for (long k = 0, count; k < blocks; k += count) {
      count = k == 0 ? 1 : blocks - 1;
      RUN(en_winograd_output, to, ((en_channel_blocks){k, count}), ((en_component_layout){mComponent, outputs, 16}), m + k * 16,
          epilogue, y);
    }
  }
}

/// Transforms lose a digit or two, with any depth.
static double rounding(long depth) { return 256 + 32 * (double)depth; }

static void check_forward(filtering f, convolution c, const products *a, int kind) {
  const long n = c.images * c.height * c.width * c.outputs;
  REAL *bias = wide_numbers(c.outputs), *residual = wide_numbers(n), *y = ARRAY(REAL, n);
  // NaN reaches its results, through a ReLU too.
  bias[c.outputs / 3] = residual[n / 2] = NAN;
  double *wanted = ARRAY(double, n);
  const DESCRIPTOR(epilogue) epilogue = epilogue_of(kind, bias, residual);
  for (long i = 0; i < n; i++) wanted[i] = finished(epilogue, a->y[i], i % c.outputs, i);
  convolve(f, c, a->x, a->w, 0, epilogue, y);
  name_composition("en_winograd_output (weights, input, multiply, output together)");
  expect(n, y, wanted, rounding(c.inputs));
}

static void check_backward_data(filtering f, convolution c, const products *a) {
  const long n = c.images * c.height * c.width * c.inputs;
  REAL *dx = ARRAY(REAL, n);
  convolution back = c;
  back.inputs = c.outputs;
  back.outputs = c.inputs;
  convolve(f, back, a->dy, a->w, 1, (DESCRIPTOR(epilogue)){0}, dx);
  name_composition("en_winograd_output (rotated weights, input, multiply, output together)");
  expect(n, dx, a->dx, rounding(c.outputs));
}

/// The gradients of the weights and of a bias, in two parts where there are several tiles.
static void check_backward_weights(filtering f, convolution c, const products *a) {
  const long inputs = c.inputs / 16, outputs = c.outputs / 16, parts = f.tileCount > 1 ? 2 : 1;
  const long component = f.step * 16 + 16, block = f.components * component + 32;
  const long uComponent = c.inputs * 16 + 16, uBlock = f.components * uComponent + 32, part = outputs * uBlock;
  REAL *v = ARRAY(REAL, inputs * block), *d = ARRAY(REAL, outputs * block), *du = ARRAY(REAL, parts * part);
  REAL *sums = ARRAY(REAL, parts * c.outputs), *dw = ARRAY(REAL, 9 * c.inputs * c.outputs), *db = ARRAY(REAL, c.outputs);
  const en_component_layout layout = {component, 16, block};
  for (long p = 0; p < parts; p++) {
    const long begin = f.tileCount * p / parts, end = f.tileCount * (p + 1) / parts;
    for (long first = begin; first < end; first += f.step) {
      const en_tiles from = tiles_of(f, c, c.inputs, first, end), to = tiles_of(f, c, c.outputs, first, end);
      RUN(en_winograd_input, from, a->x, layout, v, ((en_prefetch){0}));
      for (long k = 0, count; k < outputs; k += count) {
        count = k == 0 ? 1 : outputs - 1;
        RUN(en_winograd_output_gradient, to, ((en_channel_blocks){k, count}), a->dy, layout, d + k * block);
      }
      for (long k = 0; k < outputs; k++)
        RUN(en_winograd_pixel_sums, f.form, to.count, d + k * block, component, sums + p * c.outputs + k * 16, first > begin);
      const en_winograd_transposed_product product = {
        f.form, to.count, inputs, outputs, block, component, uBlock, uComponent, first > begin};
      RUN(en_winograd_multiply_transposed, product, v, d, du + p * part, ((en_prefetch){a->x, 1000}));
    }
  }
  const en_winograd_filters filters = {f.form, c.inputs, c.inputs * c.outputs, c.outputs, 1, uComponent};
  for (long k = 0; k < outputs; k++) RUN(en_winograd_weights_gradient, filters, parts, part, du + k * uBlock, dw + k * 16);
  name_composition("en_winograd_weights_gradient (input, output gradient, multiply transposed, weights gradient together)");
  const double pixels = (double)(c.images * c.height * c.width);
  expect(9 * c.inputs * c.outputs, dw, a->dw, 256 + 4 * pixels);
  double *wanted = zeros(c.outputs);
  for (long i = 0; i < c.images * c.height * c.width * c.outputs; i++) wanted[i % c.outputs] += a->dy[i];
  for (long k = 0; k < c.outputs; k++) {
    db[k] = 0;
    for (long p = 0; p < parts; p++) db[k] += sums[p * c.outputs + k];
  }
  name_composition("en_winograd_pixel_sums");
  expect(c.outputs, db, wanted, 16 + pixels);
}

static void check_filtering(long images, long height, long width, long inputs, long outputs, int isTiny, long step, int kind) {
  const convolution c = {
    .images = images, .height = height, .width = width, .inputs = inputs, .outputs = outputs, .size = 3, .stride = 1,
    .padding = 1, .dilation = 1, .outHeight = height, .outWidth = width, .groups = 1};
  const filtering f = filtering_of(c, isTiny, step);
  set_size("%ld images %ld×%ld, %ld to %ld, %ld tiles at a time, epilogue %d", images, height, width, inputs, outputs, step, kind);
  const products a = products_of(c);
  check_forward(f, c, &a, kind);
  check_backward_data(f, c, &a);
  check_backward_weights(f, c, &a);
  free_arrays();
}

void TYPED(check_winograd)(void) {
  const long sizes[][5] = {
    {1, 1, 1, 16, 16}, {1, 3, 7, 16, 32}, {2, 4, 4, 48, 16}, {1, 5, 5, 16, 48}, {3, 6, 9, 32, 32}, {1, 8, 8, 288, 16},
    {1, 4, 5, 1040, 16}, {2, 9, 13, 16, 16}, {1, 2, 2, 32, 16}, {1, 7, 12, 16, 144}};
  for (long k = 0; k < COUNT(sizes); k++) {
    const long *s = sizes[k];
    check_filtering(s[0], s[1], s[2], s[3], s[4], 0, 7, (int)k * 5 % epilogue_count);
    check_filtering(s[0], s[1], s[2], s[3], s[4], 0, 3, (int)(k * 7 + 4) % epilogue_count);
  }
  // Enough tiles to prefetch.
  check_filtering(1, 28, 27, 16, 32, 0, 40, 0);
  check_filtering(3, 16, 16, 32, 16, 0, 24, is_nontemporal);
  for (long images = 1; images <= 13; images++)
    check_filtering(images, 2, 2, images % 3 * 32 + 16, 32, 1, 5, (int)images * 7 % epilogue_count);
  check_filtering(80, 2, 2, 32, 16, 1, 40, is_nontemporal);
  for (long images = 1; images <= 25; images++) check_filtering(images, 4, 4, 16, 16, 0, 25, (int)images % epilogue_count);
  for (int epilogue = 0; epilogue < epilogue_count; epilogue++) check_filtering(3, 2, 2, 16, 16, 1, 5, epilogue);
}
