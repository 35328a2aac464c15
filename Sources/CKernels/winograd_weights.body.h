// The transforms of Winograd's weights: three taps along each axis to six values of F(4×4, 3×3), or three for images of 2×2.

/// G g along one axis: three values `from` apart to six.
INLINED void NAMED(weights_4)(const VECTOR *g, long from, VECTOR *u, long to) {
  const VECTOR g0 = g[0], g1 = g[from], g2 = g[2 * from];
  const VECTOR a = (g0 + g2) * (REAL)(-1.0 / 6), b = g1 * (REAL)(-1.0 / 6);
  const VECTOR c = g0 * (REAL)(1.0 / 24) + g2 * (REAL)(1.0 / 6), d = g1 * (REAL)(1.0 / 12);
  u[0] = g0 * (REAL)0.25;
  u[to] = a + b;
  u[2 * to] = a - b;
  u[3 * to] = c + d;
  u[4 * to] = c - d;
  u[5 * to] = g2;
}

/// Gᵀ u along one axis: six values to three.
INLINED void NAMED(weights_gradient_4)(const VECTOR *u, long from, VECTOR *g, long to) {
  const VECTOR a = (u[from] + u[2 * from]) * (REAL)(-1.0 / 6), b = (u[2 * from] - u[from]) * (REAL)(1.0 / 6);
  const VECTOR c = u[3 * from] + u[4 * from], d = (u[3 * from] - u[4 * from]) * (REAL)(1.0 / 12);
  const VECTOR g0 = u[0] * (REAL)0.25 + a + c * (REAL)(1.0 / 24), g2 = a + c * (REAL)(1.0 / 6) + u[5 * from];
  g[0] = g0;
  g[to] = b + d;
  g[2 * to] = g2;
}

INLINED void NAMED(weights_2)(const VECTOR *g, long from, VECTOR *u, long to) {
  const VECTOR g0 = g[0], g1 = g[from], g2 = g[2 * from];
  u[0] = g1;
  u[to] = g2 - g1;
  u[2 * to] = g0 - g1;
}
INLINED void NAMED(weights_gradient_2)(const VECTOR *u, long from, VECTOR *g, long to) {
  const VECTOR u0 = u[0], u1 = u[from], u2 = u[2 * from];
  g[0] = u2;
  g[to] = u0 - u1 - u2;
  g[2 * to] = u1;
}

/// Sixteen rows of sixteen become columns: each of four rounds interleaves the first eight rows with the last eight.
INLINED void NAMED(transpose)(VECTOR *rows) {
  EACH(round, 0, 4) {
    VECTOR interleaved[16];
    EACH(i, 0, 8) {
      interleaved[2 * i] = __builtin_shufflevector(
        rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      interleaved[2 * i + 1] = __builtin_shufflevector(
        rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    EACH(i, 0, 16) rows[i] = interleaved[i];
  }
}

/// packed[tap][input][16] = sixteen inputs of the sixteen outputs from `start` on.
INLINED void NAMED(pack_taps)(en_winograd_filters f, const REAL *taps, long start, REAL *packed) {
  for (long tap = 0; tap < 9; tap++) {
    const REAL *from = taps + tap * f.tapStride + start * f.inputStride;
    VECTOR rows[16];
    if (f.outputStride == 1) {
      const REAL *next = tap < 8 ? from + f.tapStride : taps + (start + 16) * f.inputStride;
      EACH(c, 0, 16) {
        __builtin_prefetch(next + c * f.inputStride);
        rows[c] = LOAD(from + c * f.inputStride);
      }
    } else {
      EACH(k, 0, 16) {
        __builtin_prefetch(from + k * f.outputStride + 16);
        rows[k] = LOAD(from + k * f.outputStride);
      }
      NAMED(transpose)(rows);
    }
    EACH(c, 0, 16) STORE(packed + (tap * 16 + c) * 16, rows[c]);
  }
}

OVERLOADED KERNEL void en_winograd_weights(en_winograd_filters f, const REAL *w, REAL *u) {
  assert(f.inputs >= 0 && f.inputs % 16 == 0 && f.tapStride != 0 && f.component >= f.inputs * 16);
  // Either inputs or outputs are contiguous: those that are transposed are read sixteen at a time.
  assert(f.inputStride > 0 && f.outputStride > 0 && (f.inputStride == 1 || f.outputStride == 1));
  assert(EN_HAS(w, f.inputs) && EN_HAS(u, f.inputs));
  const REAL *taps = f.tapStride < 0 ? w - 8 * f.tapStride : w;
  // Sixteen inputs of one tap after another: taps lie so far apart that all taps of one input would share one cache set.
  REAL packed[9 * 16 * 16];
  for (long start = 0; start < f.inputs; start += 16) {
    NAMED(pack_taps)(f, taps, start, packed);
    for (long c = 0; c < 16; c++) {
      VECTOR g[9], half[18], all[36];
      EACH(tap, 0, 9) g[tap] = LOAD(packed + (tap * 16 + c) * 16);
      REAL *out = u + (start + c) * 16;
      if (f.form == en_winograd_4x4) {
        EACH(j, 0, 3) NAMED(weights_4)(g + j, 3, half + j, 3);
        EACH(i, 0, 6) NAMED(weights_4)(half + i * 3, 1, all + i * 6, 1);
        EACH(i, 0, 36) STORE(out + i * f.component, all[i]);
      } else {
        EACH(j, 0, 3) NAMED(weights_2)(g + j, 3, half + j, 3);
        EACH(i, 0, 3) NAMED(weights_2)(half + i * 3, 1, all + i * 3, 1);
        EACH(i, 0, 9) STORE(out + i * f.component, all[i]);
      }
    }
  }
}

OVERLOADED KERNEL void en_winograd_weights_gradient(
  en_winograd_filters f, long parts, long part, const REAL *du, REAL *dw) {
  assert(f.inputs >= 0 && f.outputStride == 1 && f.inputStride >= 16 && f.tapStride > 0 && f.component >= f.inputs * 16);
  assert(parts > 0 && part >= 0 && EN_HAS(du, f.inputs) && EN_HAS(dw, f.inputs));
  for (long c = 0; c < f.inputs; c++) {
    VECTOR u[36], half[18], g[9];
    const REAL *from = du + c * 16;
    if (f.form == en_winograd_4x4) {
      EACH(i, 0, 36) u[i] = LOAD(from + i * f.component);
      for (long p = 1; p < parts; p++) EACH(i, 0, 36) u[i] += LOAD(from + p * part + i * f.component);
      EACH(j, 0, 6) NAMED(weights_gradient_4)(u + j, 6, half + j, 6);
      EACH(i, 0, 3) NAMED(weights_gradient_4)(half + i * 6, 1, g + i * 3, 1);
    } else {
      EACH(i, 0, 9) u[i] = LOAD(from + i * f.component);
      for (long p = 1; p < parts; p++) EACH(i, 0, 9) u[i] += LOAD(from + p * part + i * f.component);
      EACH(j, 0, 3) NAMED(weights_gradient_2)(u + j, 3, half + j, 3);
      EACH(i, 0, 3) NAMED(weights_gradient_2)(half + i * 3, 1, g + i * 3, 1);
    }
    EACH(tap, 0, 9) STORE(dw + tap * f.tapStride + c * f.inputStride, g[tap]);
  }
}
