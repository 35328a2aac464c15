import CKernels
import COpenBLAS

/// One factor of a matrix product, row-major: `rows` by `columns` as stored, or its transpose.
package struct MatrixFactor {
  let pointer: UnsafePointer<Scalar>
  let columns: Int
  let isTransposed: Bool

  package init(_ pointer: UnsafePointer<Scalar>, columns: Int, isTransposed: Bool = false) {
    (self.pointer, self.columns, self.isTransposed) = (pointer, columns, isTransposed)
  }

  /// Scalars from row to row and from column to column of the factor, transposed where it is.
  var steps: (row: Int, column: Int) { isTransposed ? (1, columns) : (columns, 1) }
  /// The address of row `index` of the factor, transposed where it is.
  func row(_ index: Int) -> UnsafePointer<Scalar> { pointer + index * (isTransposed ? 1 : columns) }
  /// The address of column `index` of the factor, transposed where it is.
  fileprivate func column(_ index: Int) -> UnsafePointer<Scalar> { pointer + index * (isTransposed ? columns : 1) }
}

/// c = a b, c being `m` by `n` and `k` the inner extent.
///
/// - Parameter usesOpenBLAS: Whether OpenBLAS may serve, where it is faster.
package func multiply(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int,
  usesOpenBLAS: Bool = openBLASSuitsProcessor
) {
  guard m > 0, n > 0 else { return }
  guard k > 0 else { return c.update(repeating: 0, count: m * n) }
  if multiplyVectors(a, b, into: c, m: m, n: n, k: k) { return }
  if usesOpenBLAS && (a.isTransposed || !suitsPanels(m: m, n: n, k: k)) {
    multiplyByOpenBLAS(a, b, into: c, m: m, n: n, k: k)
  } else if a.isTransposed {
    multiplyByPanels(a, b, into: c, m: m, n: n, k: k)
  } else if n <= Tuning.Product.fewColumns && k >= Tuning.Product.leastDepthOfFewColumns && k % en_nr == 0 {
    multiplyFewColumns(a, b, into: c, m: m, n: n, k: k)
  } else if m <= Tuning.Product.fewRows && n >= Tuning.Product.leastColumnsOfThread * Parallel.threadCount {
    multiplyFewRows(a, b, into: c, m: m, n: n, k: k)
  } else {
    multiplyByPanels(a, b, into: c, m: m, n: n, k: k)
  }
}

/// The products of pairs of factors, such as of a batch of matrices, all of the same extents: see
/// ``multiply(_:_:into:m:n:k:usesOpenBLAS:)``.
package func multiplyEach(
  _ pairs: Range<Int>, _ a: (Int) -> MatrixFactor, _ b: (Int) -> MatrixFactor, into c: UnsafeMutablePointer<Scalar>,
  m: Int, n: Int, k: Int
) {
  let isSmall = m * n * k <= Tuning.Product.pairedProducts && m * n * k > Tuning.Product.fewProducts
  let fitsTile =
    (2...Tuning.Product.rows).contains(m) && n > Tuning.Product.fewColumns && (2...Tuning.Product.depth).contains(k)
  guard isSmall, fitsTile, !pairs.isEmpty, !a(pairs.lowerBound).isTransposed else {
    for index in pairs { multiply(a(index), b(index), into: c + index * m * n, m: m, n: n, k: k) }
    return
  }
  // One panel after the other, in scratch memory that all pairs share.
  let width = en_nr
  let panels = Storage(count: (n + width - 1) / width * width * k)
  let columns = DirectConvolution.panelsTogether * width
  withRows(m, from: a(pairs.lowerBound).columns, to: n) { region in
    var region = region
    (region.length, region.panelSize) = (k, k * width)
    for index in pairs {
      let (a, b, c) = (a(index), b(index), c + index * m * n)
      for first in stride(from: 0, to: n, by: width) {
        b.pack(row: 0, depth: k, column: first, n: n, into: panels.pointer + first * k)
      }
      for column in stride(from: 0, to: n, by: columns) {
        region.columns = min(columns, n - column)
        en_convolve(region, a.pointer, panels.pointer + column * k, Epilogue().descriptor, c + column)
      }
    }
  }
}

/// Whether the micro-kernel of the convolutions is faster than OpenBLAS, which packs both factors, and wins where packing is a
/// small part of the arithmetic.
private func suitsPanels(m: Int, n: Int, k: Int) -> Bool {
  n <= Tuning.Product.panelColumns || m * n * k <= Tuning.Product.panelProducts
}

