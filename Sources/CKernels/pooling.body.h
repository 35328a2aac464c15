/// The maximum of the pixels of a box and its index in the image.
INLINED OVERLOADED void maximum_of_box(
  long width, const long channels, long top, long bottom, long left, long right, const REAL *restrict x, REAL *restrict y,
  int *restrict indices) {
  const int first = (int)((top * width + left) * channels);
  for (long c = 0; c < channels; c++) {
    y[c] = x[first + c];
    indices[c] = first + (int)c;
  }
  for (long row = top; row < bottom; row++)
    for (long column = left; column < right; column++) {
      const int at = (int)((row * width + column) * channels);
      const REAL *pixel = x + at;
      for (long c = 0; c < channels; c++) {
        // NaN propagates.
        const int wins = !(pixel[c] <= y[c]) && y[c] == y[c];
        y[c] = wins ? pixel[c] : y[c];
        indices[c] = wins ? at + (int)c : indices[c];
      }
    }
}

OVERLOADED KERNEL void en_max_pool(en_windows w, const REAL *x, REAL *y, int *indices) {
#ifndef NDEBUG
  check_windows(w);
  assert(w.height * w.width * w.channels <= INT_MAX);
#endif
  for (long i = 0; i < w.outHeight; i++)
    for (long j = 0; j < w.outWidth; j++, y += w.channels, indices += w.channels) {
      const long top = i * w.stride - w.padding, left = j * w.stride - w.padding;
      const long bottom = top + w.size < w.height ? top + w.size : w.height;
      const long right = left + w.size < w.width ? left + w.size : w.width;
      maximum_of_box(w.width, w.channels, top < 0 ? 0 : top, bottom, left < 0 ? 0 : left, right, x, y, indices);
    }
}

OVERLOADED KERNEL void en_max_parts(en_parts p, const REAL *x, REAL *y, int *indices) {
  assert(p.height > 0 && p.width > 0 && p.channels >= 0 && p.outHeight > 0 && p.outWidth > 0);
  assert(p.height * p.width * p.channels <= INT_MAX);
  for (long i = 0; i < p.outHeight; i++)
    for (long j = 0; j < p.outWidth; j++, y += p.channels, indices += p.channels) {
      const long top = i * p.height / p.outHeight, left = j * p.width / p.outWidth;
      const long bottom = ((i + 1) * p.height + p.outHeight - 1) / p.outHeight;
      const long right = ((j + 1) * p.width + p.outWidth - 1) / p.outWidth;
      maximum_of_box(p.width, p.channels, top, bottom, left, right, x, y, indices);
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
