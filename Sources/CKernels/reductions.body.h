// Sums in a fixed number of lanes, reduced as a tree: short chains of additions keep errors small, and the result does not
// depend on the vector width.
INLINED REAL block_sum(long n, const REAL *x) {
  enum { lanes = 32 };
  REAL sum[lanes] = {0};
  long i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; lane++) sum[lane] += x[i + lane];
  }
  for (int lane = 0; i + lane < n; lane++) sum[lane] += x[i + lane];
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; lane++) sum[lane] += sum[lane + half];
  }
  return sum[0];
}

// A strip of `width` columns; where that is a constant, its sums stay in registers over all rows.
INLINED OVERLOADED void strip_sums(
  long from, long to, long inner, const long width, const REAL *x, REAL *y) {
  enum { block = 512 };
  double total[en_strip] = {0};
  for (long k = from; k < to; k += block) {
    const long end = to - k < block ? to : k + block;
    REAL sum[en_strip] = {0};
    for (long row = k; row < end; row++) {
      for (long i = 0; i < width; i++) sum[i] += x[row * inner + i];
    }
    for (long i = 0; i < width; i++) total[i] += sum[i];
  }
  for (long i = 0; i < width; i++) y[i] = (REAL)total[i];
}

OVERLOADED KERNEL void en_sum(en_axes axes, long from, long to, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  assert(from >= 0 && to <= axes.n);
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  enum { block = 512 };
  for (long o = 0; o < outer; o++) {
    const REAL *slice = x + o * n * inner;
    REAL *out = y + o * inner;
    if (inner == 1) {
      double sum = 0;
      for (long k = from; k < to; k += block) sum += block_sum(to - k < block ? to - k : block, slice + k);
      out[0] = (REAL)sum;
      continue;
    }
    for (long left = 0; left < inner; left += en_strip) {
      if (inner - left >= en_strip) strip_sums(from, to, inner, en_strip, slice + left, out + left);
      else strip_sums(from, to, inner, inner - left, slice + left, out + left);
    }
  }
}

OVERLOADED KERNEL void en_extreme(en_axes axes, int sign, const REAL *x, REAL *y, long *indices) {
  CHECK_AXES(axes, x, y);
  assert((sign == 1 || sign == -1) && axes.n > 0 && EN_HAS(indices, axes.outer * axes.inner));
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  for (long o = 0; o < outer; o++, y += inner, indices += inner) {
    for (long i = 0; i < inner; i++) {
      y[i] = x[o * n * inner + i];
      indices[i] = 0;
    }
    for (long k = 1; k < n; k++) {
      const REAL *row = x + (o * n + k) * inner;
      for (long i = 0; i < inner; i++) {
        const int wins = y[i] == y[i] && (row[i] != row[i] || (sign > 0 ? row[i] > y[i] : row[i] < y[i]));
        y[i] = wins ? row[i] : y[i];
        indices[i] = wins ? k : indices[i];
      }
    }
  }
}

OVERLOADED KERNEL void en_products_of_others(en_axes axes, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  for (long o = 0; o < outer; o++, x += n * inner, y += n * inner) {
    for (long i = 0; i < inner; i++) {
      REAL product = 1;
      for (long k = 0; k < n; k++) {
        y[k * inner + i] = product;
        product *= x[k * inner + i];
      }
      product = 1;
      for (long k = n - 1; k >= 0; k--) {
        y[k * inner + i] *= product;
        product *= x[k * inner + i];
      }
    }
  }
}

// Totals in double, as a long chain of additions in float loses a digit for each factor of ten.
OVERLOADED KERNEL void en_cumulative_sum(en_axes axes, int reversed, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  for (long o = 0; o < outer; o++, x += n * inner, y += n * inner) {
    for (long left = 0; left < inner; left += en_strip) {
      const long width = inner - left < en_strip ? inner - left : en_strip;
      double total[en_strip] = {0};
      for (long k = 0; k < n; k++) {
        const long at = (reversed ? n - 1 - k : k) * inner + left;
        for (long i = 0; i < width; i++) {
          total[i] += x[at + i];
          y[at + i] = (REAL)total[i];
        }
      }
    }
  }
}
