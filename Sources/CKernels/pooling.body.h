OVERLOADED KERNEL void en_max_pool(en_windows w, const REAL *x, REAL *y, int *indices) {
#ifndef NDEBUG
  check_windows(w);
  assert(w.height * w.width * w.channels <= INT_MAX);
#endif
  for (long i = 0; i < w.outHeight; i++)
    for (long j = 0; j < w.outWidth; j++, y += w.channels, indices += w.channels) {
      long top = i * w.stride - w.padding, left = j * w.stride - w.padding;
      const long bottom = top + w.size < w.height ? top + w.size : w.height;
      const long right = left + w.size < w.width ? left + w.size : w.width;
      if (top < 0) top = 0;
      if (left < 0) left = 0;
      const int first = (int)((top * w.width + left) * w.channels);
      for (long c = 0; c < w.channels; c++) {
        y[c] = x[first + c];
        indices[c] = first + (int)c;
      }
      for (long row = top; row < bottom; row++)
        for (long column = left; column < right; column++) {
          const int at = (int)((row * w.width + column) * w.channels);
          const REAL *pixel = x + at;
          for (long c = 0; c < w.channels; c++) {
            // NaN propagates.
            const int wins = !(pixel[c] <= y[c]) && y[c] == y[c];
            y[c] = wins ? pixel[c] : y[c];
            indices[c] = wins ? at + (int)c : indices[c];
          }
        }
    }
}

OVERLOADED void en_gather(long n, const int *indices, const REAL *x, REAL *y) {
  assert(n >= 0 && EN_HAS(indices, n) && EN_HAS(x, n) && EN_HAS(y, n));
  for (long i = 0; i < n; i++) {
    assert(indices[i] >= 0);
    y[i] = x[indices[i]];
  }
}

OVERLOADED void en_scatter_add(long n, const int *indices, const REAL *dy, REAL *dx) {
  assert(n >= 0 && EN_HAS(indices, n) && EN_HAS(dy, n) && EN_HAS(dx, n));
  for (long i = 0; i < n; i++) {
    assert(indices[i] >= 0);
    dx[indices[i]] += dy[i];
  }
}

OVERLOADED KERNEL void en_subsample(en_subsampling s, const REAL *x, REAL *y) {
#ifndef NDEBUG
  check_subsampling(s);
#endif
  for (long i = 0; i < s.outHeight; i++)
    for (long j = 0; j < s.outWidth; j++, y += s.outChannels) {
      const REAL *pixel = x + (i * s.width + j) * s.stride * s.channels;
      for (long c = 0; c < s.before; c++) y[c] = 0;
      for (long c = 0; c < s.channels; c++) y[s.before + c] = pixel[c];
      for (long c = s.before + s.channels; c < s.outChannels; c++) y[c] = 0;
    }
}

OVERLOADED KERNEL void en_subsample_adjoint(en_subsampling s, const REAL *dy, REAL *dx) {
#ifndef NDEBUG
  check_subsampling(s);
#endif
  for (long i = 0; i < s.outHeight; i++)
    for (long j = 0; j < s.outWidth; j++, dy += s.outChannels) {
      REAL *pixel = dx + (i * s.width + j) * s.stride * s.channels;
      for (long c = 0; c < s.channels; c++) pixel[c] += dy[s.before + c];
    }
}

OVERLOADED KERNEL void en_window_sum(en_windows w, REAL weight, const REAL *x, REAL *y) {
#ifndef NDEBUG
  check_windows(w);
#endif
  for (long i = 0; i < w.outHeight; i++)
    for (long j = 0; j < w.outWidth; j++, y += w.channels) {
      for (long c = 0; c < w.channels; c++) y[c] = 0;
      const long top = i * w.stride - w.padding, left = j * w.stride - w.padding;
      for (long row = top < 0 ? 0 : top; row < top + w.size && row < w.height; row++)
        for (long column = left < 0 ? 0 : left; column < left + w.size && column < w.width; column++) {
          const REAL *pixel = x + (row * w.width + column) * w.channels;
          for (long c = 0; c < w.channels; c++) y[c] += pixel[c];
        }
      for (long c = 0; c < w.channels; c++) y[c] *= weight;
    }
}

OVERLOADED KERNEL void en_window_spread(en_windows w, REAL weight, const REAL *dy, REAL *dx) {
#ifndef NDEBUG
  check_windows(w);
#endif
  for (long i = 0; i < w.height * w.width * w.channels; i++) dx[i] = 0;
  for (long i = 0; i < w.outHeight; i++)
    for (long j = 0; j < w.outWidth; j++, dy += w.channels) {
      const long top = i * w.stride - w.padding, left = j * w.stride - w.padding;
      for (long row = top < 0 ? 0 : top; row < top + w.size && row < w.height; row++)
        for (long column = left < 0 ? 0 : left; column < left + w.size && column < w.width; column++) {
          REAL *pixel = dx + (row * w.width + column) * w.channels;
          for (long c = 0; c < w.channels; c++) pixel[c] += weight * dy[c];
        }
    }
}

#ifndef NDEBUG
static OVERLOADED void check_interpolation(INTERPOLATION p) {
  assert(p.width > 0 && p.channels >= 0 && p.outHeight >= 0 && p.outWidth >= 0);
  assert(EN_HAS(p.rows, p.outHeight) && EN_HAS(p.rowFractions, p.outHeight));
  assert(EN_HAS(p.columns, p.outWidth) && EN_HAS(p.columnFractions, p.outWidth));
  for (long i = 0; i < 2 * p.outHeight; i++) assert(p.rows[i] >= 0);
  for (long j = 0; j < 2 * p.outWidth; j++) assert(p.columns[j] >= 0 && p.columns[j] < p.width);
}
#endif

OVERLOADED KERNEL void en_interpolate(INTERPOLATION p, const REAL *x, REAL *y) {
#ifndef NDEBUG
  check_interpolation(p);
#endif
  for (long i = 0; i < p.outHeight; i++)
    for (long j = 0; j < p.outWidth; j++, y += p.channels) {
      const REAL *a = x + (p.rows[2 * i] * p.width + p.columns[2 * j]) * p.channels;
      const REAL *b = x + (p.rows[2 * i] * p.width + p.columns[2 * j + 1]) * p.channels;
      const REAL *c = x + (p.rows[2 * i + 1] * p.width + p.columns[2 * j]) * p.channels;
      const REAL *d = x + (p.rows[2 * i + 1] * p.width + p.columns[2 * j + 1]) * p.channels;
      const REAL v = p.rowFractions[i], u = p.columnFractions[j];
      for (long k = 0; k < p.channels; k++)
        y[k] = (1 - v) * ((1 - u) * a[k] + u * b[k]) + v * ((1 - u) * c[k] + u * d[k]);
    }
}

OVERLOADED KERNEL void en_interpolate_adjoint(INTERPOLATION p, const REAL *dy, REAL *dx) {
#ifndef NDEBUG
  check_interpolation(p);
#endif
  for (long i = 0; i < p.outHeight; i++)
    for (long j = 0; j < p.outWidth; j++, dy += p.channels)
      for (long corner = 0; corner < 4; corner++) {
        const REAL v = corner & 2 ? p.rowFractions[i] : 1 - p.rowFractions[i];
        const REAL u = corner & 1 ? p.columnFractions[j] : 1 - p.columnFractions[j];
        REAL *pixel = dx + (p.rows[2 * i + (corner >> 1)] * p.width + p.columns[2 * j + (corner & 1)]) * p.channels;
        for (long k = 0; k < p.channels; k++) pixel[k] += u * v * dy[k];
      }
}
