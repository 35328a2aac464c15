// A strip of `width` columns; where that is a constant, its sums stay in registers over all rows.
INLINED OVERLOADED void strip_sums(
  const int squares, long from, long to, long inner, const long width, const REAL *x, REAL *y) {
  enum { block = 512 };
  double total[en_strip] = {0};
  for (long k = from; k < to; k += block) {
    const long end = to - k < block ? to : k + block;
    REAL sum[en_strip] = {0};
    for (long row = k; row < end; row++) {
      const REAL *at = x + row * inner;
      for (long i = 0; i < width; i++) sum[i] += squares ? at[i] * at[i] : at[i];
    }
    for (long i = 0; i < width; i++) total[i] += sum[i];
  }
  for (long i = 0; i < width; i++) y[i] = (REAL)total[i];
}

INLINED OVERLOADED void sums(const int squares, en_axes axes, long from, long to, const REAL *x, REAL *y) {
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  enum { block = 512 };
  const int term = squares ? en_squares : en_numbers;
  for (long o = 0; o < outer; o++) {
    const REAL *slice = x + o * n * inner;
    REAL *out = y + o * inner;
    if (inner == 1) {
      const long readable = (outer - o) * n;
      if (to - from <= block) {
        out[0] = block_sum(term, to - from, readable - from, slice + from, slice + from, 0);
        continue;
      }
      double sum = 0;
      for (long k = from; k < to; k += block) {
        sum += block_sum(term, to - k < block ? to - k : block, readable - k, slice + k, slice + k, 0);
      }
      out[0] = (REAL)sum;
      continue;
    }
    for (long left = 0; left < inner; left += en_strip) {
      if (inner - left >= en_strip) strip_sums(squares, from, to, inner, en_strip, slice + left, out + left);
      else strip_sums(squares, from, to, inner, inner - left, slice + left, out + left);
    }
  }
}

OVERLOADED KERNEL void en_sum(en_axes axes, long from, long to, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  assert(from >= 0 && to <= axes.n);
  sums(0, axes, from, to, x, y);
}

OVERLOADED KERNEL void en_sum_squares(en_axes axes, long from, long to, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  assert(from >= 0 && to <= axes.n);
  sums(1, axes, from, to, x, y);
}

OVERLOADED KERNEL void en_sum_distances(int squared, long n, long width, const REAL *x, const REAL *z, REAL *y) {
  assert(n >= 0 && width > 0 && EN_HAS(x, n) && EN_HAS(z, n) && EN_HAS(y, n));
  enum { block = 512 };
  for (long start = 0; start < n; start += width, y++) {
    const long end = n - start < width ? n : start + width;
    double sum = 0;
    for (long k = start; k < end; k += block) {
      const long count = end - k < block ? end - k : block;
      sum += squared ? block_sum(en_differences, count, n - k, x + k, z + k, 0)
                     : block_sum(en_distances, count, n - k, x + k, z + k, 0);
    }
    *y = (REAL)sum;
  }
}

// The one of two that is further, or NaN: a comparison with NaN is false, so that the first one stays where it is NaN.
#define FURTHER(best, v) ((sign > 0 ? (v) > (best) : (v) < (best)) ? (v) : (best))
#define BEYOND(best, v) ((v) != (v) ? (v) : FURTHER(best, v))

INLINED OVERLOADED REAL extreme_lane(const int sign, const LANES(16) *v) {
  const LANES(8) eight = FURTHER(v->lo, v->hi);
  const LANES(4) four = FURTHER(eight.lo, eight.hi);
  const LANES(2) two = FURTHER(four.lo, four.hi);
  return FURTHER(two[0], two[1]);
}

INLINED OVERLOADED REAL row_extreme_of_few(const int sign, long n, const REAL *x) {
  REAL best = x[0];
  for (long i = 1; i < n; i++) best = BEYOND(best, x[i]);
  return best;
}

