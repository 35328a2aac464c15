// The sum of terms of a row, in blocks.
INLINED OVERLOADED double row_sum(const int terms, long n, long readable, const REAL *x, const REAL *z, REAL mean) {
  double total = 0;
  for (long k = 0; k < n; k += BLOCK) {
    total += block_sum(terms, n - k < BLOCK ? n - k : BLOCK, readable - k, x + k, z + k, mean);
  }
  return total;
}

/// The largest number of at least WHOLE, but no infinity; NaN counts nothing here. The last lanes overlap those before them.
INLINED OVERLOADED REAL finite_top(long n, const REAL *x) {
  LANES(16) best[2] = {-LARGEST, -LARGEST};
  for (long i = 0; i < n; i += 2 * WHOLE) {
    EACH(k, 0, 2) {
      const long at = i + k * WHOLE;
      const LANES(16) v = *(const LANES(16) *)(x + (at + WHOLE <= n ? at : n - WHOLE));
      best[k] = v > best[k] ? v : best[k];
    }
  }
  best[0] = best[1] > best[0] ? best[1] : best[0];
  const REAL top = largest_lane(best);
  return top < LARGEST ? top : LARGEST;
}

/// y = exp(x - shift), where no x is larger than the shift but +∞, in whole vectors; y may be x.
INLINED OVERLOADED void shifted_exp(long n, REAL shift, const REAL *x, REAL *y) {
  const long whole = n & -WHOLE, rest = n - whole;
  VECTORIZED
  for (long i = 0; i < whole; i++) y[i] = exp_of_negative(x[i] - shift);
  if (rest == 0) return;
  REAL last[WHOLE] = {0};
  for (long i = 0; i < rest; i++) last[i] = x[whole + i] - shift;
  VECTORIZED
  for (long i = 0; i < WHOLE; i++) last[i] = exp_of_negative(last[i]);
  for (long i = 0; i < rest; i++) y[whole + i] = last[i];
}

/// Σ exp(x - shift); y gets the terms where it is not null. `readable` numbers follow from y on.
INLINED OVERLOADED double shifted_exp_sum(long n, REAL shift, const REAL *x, long readable, REAL *y) {
  double total = 0;
  REAL buffer[BLOCK];
  for (long start = 0; start < n; start += BLOCK) {
    const long length = n - start < BLOCK ? n - start : BLOCK;
    REAL *terms = y ? y + start : buffer;
    shifted_exp(length, shift, x + start, terms);
    total += block_sum(en_numbers, length, y ? readable - start : BLOCK, terms, terms, 0);
  }
  return total;
}

/// The same for a row of at most WHOLE numbers, in one vector: the top, and the terms. `readable` numbers follow from x on.
///
/// The sum has the bits of `shifted_exp_sum`, whose further lanes are 0.
INLINED OVERLOADED double short_exp_sum(long n, long readable, const REAL *x, REAL *top, REAL *terms) {
  LANES(16) v, *sums = (LANES(16) *)terms;
  load_first(n, readable, x, -LARGEST, &v);
  const LANES(16) numbers = v > -LARGEST ? v : -LARGEST;
  const REAL largest = largest_lane(&numbers), shift = *top = largest < LARGEST ? largest : LARGEST;
  *sums = v - shift;
  VECTORIZED
  for (int lane = 0; lane < WHOLE; lane++) terms[lane] = exp_of_negative(terms[lane]);
  keep_first(n, sums);
  return lanes_sum(sums);
}

/// Σ exp(x - top) of a row, and its top. `readable` numbers follow from x on.
INLINED OVERLOADED double exp_sum(long n, long readable, const REAL *x, REAL *top) {
  REAL terms[WHOLE];
  if (n <= WHOLE) return short_exp_sum(n, readable, x, top, terms);
  *top = finite_top(n, x);
  return shifted_exp_sum(n, *top, x, 0, (REAL *)0);
}

/// y = factor exp(x) / Σ exp(x) of a row; y may be x.
INLINED OVERLOADED void scaled_softmax(long n, long readable, REAL factor, const REAL *x, REAL *y) {
  if (n <= WHOLE) {
    REAL top, terms[WHOLE];
    const REAL scale = (REAL)(factor / short_exp_sum(n, readable, x, &top, terms));
    for (long i = 0; i < n; i++) y[i] = terms[i] * scale;
  } else {
    const REAL scale = (REAL)(factor / shifted_exp_sum(n, finite_top(n, x), x, readable, y));
    for (long i = 0; i < n; i++) y[i] *= scale;
  }
}

OVERLOADED KERNEL void en_softmax(long rows, long n, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  for (long row = 0; row < rows; row++) scaled_softmax(n, (rows - row) * n, 1, x + row * n, y + row * n);
}

