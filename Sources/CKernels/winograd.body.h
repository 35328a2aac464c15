// MARK: F(4×4, 3×3)
//
// Each transform multiplies a tile by a small matrix on both sides. The rows of the first product are computed one or two at a
// time, common subexpressions once, and each is multiplied by the matrix on the other side before it is stored.

/// A row of Bᵀ d, times B, into its six components.
INLINED void NAMED(store_input_row)(const VECTOR *d, REAL *components, long component) {
  const VECTOR a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
  STORE(components, d[4] - 5 * d[2] + 4 * d[0]);
  STORE(components + component, a + b);
  STORE(components + 2 * component, a - b);
  STORE(components + 3 * component, c + e);
  STORE(components + 4 * component, c - e);
  STORE(components + 5 * component, d[5] - 5 * d[3] + 4 * d[1]);
}

/// Bᵀ d B of sixteen channels. `rows` are the first pixels of the six rows; `left` and `right` columns are outside of the image,
/// and 0.
INLINED void NAMED(input_4x4)(
  const REAL *const *rows, long channels, const long left, const long right, REAL *components, long component) {
#define D(row, column) LOAD(rows[row] + (column) * channels)
  VECTOR t[6] = {0}, u[6] = {0}, v[6] = {0};
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d2 = D(2, j), d4 = D(4, j), a = d4 - 4 * d2, b = D(3, j) - 4 * d1;
    t[j] = (a - d2) + 4 * D(0, j);
    u[j] = a + b;
    v[j] = a - b;
  }
  NAMED(store_input_row)(t, components, component);
  NAMED(store_input_row)(u, components + 6 * component, component);
  NAMED(store_input_row)(v, components + 12 * component, component);
  EACH(j, left, 6 - right) {
    const VECTOR d1 = D(1, j), d3 = D(3, j), a = D(4, j) - D(2, j), b = d3 - d1;
    t[j] = a + 2 * b;
    u[j] = a - 2 * b;
    v[j] = D(5, j) - d3 - 4 * b;
  }
  NAMED(store_input_row)(t, components + 18 * component, component);
  NAMED(store_input_row)(u, components + 24 * component, component);
  NAMED(store_input_row)(v, components + 30 * component, component);
#undef D
}

/// A row of A dy, times Aᵀ, into its six components.
INLINED void NAMED(store_gradient_row)(const VECTOR *y, REAL *components, long component) {
  const VECTOR even = y[0] + y[2], odd = y[1] + y[3], even4 = y[0] + 4 * y[2], odd2 = 2 * y[1] + 8 * y[3];
  STORE(components, y[0]);
  STORE(components + component, even + odd);
  STORE(components + 2 * component, even - odd);
  STORE(components + 3 * component, even4 + odd2);
  STORE(components + 4 * component, even4 - odd2);
  STORE(components + 5 * component, y[3]);
}

/// A dy Aᵀ of sixteen channels of a tile of 4×4.
INLINED void NAMED(gradient_4x4)(const REAL *dy, long rowStride, long pixelStride, REAL *components, long component) {
#define Y(row, column) LOAD(dy + (row) * rowStride + (column) * pixelStride)
  VECTOR t[4], u[4];
  EACH(j, 0, 4) t[j] = Y(0, j);
  NAMED(store_gradient_row)(t, components, component);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + Y(2, j), odd = Y(1, j) + Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, components + 6 * component, component);
  NAMED(store_gradient_row)(u, components + 12 * component, component);
  EACH(j, 0, 4) {
    const VECTOR even = Y(0, j) + 4 * Y(2, j), odd = 2 * Y(1, j) + 8 * Y(3, j);
    t[j] = even + odd;
    u[j] = even - odd;
  }
  NAMED(store_gradient_row)(t, components + 18 * component, component);
  NAMED(store_gradient_row)(u, components + 24 * component, component);
  EACH(j, 0, 4) t[j] = Y(3, j);
  NAMED(store_gradient_row)(t, components + 30 * component, component);
#undef Y
}

/// The epilogue of sixteen channels of y; bias and residual point at the first.
INLINED void NAMED(finish)(const VECTOR *sums, EPILOGUE epilogue, REAL *y) {
  VECTOR v = *sums;
  if (epilogue.bias) v += LOAD(epilogue.bias);
  if (epilogue.residual) v += LOAD(epilogue.residual);
  rectify(epilogue.relu, &v);
  if (epilogue.nontemporal)
    __builtin_nontemporal_store(v, (LINE *)y);
  else
    STORE(y, v);
}
INLINED EPILOGUE NAMED(moved)(EPILOGUE epilogue, long offset) {
  if (epilogue.residual) epilogue.residual += offset;
  return epilogue;
}

/// A row of Aᵀ m, times A, into its four pixels.
INLINED void NAMED(store_output_row)(const VECTOR *m, EPILOGUE epilogue, REAL *y, long pixelStride) {
  const VECTOR a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  const VECTOR pixels[4] = {m[0] + a + c, b + 2 * d, a + 4 * c, b + 8 * d + m[5]};
  EACH(j, 0, 4) NAMED(finish)(pixels + j, NAMED(moved)(epilogue, j * pixelStride), y + j * pixelStride);
}

/// The epilogue of Aᵀ m A of sixteen channels.
INLINED void NAMED(output_4x4)(
  const REAL *components, long component, EPILOGUE epilogue, REAL *y, long rowStride, long pixelStride) {
#define M(row, column) LOAD(components + ((row) * 6 + (column)) * component)
  VECTOR t[6], u[6];
  EACH(j, 0, 6) {
    const VECTOR a = M(1, j) + M(2, j), c = M(3, j) + M(4, j);
    t[j] = M(0, j) + a + c;
    u[j] = a + 4 * c;
  }
  NAMED(store_output_row)(t, epilogue, y, pixelStride);
  NAMED(store_output_row)(u, NAMED(moved)(epilogue, 2 * rowStride), y + 2 * rowStride, pixelStride);
  EACH(j, 0, 6) {
    const VECTOR b = M(1, j) - M(2, j), d = M(3, j) - M(4, j);
    t[j] = b + 2 * d;
    u[j] = b + 8 * d + M(5, j);
  }
  NAMED(store_output_row)(t, NAMED(moved)(epilogue, rowStride), y + rowStride, pixelStride);
  NAMED(store_output_row)(u, NAMED(moved)(epilogue, 3 * rowStride), y + 3 * rowStride, pixelStride);
#undef M
}

// MARK: Images of 2×2
//
// Along one axis y₀ = w₁(x₀+x₁) + (w₂-w₁)x₁ and y₁ = w₁(x₀+x₁) + (w₀-w₁)x₀: three products for four.

INLINED void NAMED(input_2)(const VECTOR *x, long from, VECTOR *t, long to) {
  const VECTOR x0 = x[0], x1 = x[from];
  t[0] = x0 + x1;
  t[to] = x1;
  t[2 * to] = x0;
}
INLINED void NAMED(gradient_2)(const VECTOR *y, long from, VECTOR *t, long to) {
  const VECTOR y0 = y[0], y1 = y[from];
  t[0] = y0 + y1;
  t[to] = y0;
  t[2 * to] = y1;
}
INLINED void NAMED(output_2)(const VECTOR *m, long from, VECTOR *y, long to) {
  const VECTOR m0 = m[0], y0 = m0 + m[from], y1 = m0 + m[2 * from];
  y[0] = y0;
  y[to] = y1;
}