// NaN is sought by a sum of products with 0, one multiply-add in place of a comparison and a choice: where it is not 0, a number is
// NaN or infinite. The last lanes overlap those before them, which changes neither.
INLINED OVERLOADED REAL row_extreme(const int sign, long n, const REAL *x) {
  enum { lanes = 32 };
  if (n < lanes) return row_extreme_of_few(sign, n, x);
  const LANES(16) *first = (const LANES(16) *)x;
  LANES(16) best[2] = {first[0], first[1]}, nothing[2] = {0};
  for (long i = 0; i < n; i += lanes) {
    const LANES(16) *at = (const LANES(16) *)(x + (i + lanes <= n ? i : n - lanes));
    EACH(k, 0, 2) {
      best[k] = FURTHER(best[k], at[k]);
      nothing[k] += at[k] * 0;
    }
  }
  best[0] = FURTHER(best[0], best[1]);
  nothing[0] += nothing[1];
  const REAL extreme = extreme_lane(sign, &best[0]);
  if (!has_other_than_zero(&nothing[0])) return extreme;
  int isNaN = 0;
  for (long i = 0; i < n; i++) isNaN |= x[i] != x[i];
  return isNaN ? (REAL)__builtin_nan("") : extreme;
}

// Of each of `rows` rows of at most 16 numbers, in one vector. `readable` numbers follow from x on.
INLINED OVERLOADED void short_extremes(
  const int sign, long rows, long n, long step, long readable, const REAL *x, REAL *y) {
  LANES(16) nothing = {0}, v;
  for (long row = 0; row < rows; row++) {
    load_first(n, readable - row * step, x + row * step, x[row * step], &v);
    nothing += v * 0;
    y[row] = extreme_lane(sign, &v);
  }
  if (!has_other_than_zero(&nothing)) return;
  for (long row = 0; row < rows; row++) y[row] = row_extreme_of_few(sign, n, x + row * step);
}

INLINED OVERLOADED void strip_extremes(
  const int sign, long from, long to, long inner, const long width, const REAL *x, REAL *y) {
  REAL best[en_strip];
  for (long i = 0; i < width; i++) best[i] = x[from * inner + i];
  for (long row = from + 1; row < to; row++) {
    const REAL *at = x + row * inner;
    for (long i = 0; i < width; i++) best[i] = BEYOND(best[i], at[i]);
  }
  for (long i = 0; i < width; i++) y[i] = best[i];
}

INLINED OVERLOADED void extremes(const int sign, en_axes axes, long from, long to, const REAL *x, REAL *y) {
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  if (inner == 1 && to - from <= en_short) {
    enum { block = 64 };
    for (long o = 0; o < outer; o += block) {
      const long rows = outer - o < block ? outer - o : block;
      short_extremes(sign, rows, to - from, n, (outer - o) * n - from, x + o * n + from, y + o);
    }
    return;
  }
  for (long o = 0; o < outer; o++) {
    const REAL *slice = x + o * n * inner;
    REAL *out = y + o * inner;
    if (inner == 1) {
      out[0] = row_extreme(sign, to - from, slice + from);
      continue;
    }
    for (long left = 0; left < inner; left += en_strip) {
      if (inner - left >= en_strip) strip_extremes(sign, from, to, inner, en_strip, slice + left, out + left);
      else strip_extremes(sign, from, to, inner, inner - left, slice + left, out + left);
    }
  }
}

OVERLOADED KERNEL void en_extreme(en_axes axes, int sign, long from, long to, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  assert((sign == 1 || sign == -1) && from >= 0 && from < to && to <= axes.n);
  if (sign > 0) extremes(1, axes, from, to, x, y);
  else extremes(-1, axes, from, to, x, y);
}

// NaN is an extreme wherever there is one, so that either nothing is NaN, or the first NaN is sought.
#define IS_FOUND(v, extreme) (((v) == (extreme)) | ((v) != (v)))