OVERLOADED KERNEL void en_log_sum_exp_backward(long rows, long n, const REAL *x, const REAL *dy, REAL *dx) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(dy, rows) && EN_HAS(dx, rows * n));
  for (long row = 0; row < rows; row++) scaled_softmax(n, (rows - row) * n, dy[row], x + row * n, dx + row * n);
}

OVERLOADED KERNEL void en_softmax_backward(long rows, long n, const REAL *y, const REAL *dy, REAL *dx) {
  assert(rows >= 0 && n >= 0 && EN_HAS(y, rows * n) && EN_HAS(dy, rows * n) && EN_HAS(dx, rows * n));
  for (long row = 0; row < rows; row++, y += n, dy += n, dx += n) {
    const REAL mean = (REAL)row_sum(en_products, n, (rows - row) * n, y, dy, 0);
    IN_PLACE
    for (long i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - mean);
  }
}

OVERLOADED KERNEL void en_log_softmax(long rows, long n, const REAL *x, REAL *y) {
  assert(rows >= 0 && n >= 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows * n) && (rows * n == 0 || x != y));
  for (long row = 0; row < rows; row++, x += n, y += n) {
    REAL top;
    const REAL log = (REAL)natural_log(exp_sum(n, (rows - row) * n, x, &top));
    IN_PLACE
    for (long i = 0; i < n; i++) y[i] = (x[i] - top) - log;
  }
}

OVERLOADED KERNEL void en_log_sum_exp(long rows, long n, const REAL *x, REAL *y) {
  assert(rows >= 0 && n > 0 && EN_HAS(x, rows * n) && EN_HAS(y, rows));
  enum { group = 64 };
  REAL sums[group], tops[group];
  for (long start = 0; start < rows; start += group, y += group) {
    const long count = rows - start < group ? rows - start : group;
    for (long row = 0; row < count; row++, x += n) {
      sums[row] = (REAL)exp_sum(n, (rows - start - row) * n, x, tops + row);
    }
    VECTORIZED
    for (long row = 0; row < count; row++) y[row] = log_of(sums[row]) + tops[row];
  }
}

OVERLOADED KERNEL void en_log_softmax_backward(long rows, long n, const REAL *y, const REAL *dy, REAL *dx) {
  assert(rows >= 0 && n >= 0 && EN_HAS(y, rows * n) && EN_HAS(dy, rows * n) && EN_HAS(dx, rows * n));
  for (long row = 0; row < rows; row++, y += n, dy += n, dx += n) {
    const REAL sum = (REAL)row_sum(en_numbers, n, (rows - row) * n, dy, dy, 0);
    REAL shares[BLOCK];
    for (long start = 0; start < n; start += BLOCK) {
      const long length = n - start < BLOCK ? n - start : BLOCK;
      shifted_exp(length, 0, y + start, shares);
      IN_PLACE
      for (long i = 0; i < length; i++) dx[start + i] = dy[start + i] - shares[i] * sum;
    }
  }
}

#ifndef NDEBUG
static OVERLOADED void check_targets(TARGETS t, const REAL *x) {
  assert(t.rows >= 0 && t.n >= 0 && EN_HAS(t.labels, t.rows) && EN_HAS(x, t.rows * t.n));
  for (long row = 0; row < t.rows; row++) assert(t.labels[row] < t.n);
}
#endif

OVERLOADED KERNEL void en_cross_entropy(TARGETS targets, const REAL *x, REAL *tops, REAL *logs, REAL *losses) {
#ifndef NDEBUG
  check_targets(targets, x);
  assert(EN_HAS(tops, targets.rows) && EN_HAS(logs, targets.rows) && EN_HAS(losses, targets.rows));
#endif
  const long rows = targets.rows, n = targets.n;
  const REAL *weights = targets.weights;
  const REAL everywhere = targets.smoothing / n;
  for (long row = 0; row < rows; row++, x += n) {
    const long label = targets.labels[row];
    REAL top;
    const REAL log = logs[row] = (REAL)natural_log(exp_sum(n, (rows - row) * n, x, &top));
    tops[row] = top;
    const REAL target = label < 0 ? 0 : (1 - targets.smoothing) * (weights ? weights[label] : 1);
    REAL loss = target == 0 ? 0 : target * (log - (x[label] - top));
    if (label >= 0 && everywhere > 0) {
      double sum = 0;
      for (long i = 0; i < n; i++) {
        const REAL weight = weights ? weights[i] : 1;
        sum += weight == 0 ? 0 : weight * (log - (x[i] - top));
      }
      loss += everywhere * (REAL)sum;
    }
    losses[row] = loss;
  }
}

