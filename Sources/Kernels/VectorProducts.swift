import CKernels

/// A product that leaves the register tile empty: with a vector, of two vectors, or of a few scalars; else false.
func multiplyVectors(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) -> Bool {
  if m * n * k <= Tuning.Product.fewProducts {
    let (aSteps, bSteps) = (a.steps, b.steps)
    let factors = en_small_factors(
      rows: m, columns: n, depth: k, aRow: aSteps.row, aColumn: aSteps.column, bRow: bSteps.row, bColumn: bSteps.column)
    en_multiply_small(factors, a.pointer, b.pointer, c)
  } else if k == 1 {
    // Each row is b's times a scalar.
    let streams = Movement.streams(m * n)
    Parallel.forEach(m, grain: max(1, Tuning.Tasks.scalars / n)) { rows in
      BinaryFunction.multiply(
        rows: rows.count, columns: n, streams: streams, a.pointer + rows.lowerBound, (1, 0), b.pointer, (0, 1),
        c + rows.lowerBound * n)
    }
  } else if m == 1 && !b.isTransposed {
    multiplyRow(a.pointer, b, into: c, columns: n, depth: k)
  } else if n == 1 && a.isTransposed {
    multiplyRow(b.pointer, a, into: c, columns: m, depth: k)
  } else if m == 1 && k >= Tuning.Product.leastDepthOfFewColumns {
    multiplyColumn(MatrixFactor(b.pointer, columns: b.columns), a.pointer, into: c, rows: n, depth: k)
  } else if n == 1 && !a.isTransposed && k >= Tuning.Product.leastDepthOfFewColumns {
    multiplyColumn(a, b.pointer, into: c, rows: m, depth: k)
  } else {
    return false
  }
  return true
}

/// y = `matrix` as stored times the column `b`: whole vectors of the depth, then the rest of it.
private func multiplyColumn(
  _ matrix: MatrixFactor, _ b: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, rows: Int, depth: Int
) {
  let whole = depth / en_nr * en_nr
  multiplyFewColumns(matrix, MatrixFactor(b, columns: 1), into: y, m: rows, n: 1, k: whole)
  guard whole < depth else { return }
  for row in 0..<rows {
    let start = matrix.row(row)
    for k in whole..<depth { y[row] += start[k] * b[k] }
  }
}

/// y = the row `a` times `matrix` as stored. Threads take columns.
private func multiplyRow(
  _ a: UnsafePointer<Scalar>, _ matrix: MatrixFactor, into y: UnsafeMutablePointer<Scalar>, columns: Int, depth: Int
) {
  let units = (columns + en_nr - 1) / en_nr
  Parallel.forEach(units, grain: max(1, Tuning.Tasks.products / (depth * en_nr))) { range in
    let first = range.lowerBound * en_nr
    let factors = en_row_factors(
      depth: depth, columns: min(range.upperBound * en_nr, columns) - first, stride: matrix.columns)
    en_multiply_row(factors, a, matrix.pointer + first, y + first)
  }
}