INLINED OVERLOADED long first_place(long n, REAL extreme, const REAL *x) {
  enum { block = 64 };
  long k = 0;
  for (; k + block <= n; k += block) {
    int isHere = 0;
    for (long i = 0; i < block; i++) isHere |= IS_FOUND(x[k + i], extreme);
    if (isHere) break;
  }
  while (k < n && !IS_FOUND(x[k], extreme)) k++;
  return k;
}

OVERLOADED KERNEL void en_places(en_axes axes, const REAL *x, const REAL *y, long *indices) {
  CHECK_AXES(axes, x, y);
  assert(EN_HAS(indices, axes.outer * axes.inner));
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  for (long o = 0; o < outer; o++, x += n * inner, y += inner, indices += inner) {
    if (inner == 1) {
      indices[0] = first_place(n, y[0], x);
      continue;
    }
    for (long k = n - 1; k >= 0; k--) {
      const REAL *row = x + k * inner;
      for (long i = 0; i < inner; i++) indices[i] = IS_FOUND(row[i], y[i]) ? k : indices[i];
    }
  }
}
#undef BEYOND
#undef FURTHER
#undef IS_FOUND

OVERLOADED KERNEL void en_product(long rows, long n, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows));
  enum { lanes = 32 };
  for (long row = 0; row < rows; row++, x += n) {
    REAL product[lanes];
    for (int lane = 0; lane < lanes; lane++) product[lane] = 1;
    long i = 0;
    for (; i + lanes <= n; i += lanes) {
      for (int lane = 0; lane < lanes; lane++) product[lane] *= x[i + lane];
    }
    for (; i < n; i++) product[0] *= x[i];
    if (n >= lanes) {
      for (int half = lanes / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) product[lane] *= product[lane + half];
      }
    }
    y[row] = product[0];
  }
}

// Four rows at a time, as each product waits for the one before.
INLINED OVERLOADED void row_products_of_others(const long rows, long n, const REAL *x, REAL *y) {
  REAL product[4] = {1, 1, 1, 1};
  for (long k = 0; k < n; k++) {
    EACH(row, 0, rows) {
      y[row * n + k] = product[row];
      product[row] *= x[row * n + k];
    }
  }
  EACH(row, 0, rows) product[row] = 1;
  for (long k = n - 1; k >= 0; k--) {
    EACH(row, 0, rows) {
      y[row * n + k] *= product[row];
      product[row] *= x[row * n + k];
    }
  }
}

OVERLOADED KERNEL void en_products_of_others(long rows, long n, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  long row = 0;
  for (; row + 4 <= rows; row += 4) row_products_of_others(4, n, x + row * n, y + row * n);
  for (; row < rows; row++) row_products_of_others(1, n, x + row * n, y + row * n);
}

// Totals in double, as a long chain of additions in float loses a digit for each factor of ten. Four rows at a time, as one chain
// waits for each addition.
INLINED OVERLOADED void row_cumulative_sums(const long rows, long n, int reversed, const REAL *x, REAL *y) {
  double total[4] = {0};
  for (long k = 0; k < n; k++) {
    const long at = reversed ? n - 1 - k : k;
    for (long row = 0; row < rows; row++) {
      total[row] += x[row * n + at];
      y[row * n + at] = (REAL)total[row];
    }
  }
}

OVERLOADED KERNEL void en_cumulative_sum(en_axes axes, int reversed, const REAL *x, REAL *y) {
  CHECK_AXES(axes, x, y);
  const long outer = axes.outer, n = axes.n, inner = axes.inner;
  if (inner == 1) {
    long o = 0;
    for (; o + 4 <= outer; o += 4) row_cumulative_sums(4, n, reversed, x + o * n, y + o * n);
    for (; o < outer; o++) row_cumulative_sums(1, n, reversed, x + o * n, y + o * n);
    return;
  }
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