OVERLOADED KERNEL void en_cross_entropy_backward(
  TARGETS targets, const REAL *x, const REAL *tops, const REAL *logs, const REAL *losses, REAL *dx) {
#ifndef NDEBUG
  check_targets(targets, x);
  assert(EN_HAS(tops, targets.rows) && EN_HAS(logs, targets.rows) && EN_HAS(losses, targets.rows));
  assert(EN_HAS(dx, targets.rows * targets.n));
#endif
  const long rows = targets.rows, n = targets.n;
  const REAL *weights = targets.weights;
  const REAL everywhere = targets.smoothing / n;
  double all = n;
  if (weights) {
    all = 0;
    for (long i = 0; i < n; i++) all += weights[i];
  }
  for (long row = 0; row < rows; row++, x += n, dx += n) {
    const long label = targets.labels[row];
    if (label < 0) {
      memset(dx, 0, n * sizeof(REAL));
      continue;
    }
    const REAL target = (1 - targets.smoothing) * (weights ? weights[label] : 1), loss = losses[row];
    const REAL sum = (target + everywhere * (REAL)all) * loss, shift = tops[row], log = logs[row];
    // Shifted twice, as the sum of both would lose the digits that a large shift has not.
    for (long i = 0; i < n; i++) dx[i] = (x[i] - shift) - log;
    shifted_exp(n, 0, dx, dx);
    if (everywhere == 0) {
      for (long i = 0; i < n; i++) dx[i] *= sum;
    } else {
      for (long i = 0; i < n; i++) dx[i] = dx[i] * sum - loss * (everywhere * (weights ? weights[i] : 1));
    }
    dx[label] -= loss * target;
  }
}

OVERLOADED KERNEL void en_layer_norm(NORM norm, const REAL *x, REAL *means, REAL *rstds, REAL *y) {
  const long rows = norm.rows, n = norm.n;
  const REAL epsilon = norm.epsilon, *gamma = norm.gamma, *beta = norm.beta;
  assert(rows >= 0 && n >= 0 && EN_HAS(gamma, n) && EN_HAS(x, rows * n) && EN_HAS(y, rows * n));
  assert(EN_HAS(means, rows) && EN_HAS(rstds, rows));
  for (long row = 0; row < rows; row++, x += n, y += n) {
    const long readable = (rows - row) * n;
    const REAL mean = means[row] = (REAL)(row_sum(en_numbers, n, readable, x, x, 0) / n);
    const double squares = row_sum(en_deviations, n, readable, x, x, mean);
    const REAL rstd = rstds[row] = 1 / square_root((REAL)(squares / n) + epsilon);
    if (beta) {
      for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];
    } else {
      for (long i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * gamma[i];
    }
  }
}

OVERLOADED KERNEL void en_layer_norm_backward(GRADIENT gradient, REAL *dx, REAL *sums) {
  const long rows = gradient.rows, n = gradient.n;
  const REAL *gamma = gradient.gamma, *means = gradient.means, *rstds = gradient.rstds;
  const REAL *x = gradient.x, *dy = gradient.dy;
  assert(rows >= 0 && n >= 0 && EN_HAS(gamma, n) && EN_HAS(means, rows) && EN_HAS(rstds, rows) && EN_HAS(sums, n));
  assert(EN_HAS(x, rows * n) && EN_HAS(dy, rows * n) && EN_HAS(dx, rows * n));
  for (long row = 0; row < rows; row++, x += n, dy += n, dx += n) {
    const REAL mean = means[row], rstd = rstds[row];
    double total = 0, products = 0;
    for (long start = 0; start < n; start += BLOCK) {
      const long length = n - start < BLOCK ? n - start : BLOCK;
      REAL g[BLOCK], h[BLOCK];
      const REAL *blockX = x + start, *blockD = dy + start, *scale = gamma + start;
      REAL *dGamma = sums + start, *dBeta = sums + n + start;
      IN_PLACE
      for (long i = 0; i < length; i++) {
        const REAL d = blockD[i], hat = (blockX[i] - mean) * rstd;
        dGamma[i] += d * hat;
        dBeta[i] += d;
        g[i] = d * scale[i];
        h[i] = g[i] * hat;
      }
      total += block_sum(en_numbers, length, BLOCK, g, g, 0);
      products += block_sum(en_numbers, length, BLOCK, h, h, 0);
    }
    const REAL a = (REAL)(total / n), b = (REAL)(products / n);
    IN_PLACE
    for (long i = 0; i < n; i++) dx[i] = rstd * (dy[i] * gamma[i] - a - (x[i] - mean) * rstd * b);
  }
}