/// Factors whose panels are packed, and their rows for the micro-kernel.
extension MatrixFactor {
  /// Packs `depth` rows from `row` on of the panel that begins with `column`, of `n` columns in all.
  fileprivate func pack(row: Int, depth: Int, column: Int, n: Int, into panel: UnsafeMutablePointer<Scalar>) {
    var tap: Int32 = 0
    let (rowStride, columnStride) = isTransposed ? (1, columns) : (columns, 1)
    withUnsafePointer(to: &tap) { tap in
      let matrices = en_tap_matrices(
        tapCount: 1, taps: tap, rows: depth, columns: min(en_nr, n - column), rowStride: rowStride,
        columnStride: columnStride)
      en_pack_panel(matrices, pointer + row * rowStride + column * columnStride, panel)
    }
  }
}

/// Runs `body` with `count` rows as the pixels of a region of one segment, rows `from` scalars apart in the left factor and `to` in
/// the result; its length and columns are those of a call.
private func withRows(_ count: Int, from: Int, to: Int, _ body: (en_region) -> Void) {
  withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count + 1) { offsets in
    for i in 0..<count { (offsets[i], offsets[count + i]) = (Int32(i * from), Int32(i * to)) }
    offsets[2 * count] = 0
    let start = UnsafePointer(offsets.baseAddress!)
    let segment = start + 2 * count
    body(
      en_region(
        pixels: count, from: start, to: start + count, segmentCount: 1, segments: segment, rows: segment, length: 0,
        columns: 0, panelSize: 0))
  }
}

/// Packs b in panels of 16 columns. A block of a's rows stays in the second-level cache over all panels: in place, or as a copy
/// where twelve rows at a time would share one set of the first-level cache.
private func multiplyByPanels(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  let (width, rows, depth) = (en_nr, Tuning.Product.rows, Tuning.Product.depth)
  let panels = (n + width - 1) / width
  let isCopied =
    a.isTransposed
    || panels >= Tuning.Product.panelsWorthCopying && a.columns % Tuning.Product.conflictingRow == 0 && en_max_mr() > 6
  let rowLength = isCopied ? depth + width : a.columns
  let packed = Storage(count: panels * width * k)
  let columns = DirectConvolution.panelsTogether * width
  Parallel.forEach(panels, grain: max(1, Tuning.Tasks.packedMatrix / (k * width))) { range in
    for panel in range {
      b.pack(row: 0, depth: k, column: panel * width, n: n, into: packed.pointer + panel * width * k)
    }
  }
  // Rows in units of the smaller MR.
  let unit = Tuning.Product.rowsOfTask
  let units = (m + unit - 1) / unit
  let grain = max(1, Tuning.Tasks.products / (unit * panels * width * k))
  Parallel.forEach(units, grain: units < 2 * grain ? units : grain) { range in
    let copy = Storage(count: isCopied ? rows * rowLength : 0)
    withRows(min(rows, m), from: rowLength, to: n) { region in
      var region = region
      region.panelSize = k * width
      let end = min(m, range.upperBound * unit)
      for first in stride(from: range.lowerBound * unit, to: end, by: rows) {
        region.pixels = min(rows, end - first)
        for part in stride(from: 0, to: k, by: depth) {
          region.length = min(depth, k - part)
          for row in 0..<(isCopied ? region.pixels : 0) {
            let step = a.isTransposed ? a.columns : 1
            en_read_strided(
              1, [region.length], [step], 0, a.row(first + row) + part * step, copy.pointer + row * rowLength)
          }
          let block = isCopied ? UnsafePointer(copy.pointer) : a.row(first) + part
          for column in stride(from: 0, to: n, by: columns) {
            let sums = c + first * n + column
            region.columns = min(columns, n - column)
            en_convolve(
              region, block, packed.pointer + column * k + part * width,
              Epilogue(residual: part > 0 ? UnsafePointer(sums) : nil).descriptor, sums)
          }
        }
      }
    }
  }
}

