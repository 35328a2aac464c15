import CLAPACKE

/// A decomposition that does not exist, or was not found.
public struct LinearAlgebraError: Error, CustomStringConvertible, Sendable {
  public let description: String
}

// Decompositions by LAPACK. Its matrices lie column after column: it reads a row-major matrix as the transposed one. LAPACKE's own
// `LAPACK_ROW_MAJOR` transposes by single elements, so these transpose by blocks, and only what has to be. Only `solve` has gradients;
// the others stop the program where a tape tracks the matrix, as its gradient would be wrong without notice: give them a `detached` one.
extension Tensor {
  /// The eigenvalues of a symmetric matrix in ascending order, and its eigenvectors as columns; the upper triangle is read.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func symmetricEigen() throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
    let n = try squareSize("symmetricEigen")
    var (vectors, values) = (detached, Tensor.zeros([n]))
    let status = vectors.withUnsafeMutableScalars { v in
      values.withUnsafeMutableScalars { w in
        syevd(LAPACK_COL_MAJOR, wantsVectors, isLower, Int32(n), v.baseAddress!, Int32(n), w.baseAddress!)
      }
    }
    try Self.check(status, "symmetricEigen: the eigenvalues of a matrix \(shape) were not found")
    return (values, vectors.transposed())
  }

  /// `u diag(s) vt` of a matrix `[m, n]`, with k = min(m, n): u `[m, k]`, s `[k]` in descending order, vt `[k, n]`.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func svd() throws(LinearAlgebraError) -> (u: Tensor, s: Tensor, vt: Tensor) {
    let (m, n) = try matrixSize("svd")
    let (long, k, isTall) = (Swift.max(m, n), Swift.min(m, n), m > n)
    // LAPACK gets the tall one of the matrix and its transpose, which is up to a third faster.
    var (a, left, s, right) = (
      isTall ? detached.transposed() : detached, Tensor.zeros([k, long]), Tensor.zeros([k]), Tensor.zeros([k, k])
    )
    let status = a.withUnsafeMutableScalars { a in
      left.withUnsafeMutableScalars { left in
        s.withUnsafeMutableScalars { s in
          right.withUnsafeMutableScalars { right in
            gesdd(
              LAPACK_COL_MAJOR, isThin, Int32(long), Int32(k), a.baseAddress!, Int32(long), s.baseAddress!,
              left.baseAddress!, Int32(long), right.baseAddress!, Int32(k))
          }
        }
      }
    }
    try Self.check(status, "svd: the singular values of a matrix \(shape) were not found")
    return isTall ? (left.transposed(), s, right.transposed()) : (right, s, left)
  }

  /// `q r` of a matrix `[m, n]` with m ≥ n: q `[m, n]` with orthonormal columns, r `[n, n]` upper triangular.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func qr() throws(LinearAlgebraError) -> (q: Tensor, r: Tensor) {
    let (m, n) = try matrixSize("qr")
    require(m >= n, "qr: a matrix \(shape) has fewer rows than columns")
    var (columns, reflectors) = (detached.transposed(), [Scalar](repeating: 0, count: n))
    var r = Tensor.zeros([n, n])
    let status = columns.withUnsafeMutableScalars { a -> Int32 in
      let first = geqrf(LAPACK_COL_MAJOR, Int32(m), Int32(n), a.baseAddress!, Int32(m), &reflectors)
      guard first == 0 else { return first }
      r.withUnsafeMutableScalars { r in
        for j in 0..<n { for i in 0...j { r[j * n + i] = a[j * m + i] } }
      }
      return orgqr(LAPACK_COL_MAJOR, Int32(m), Int32(n), Int32(n), a.baseAddress!, Int32(m), reflectors)
    }
    try Self.check(status, "qr: a matrix \(shape) was not decomposed")
    return (columns.transposed(), r.transposed())
  }

  /// The lower triangular matrix l with `l lᵀ` equal to a symmetric, positive definite matrix; the lower triangle is read.
  ///
  /// - Throws: Where the matrix is not positive definite or has elements that are NaN or infinite.
  public func cholesky() throws(LinearAlgebraError) -> Tensor {
    let n = try squareSize("cholesky")
    // The lower triangle of columns is a third faster in OpenBLAS than the upper one, which would need no transposes.
    var columns = detached.transposed()
    let status = columns.withUnsafeMutableScalars { l in
      for j in 1..<n { for i in 0..<j { l[j * n + i] = 0 } }
      return potrf(LAPACK_COL_MAJOR, isLower, Int32(n), l.baseAddress!, Int32(n))
    }
    try Self.check(status, "cholesky: a matrix \(shape) is not positive definite")
    return columns.transposed()
  }

  /// x with `self` x = b, for a square matrix and b `[n]` or `[n, columns]`. Gradients of any order reach both.
  ///
  /// - Throws: Where the matrix is singular or has elements that are NaN or infinite.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let n = try squareSize("solve", hasGradient: true)
    require(
      (b.rank == 1 || b.rank == 2) && b.shape[0] == n, "solve: right side \(b.shape) does not fit a matrix \(shape)")
    guard b.count > 0 else { return b.detached }
    let isMatrix = b.rank == 2
    var (a, x, pivots) = (detached, isMatrix ? b.detached.transposed() : b.detached, [Int32](repeating: 0, count: n))
    let status = a.withUnsafeMutableScalars { a in
      x.withUnsafeMutableScalars { x in
        let first = getrf(LAPACK_COL_MAJOR, Int32(n), Int32(n), a.baseAddress!, Int32(n), &pivots)
        guard first == 0 else { return first }
        return getrs(
          LAPACK_COL_MAJOR, isTransposed, Int32(n), Int32(x.count / n), a.baseAddress!, Int32(n), pivots,
          x.baseAddress!, Int32(n))
      }
    }
    try Self.check(status, "solve: a matrix \(shape) is singular")
    return (isMatrix ? x.transposed() : x).recordedSolution(of: self, b)
  }

  /// With a x = b: db = a⁻ᵀ dx, da = -db xᵀ.
  private func recordedSolution(of a: Tensor, _ b: Tensor) -> Tensor {
    let inputs = [a, b]
    return recorded("solve", saving: [a, self], from: inputs) { dx, needed in
      guard let db = try? a.transposed().solve(dx) else {
        fatalError("solve: the gradient \(dx.shape) of the solution is NaN or infinite")
      }
      guard needed[0] else { return [nil, db] }
      // An outer tape must record what x depends on.
      let x = a.isTracked || b.isTracked ? (try? a.solve(b)) ?? self : self
      func column(_ t: Tensor) -> Tensor { t.rank == 1 ? t.unsqueezed(at: 1) : t }
      return [-Tensors.matmul(column(db), column(x), transposeB: true), db]
    }
  }

  private func matrixSize(
    _ operation: String, hasGradient: Bool = false
  ) throws(LinearAlgebraError) -> (Int, Int) {
    require(rank == 2 && count > 0, "\(operation): \(shape) is not a matrix, or empty")
    require(hasGradient || !isTracked, "\(operation): has no gradient; give it a detached matrix")
    // LAPACK's loops need not end on NaN.
    // LAPACK's products are OpenBLAS's.
    precondition(openBLASIsSerial)
    guard isFinite else {
      throw LinearAlgebraError(description: "\(operation): the matrix \(shape) has elements that are NaN or infinite")
    }
    return (shape[0], shape[1])
  }

  private func squareSize(_ operation: String, hasGradient: Bool = false) throws(LinearAlgebraError) -> Int {
    let (rows, columns) = try matrixSize(operation, hasGradient: hasGradient)
    require(rows == columns, "\(operation): a matrix \(shape) is not square")
    return rows
  }

  private static func check(_ status: Int32, _ message: String) throws(LinearAlgebraError) {
    if status != 0 { throw LinearAlgebraError(description: "\(message) (LAPACK's status \(status))") }
  }
}

/// LAPACK's options: vectors too, the lower triangle, the thin factors, the transposed matrix.
private let (wantsVectors, isLower, isThin, isTransposed) = (letter("V"), letter("L"), letter("S"), letter("T"))
private func letter(_ letter: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: letter.value) }

// LAPACK's routines of `Scalar`, by their names without the letter of the precision.
#if DoublePrecision
  private let (syevd, gesdd, geqrf, orgqr) = (LAPACKE_dsyevd, LAPACKE_dgesdd, LAPACKE_dgeqrf, LAPACKE_dorgqr)
  private let (potrf, getrf, getrs) = (LAPACKE_dpotrf, LAPACKE_dgetrf, LAPACKE_dgetrs)
#else
  private let (syevd, gesdd, geqrf, orgqr) = (LAPACKE_ssyevd, LAPACKE_sgesdd, LAPACKE_sgeqrf, LAPACKE_sorgqr)
  private let (potrf, getrf, getrs) = (LAPACKE_spotrf, LAPACKE_sgetrf, LAPACKE_sgetrs)
#endif
