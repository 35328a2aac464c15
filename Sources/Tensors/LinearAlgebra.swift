import CLAPACKE

/// A decomposition that does not exist, or was not found.
public struct LinearAlgebraError: Error, CustomStringConvertible, Sendable {
  public let description: String
}

// Decompositions by LAPACK. Matrices are row-major. Only `solve` has gradients; the others stop the program where a tape tracks
// the matrix, as its gradient would be wrong without notice: give them a `detached` one.
extension Tensor {
  /// The eigenvalues of a symmetric matrix in ascending order, and its eigenvectors as columns; the upper triangle is read.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func symmetricEigen() throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
    let n = try squareSize("symmetricEigen")
    var (vectors, values) = (detached, Tensor.zeros([n]))
    let status = vectors.withUnsafeMutableScalars { v in
      values.withUnsafeMutableScalars { w in
        #if DoublePrecision
          LAPACKE_dsyevd(LAPACK_ROW_MAJOR, wantsVectors, isUpper, Int32(n), v.baseAddress!, Int32(n), w.baseAddress!)
        #else
          LAPACKE_ssyevd(LAPACK_ROW_MAJOR, wantsVectors, isUpper, Int32(n), v.baseAddress!, Int32(n), w.baseAddress!)
        #endif
      }
    }
    try Self.check(status, "symmetricEigen: the eigenvalues of a matrix \(shape) were not found")
    return (values, vectors)
  }

  /// `u diag(s) vt` of a matrix `[m, n]`, with k = min(m, n): u `[m, k]`, s `[k]` in descending order, vt `[k, n]`.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func svd() throws(LinearAlgebraError) -> (u: Tensor, s: Tensor, vt: Tensor) {
    let (m, n) = try matrixSize("svd")
    let k = Swift.min(m, n)
    var (a, u, s, vt) = (detached, Tensor.zeros([m, k]), Tensor.zeros([k]), Tensor.zeros([k, n]))
    let status = a.withUnsafeMutableScalars { a in
      u.withUnsafeMutableScalars { u in
        s.withUnsafeMutableScalars { s in
          vt.withUnsafeMutableScalars { vt in
            #if DoublePrecision
              LAPACKE_dgesdd(
                LAPACK_ROW_MAJOR, isThin, Int32(m), Int32(n), a.baseAddress!, Int32(n), s.baseAddress!, u.baseAddress!,
                Int32(k), vt.baseAddress!, Int32(n))
            #else
              LAPACKE_sgesdd(
                LAPACK_ROW_MAJOR, isThin, Int32(m), Int32(n), a.baseAddress!, Int32(n), s.baseAddress!, u.baseAddress!,
                Int32(k), vt.baseAddress!, Int32(n))
            #endif
          }
        }
      }
    }
    try Self.check(status, "svd: the singular values of a matrix \(shape) were not found")
    return (u, s, vt)
  }

  /// `q r` of a matrix `[m, n]` with m ≥ n: q `[m, n]` with orthonormal columns, r `[n, n]` upper triangular.
  ///
  /// - Throws: Where the matrix has elements that are NaN or infinite.
  public func qr() throws(LinearAlgebraError) -> (q: Tensor, r: Tensor) {
    let (m, n) = try matrixSize("qr")
    require(m >= n, "qr: a matrix \(shape) has fewer rows than columns")
    var (a, reflectors) = (detached, [Scalar](repeating: 0, count: n))
    var r = Tensor.zeros([n, n])
    let status = a.withUnsafeMutableScalars { a -> Int32 in
      #if DoublePrecision
        let first = LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, Int32(m), Int32(n), a.baseAddress!, Int32(n), &reflectors)
      #else
        let first = LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, Int32(m), Int32(n), a.baseAddress!, Int32(n), &reflectors)
      #endif
      guard first == 0 else { return first }
      r.withUnsafeMutableScalars { r in
        for i in 0..<n { for j in i..<n { r[i * n + j] = a[i * n + j] } }
      }
      #if DoublePrecision
        return LAPACKE_dorgqr(
          LAPACK_ROW_MAJOR, Int32(m), Int32(n), Int32(n), a.baseAddress!, Int32(n), reflectors)
      #else
        return LAPACKE_sorgqr(
          LAPACK_ROW_MAJOR, Int32(m), Int32(n), Int32(n), a.baseAddress!, Int32(n), reflectors)
      #endif
    }
    try Self.check(status, "qr: a matrix \(shape) was not decomposed")
    return (a, r)
  }

  /// The lower triangular matrix l with `l lᵀ` equal to a symmetric, positive definite matrix; the lower triangle is read.
  ///
  /// - Throws: Where the matrix is not positive definite or has elements that are NaN or infinite.
  public func cholesky() throws(LinearAlgebraError) -> Tensor {
    let n = try squareSize("cholesky")
    var l = detached
    let status = l.withUnsafeMutableScalars { l in
      for i in 0..<n { for j in i + 1..<n { l[i * n + j] = 0 } }
      #if DoublePrecision
        return LAPACKE_dpotrf(LAPACK_ROW_MAJOR, isLower, Int32(n), l.baseAddress!, Int32(n))
      #else
        return LAPACKE_spotrf(LAPACK_ROW_MAJOR, isLower, Int32(n), l.baseAddress!, Int32(n))
      #endif
    }
    try Self.check(status, "cholesky: a matrix \(shape) is not positive definite")
    return l
  }

  /// x with `self` x = b, for a square matrix and b `[n]` or `[n, columns]`. Gradients of any order reach both.
  ///
  /// - Throws: Where the matrix is singular or has elements that are NaN or infinite.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> Tensor {
    let n = try squareSize("solve", hasGradient: true)
    require(
      (b.rank == 1 || b.rank == 2) && b.shape[0] == n, "solve: right side \(b.shape) does not fit a matrix \(shape)")
    guard b.count > 0 else { return b.detached }
    let columns = Int32(b.count / n)
    var (a, x, pivots) = (detached, b.detached, [Int32](repeating: 0, count: n))
    let status = a.withUnsafeMutableScalars { a in
      x.withUnsafeMutableScalars { x in
        #if DoublePrecision
          LAPACKE_dgesv(
            LAPACK_ROW_MAJOR, Int32(n), columns, a.baseAddress!, Int32(n), &pivots, x.baseAddress!, columns)
        #else
          LAPACKE_sgesv(
            LAPACK_ROW_MAJOR, Int32(n), columns, a.baseAddress!, Int32(n), &pivots, x.baseAddress!, columns)
        #endif
      }
    }
    try Self.check(status, "solve: a matrix \(shape) is singular")
    return x.recordedSolution(of: self, b)
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
    guard withUnsafeScalars({ $0.allSatisfy(\.isFinite) }) else {
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

/// LAPACK's options: vectors too, the upper or lower triangle, the thin factors.
private let (wantsVectors, isUpper, isLower, isThin) = (letter("V"), letter("U"), letter("L"), letter("S"))
private func letter(_ letter: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: letter.value) }