/// Each thread takes a range of columns of b, and packs a panel just before it multiplies all rows of a by it: with few rows,
/// panels packed earlier would be read from memory for little arithmetic.
private func multiplyFewRows(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  let (width, depth) = (en_nr, Tuning.Product.depth)
  let together = DirectConvolution.panelsTogether * width
  Parallel.forEach((n + width - 1) / width, grain: max(1, Tuning.Tasks.products / (m * k * width))) { range in
    let panels = Storage(count: min(k, depth) * together)
    withRows(m, from: a.columns, to: n) { region in
      var region = region
      for part in stride(from: 0, to: k, by: depth) {
        region.length = min(depth, k - part)
        region.panelSize = region.length * width
        let end = min(range.upperBound * width, n)
        for column in stride(from: range.lowerBound * width, to: end, by: together) {
          let sums = c + column
          region.columns = min(together, end - column)
          for (panel, first) in stride(from: column, to: column + region.columns, by: width).enumerated() {
            b.pack(
              row: part, depth: region.length, column: first, n: n, into: panels.pointer + panel * region.panelSize)
          }
          en_convolve(
            region, a.pointer + part, panels.pointer,
            Epilogue(residual: part > 0 ? UnsafePointer(sums) : nil).descriptor, sums)
        }
      }
    }
  }
}

/// A panel of few columns would be half empty. Here vectors hold scalars of a row of a instead, and their products with three
/// columns at a time are reduced at the end; all columns stay in the first-level cache for a few rows at a time.
func multiplyFewColumns(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  let columns = Storage(count: n * k)
  en_read_strided(2, [n, k], b.isTransposed ? [b.columns, 1] : [1, b.columns], 0, b.pointer, columns.pointer)
  let rows = min(Tuning.Product.rowsOfFewColumns, m)
  let groups = (n + Tuning.Product.columnsOfCall - 1) / Tuning.Product.columnsOfCall
  let fours = (m + rows - 1) / rows
  let grain = max(1, Tuning.Tasks.productsOfFewColumns / (rows * n * k))
  Parallel.forEach(fours, grain: fours < 2 * grain ? fours : grain) { range in
    withRows(rows, from: a.columns, to: n) { region in
      var region = region
      region.length = k
      for first in stride(from: range.lowerBound * rows, to: min(m, range.upperBound * rows), by: rows) {
        region.pixels = min(rows, m - first)
        for group in 0..<groups {
          let chunk = Fraction(group, of: groups)(n)
          region.columns = chunk.count
          en_convolve_narrow(
            region, a.row(first), columns.pointer + chunk.lowerBound * k, k, Epilogue().descriptor,
            c + first * n + chunk.lowerBound)
        }
      }
    }
  }
}

/// OpenBLAS multiplies on one thread a call, as its own threads spin after they are done. A large product is cut into strips of
/// rows or columns.
private func multiplyByOpenBLAS(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  _ = openBLASIsSerial
  func strip(_ rows: Range<Int>, _ columns: Range<Int>) {
    let (transA, transB) = (a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans)
    let (lda, ldb) = (Int32(a.columns), Int32(b.columns))
    let (pa, pb) = (a.row(rows.lowerBound), b.column(columns.lowerBound))
    let pc = c + rows.lowerBound * n + columns.lowerBound
    #if DoublePrecision
      cblas_dgemm(
        CblasRowMajor, transA, transB, Int32(rows.count), Int32(columns.count), Int32(k), 1, pa, lda, pb, ldb, 0, pc,
        Int32(n))
    #else
      cblas_sgemm(
        CblasRowMajor, transA, transB, Int32(rows.count), Int32(columns.count), Int32(k), 1, pa, lda, pb, ldb, 0, pc,
        Int32(n))
    #endif
  }
  // About a tenth of a millisecond of arithmetic for each strip.
  let grain = max(Tuning.Tasks.linesOfStrip, Tuning.Tasks.productsOfStrip / max(1, min(m, n) * k))
  if m >= n {
    Parallel.forEach(m, grain: grain) { strip($0, 0..<n) }
  } else {
    Parallel.forEach(n, grain: grain) { strip(0..<m, $0) }
  }
}

/// Whether OpenBLAS knows this processor. On Intel's that are newer than itself it falls back to kernels for Prescott, which take
/// several times as long.
package let openBLASSuitsProcessor: Bool = {
  openblas_get_corename().map { String(cString: $0) } != "Prescott"
}()

/// True, once OpenBLAS has one thread for each call.
package let openBLASIsSerial: Bool = {
  openblas_set_num_threads(1)
  if let problem = OpenBLASMemory.problem(threads: Parallel.threadCount) { fatalError(problem) }
  return true
}()
