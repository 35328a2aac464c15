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

  /// The address of row `index` of the factor, transposed where it is.
  fileprivate func row(_ index: Int) -> UnsafePointer<Scalar> { pointer + index * (isTransposed ? 1 : columns) }
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
  if usesOpenBLAS && (a.isTransposed || !suitsPanels(m: m, n: n, k: k)) {
    multiplyByOpenBLAS(a, b, into: c, m: m, n: n, k: k)
  } else if a.isTransposed {
    multiplyByPanels(a, b, into: c, m: m, n: n, k: k)
  } else if n <= 10 && k >= 64 && k % 16 == 0 {
    multiplyFewColumns(a, b, into: c, m: m, n: n, k: k)
  } else if m <= 256 && n >= 64 * Parallel.threadCount {
    multiplyFewRows(a, b, into: c, m: m, n: n, k: k)
  } else {
    multiplyByPanels(a, b, into: c, m: m, n: n, k: k)
  }
}

/// Whether the micro-kernel of the convolutions is faster than OpenBLAS, which packs both factors, and wins where packing is a
/// small part of the arithmetic.
private func suitsPanels(m: Int, n: Int, k: Int) -> Bool { n <= 512 || m * n * k <= 1 << 21 }

/// Packs b in panels of 16 columns. A block of a's rows stays in the second-level cache over all panels: in place, or as a copy
/// where twelve rows at a time would share one set of the first-level cache.
private func multiplyByPanels(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  let width = en_panel_width
  let (rows, depth) = (96, 512)
  let panels = (n + width - 1) / width
  let isCopied = a.isTransposed || panels >= 4 && a.columns % 1024 == 0 && en_max_mr() > 6
  let rowLength = isCopied ? depth + width : a.columns
  let packed = Storage(count: panels * width * k)
  let (rowStride, columnStride) = b.isTransposed ? (1, b.columns) : (b.columns, 1)
  Parallel.forEach(panels, grain: max(1, (1 << 15) / (k * width))) { range in
    for panel in range {
      en_pack_panel(
        1, [0], k, min(width, n - panel * width), rowStride, columnStride, b.pointer + panel * width * columnStride,
        packed.pointer + panel * width * k)
    }
  }
  // Rows in sixes, for at least about 5 µs of arithmetic.
  let sixes = (m + 5) / 6
  let grain = max(1, (1 << 18) / (6 * panels * width * k))
  Parallel.forEach(sixes, grain: sixes < 2 * grain ? sixes : grain) { range in
    let copy = Storage(count: isCopied ? rows * rowLength : 0)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * rows) { offsets in
      for i in 0..<min(rows, m) {
        offsets[i] = Int32(i * rowLength)
        offsets[rows + i] = Int32(i * n)
      }
      let end = min(m, range.upperBound * 6)
      for first in stride(from: range.lowerBound * 6, to: end, by: rows) {
        let count = min(rows, end - first)
        for part in stride(from: 0, to: k, by: depth) {
          let inner = min(depth, k - part)
          for row in 0..<(isCopied ? count : 0) {
            let step = a.isTransposed ? a.columns : 1
            en_read_strided(1, [inner], [step], a.row(first + row) + part * step, copy.pointer + row * rowLength)
          }
          let block = isCopied ? UnsafePointer(copy.pointer) : a.row(first) + part
          for panel in 0..<panels {
            let sums = c + first * n + panel * width
            en_convolve(
              count, offsets.baseAddress!, offsets.baseAddress! + rows, 1, [0], [0], inner, block,
              packed.pointer + (panel * k + part) * width,
              Epilogue(residual: part > 0 ? UnsafePointer(sums) : nil).descriptor, min(width, n - panel * width), sums)
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
  let (width, depth) = (en_panel_width, 512)
  let (rowStride, columnStride) = b.isTransposed ? (1, b.columns) : (b.columns, 1)
  Parallel.forEach((n + width - 1) / width, grain: max(1, (1 << 18) / (m * k * width))) { range in
    let panel = Storage(count: min(k, depth) * width)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * m) { offsets in
      for i in 0..<m { (offsets[i], offsets[m + i]) = (Int32(i * a.columns), Int32(i * n)) }
      for part in stride(from: 0, to: k, by: depth) {
        let inner = min(depth, k - part)
        for column in stride(from: range.lowerBound * width, to: min(range.upperBound * width, n), by: width) {
          let (columns, sums) = (min(width, n - column), c + column)
          en_pack_panel(
            1, [0], inner, columns, rowStride, columnStride, b.pointer + part * rowStride + column * columnStride,
            panel.pointer)
          en_convolve(
            m, offsets.baseAddress!, offsets.baseAddress! + m, 1, [0], [0], inner, a.pointer + part, panel.pointer,
            Epilogue(residual: part > 0 ? UnsafePointer(sums) : nil).descriptor, columns, sums)
        }
      }
    }
  }
}

/// A panel of few columns would be half empty. Here vectors hold scalars of a row of a instead, and their products with three
/// columns at a time are reduced at the end; all columns stay in the first-level cache for a few rows at a time.
private func multiplyFewColumns(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  let columns = Storage(count: n * k)
  en_read_strided(2, [n, k], b.isTransposed ? [b.columns, 1] : [1, b.columns], b.pointer, columns.pointer)
  let (rows, groups) = (min(4, m), (n + 2) / 3)
  let (from, to) = ((0..<rows).map { Int32($0 * a.columns) }, (0..<rows).map { Int32($0 * n) })
  let fours = (m + rows - 1) / rows
  let grain = max(1, (1 << 17) / (rows * n * k))
  Parallel.forEach(fours, grain: fours < 2 * grain ? fours : grain) { range in
    for first in stride(from: range.lowerBound * rows, to: min(m, range.upperBound * rows), by: rows) {
      for group in 0..<groups {
        let chunk = Fraction(group, of: groups)(n)
        en_convolve_narrow(
          min(rows, m - first), from, to, 1, [0], [0], k, a.row(first), columns.pointer + chunk.lowerBound * k, k,
          Epilogue().descriptor, chunk.count, c + first * n + chunk.lowerBound)
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
  let grain = max(16, (1 << 22) / max(1, min(m, n) * k))
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

private let openBLASIsSerial: Bool = {
  openblas_set_num_threads(1)
  if let problem = OpenBLASMemory.problem(threads: Parallel.threadCount) { fatalError(problem) }
  return true
}()
