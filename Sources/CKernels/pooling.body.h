OVERLOADED KERNEL void en_max_pool(
  long height, long width, long channels, long size, long stride, long padding, long outHeight, long outWidth,
  const REAL *x, REAL *y, int *indices) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, y += channels, indices += channels) {
      long top = i * stride - padding, left = j * stride - padding;
      long bottom = top + size < height ? top + size : height, right = left + size < width ? left + size : width;
      if (top < 0) top = 0;
      if (left < 0) left = 0;
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
}

OVERLOADED void en_gather(long n, const int *indices, const REAL *x, REAL *y) {
  for (long i = 0; i < n; i++) y[i] = x[indices[i]];
}

OVERLOADED void en_scatter_add(long n, const int *indices, const REAL *dy, REAL *dx) {
  for (long i = 0; i < n; i++) dx[indices[i]] += dy[i];
}

OVERLOADED KERNEL void en_subsample(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before, const REAL *x,
  REAL *y) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, y += outChannels) {
      const REAL *pixel = x + (i * width + j) * stride * channels;
      for (long c = 0; c < before; c++) y[c] = 0;
      for (long c = 0; c < channels; c++) y[before + c] = pixel[c];
      for (long c = before + channels; c < outChannels; c++) y[c] = 0;
    }
}

OVERLOADED KERNEL void en_subsample_adjoint(
  long width, long channels, long stride, long outHeight, long outWidth, long outChannels, long before, const REAL *dy,
  REAL *dx) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, dy += outChannels) {
      REAL *pixel = dx + (i * width + j) * stride * channels;
      for (long c = 0; c < channels; c++) pixel[c] += dy[before + c];
    }
}

OVERLOADED KERNEL void en_window_sum(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, REAL weight, const REAL *x, REAL *y) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, y += channels) {
      for (long c = 0; c < channels; c++) y[c] = 0;
      const long top = i * strideY - padding, left = j * strideX - padding;
      for (long row = top < 0 ? 0 : top; row < top + sizeY && row < height; row++)
        for (long column = left < 0 ? 0 : left; column < left + sizeX && column < width; column++) {
          const REAL *pixel = x + (row * width + column) * channels;
          for (long c = 0; c < channels; c++) y[c] += pixel[c];
        }
      for (long c = 0; c < channels; c++) y[c] *= weight;
    }
}

OVERLOADED KERNEL void en_window_spread(
  long height, long width, long channels, long sizeY, long sizeX, long strideY, long strideX, long padding,
  long outHeight, long outWidth, REAL weight, const REAL *dy, REAL *dx) {
  for (long i = 0; i < height * width * channels; i++) dx[i] = 0;
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, dy += channels) {
      const long top = i * strideY - padding, left = j * strideX - padding;
      for (long row = top < 0 ? 0 : top; row < top + sizeY && row < height; row++)
        for (long column = left < 0 ? 0 : left; column < left + sizeX && column < width; column++) {
          REAL *pixel = dx + (row * width + column) * channels;
          for (long c = 0; c < channels; c++) pixel[c] += weight * dy[c];
        }
    }
}

OVERLOADED KERNEL void en_interpolate(
  long width, long channels, long outHeight, long outWidth, const int *rows, const REAL *rowFractions, const int *columns,
  const REAL *columnFractions, const REAL *x, REAL *y) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, y += channels) {
      const REAL *a = x + (rows[2 * i] * width + columns[2 * j]) * channels;
      const REAL *b = x + (rows[2 * i] * width + columns[2 * j + 1]) * channels;
      const REAL *c = x + (rows[2 * i + 1] * width + columns[2 * j]) * channels;
      const REAL *d = x + (rows[2 * i + 1] * width + columns[2 * j + 1]) * channels;
      const REAL v = rowFractions[i], u = columnFractions[j];
      for (long k = 0; k < channels; k++)
        y[k] = (1 - v) * ((1 - u) * a[k] + u * b[k]) + v * ((1 - u) * c[k] + u * d[k]);
    }
}

OVERLOADED KERNEL void en_interpolate_adjoint(
  long width, long channels, long outHeight, long outWidth, const int *rows, const REAL *rowFractions, const int *columns,
  const REAL *columnFractions, const REAL *dy, REAL *dx) {
  for (long i = 0; i < outHeight; i++)
    for (long j = 0; j < outWidth; j++, dy += channels)
      for (long corner = 0; corner < 4; corner++) {
        const REAL v = corner & 2 ? rowFractions[i] : 1 - rowFractions[i];
        const REAL u = corner & 1 ? columnFractions[j] : 1 - columnFractions[j];
        REAL *pixel = dx + (rows[2 * i + (corner >> 1)] * width + columns[2 * j + (corner & 1)]) * channels;
        for (long k = 0; k < channels; k++) pixel[k] += u * v * dy[k];
      }
}
