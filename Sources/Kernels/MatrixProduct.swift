import COpenBLAS

/// One factor of a matrix product, row-major: `rows` by `columns` as stored, or its transpose.
package struct MatrixFactor {
  let pointer: UnsafePointer<Scalar>
  let columns: Int
  let isTransposed: Bool

  package init(_ pointer: UnsafePointer<Scalar>, columns: Int, isTransposed: Bool = false) {
    (self.pointer, self.columns, self.isTransposed) = (pointer, columns, isTransposed)
  }

  /// Where row `index` of the factor as it is used begins.
  fileprivate func row(_ index: Int) -> UnsafePointer<Scalar> { pointer + index * (isTransposed ? 1 : columns) }
  /// Where column `index` of the factor as it is used begins.
  fileprivate func column(_ index: Int) -> UnsafePointer<Scalar> { pointer + index * (isTransposed ? columns : 1) }
}

/// c = a b, c being `m` by `n` and `k` the inner extent.
///
/// OpenBLAS multiplies on one thread a call; its own threads would keep the other cores busy after they are done. A large
/// product is cut into strips of rows or columns.
package func multiply(
  _ a: MatrixFactor, _ b: MatrixFactor, into c: UnsafeMutablePointer<Scalar>, m: Int, n: Int, k: Int
) {
  guard m > 0, n > 0 else { return }
  guard k > 0 else { return c.update(repeating: 0, count: m * n) }
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

private let openBLASIsSerial: Bool = {
  openblas_set_num_threads(1)
  return true
}()
