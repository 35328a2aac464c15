// The register tile: `rows` rows of one panel of sums, or of two, sums[panel · en_mr + row]. `microkernel.h` says what it is for.
// Numbers of rows and panels are constants wherever these are inlined, so that all loops unroll and the sums stay in registers.

/// Loads sums whose rows lie `row` apart, and panels `panel` apart.
INLINED OVERLOADED void load_tile(
  const long rows, const long panels, const REAL *from, long row, long panel, VECTOR *sums) {
  EACH(j, 0, panels) EACH(i, 0, rows) sums[j * en_mr + i] = LOAD(from + j * panel + i * row);
}

INLINED OVERLOADED void clear_tile(const long rows, const long panels, VECTOR *sums) {
  EACH(j, 0, panels) EACH(i, 0, rows) sums[j * en_mr + i] = (VECTOR){0};
}

INLINED OVERLOADED void store_tile(
  const long rows, const long panels, const VECTOR *sums, REAL *to, long row, long panel) {
  EACH(j, 0, panels) EACH(i, 0, rows) STORE(to + j * panel + i * row, sums[j * en_mr + i]);
}

/// ReLU where `relu` is 1, ReLU6 where it is 6.
INLINED OVERLOADED void rectify(const int relu, VECTOR *sum) {
  if (relu)
    for (long j = 0; j < en_nr; j++) (*sum)[j] = (*sum)[j] < 0 ? 0 : (*sum)[j];
  if (relu == 6)
    for (long j = 0; j < en_nr; j++) (*sum)[j] = (*sum)[j] > 6 ? 6 : (*sum)[j];
}

INLINED OVERLOADED REAL rectified(const int relu, REAL v) { return relu && v < 0 ? 0 : relu == 6 && v > 6 ? 6 : v; }

// A step along the depth: each row of sums grows by a scalar, an expression in the row `i`, times the row of each panel.
#define ADD_PRODUCTS(rows, panels, sums, scalar, panelRows) \
  EACH(i, 0, rows) EACH(j, 0, panels) sums[j * en_mr + i] += (scalar) * panelRows[j]
