import CLAPACKE
import COpenBLAS

// The two products of linear algebra that clustering needs, off every tape. They call the libraries themselves until
// the tensors have a public `matmul` and `symmetricEigen`; nothing else in this module knows a C library.

/// `a · bᵀ`, or `aᵀ · b` where `transposingFirst`, of two matrices.
func product(_ a: Tensor, _ b: Tensor, transposingFirst: Bool = false) -> Tensor {
  let (rows, inner) = transposingFirst ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
  let (columns, other) = transposingFirst ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
  require(inner == other, "product: matrices \(a.shape) and \(b.shape) do not fit")
  guard inner > 0 else { return .zeros([rows, columns]) }
  return Tensor(shape: [rows, columns]) { out in
    guard rows > 0, columns > 0 else { return }
    let (m, n, k) = (Int32(rows), Int32(columns), Int32(inner))
    let (first, second) = transposingFirst ? (CblasTrans, CblasNoTrans) : (CblasNoTrans, CblasTrans)
    let (lda, ldb) = (Int32(a.shape[1]), Int32(b.shape[1]))
    #if DoublePrecision
      cblas_dgemm(CblasRowMajor, first, second, m, n, k, 1, a.pointer, lda, b.pointer, ldb, 0, out.baseAddress!, n)
    #else
      cblas_sgemm(CblasRowMajor, first, second, m, n, k, 1, a.pointer, lda, b.pointer, ldb, 0, out.baseAddress!, n)
    #endif
  }
}

/// The eigenvalues of a symmetric matrix in ascending order, and its eigenvectors as the columns of a matrix.
func symmetricEigen(_ matrix: Tensor) throws(EncodeNetError) -> (values: [Scalar], vectors: Tensor) {
  require(matrix.rank == 2 && matrix.shape[0] == matrix.shape[1], "symmetricEigen: \(matrix.shape) is not square")
  let n = Int32(matrix.shape[0])
  var values = [Scalar](repeating: 0, count: matrix.shape[0])
  var vectors = matrix.detached
  let status = vectors.withUnsafeMutableScalars { v in
    #if DoublePrecision
      LAPACKE_dsyevd(
        LAPACK_ROW_MAJOR, CChar(bitPattern: UInt8(ascii: "V")), CChar(bitPattern: UInt8(ascii: "U")), n, v.baseAddress!,
        n, &values)
    #else
      LAPACKE_ssyevd(
        LAPACK_ROW_MAJOR, CChar(bitPattern: UInt8(ascii: "V")), CChar(bitPattern: UInt8(ascii: "U")), n, v.baseAddress!,
        n, &values)
    #endif
  }
  guard status == 0 else {
    throw EncodeNetError("the eigenvalues of a \(n) by \(n) matrix were not found: are the features finite?")
  }
  return (values, vectors)
}

extension Tensor {
  /// The squared length of each row of a matrix.
  var squaredRowLengths: [Scalar] {
    let columns = shape[1]
    return (0..<shape[0]).map { row in
      #if DoublePrecision
        cblas_ddot(Int32(columns), pointer + row * columns, 1, pointer + row * columns, 1)
      #else
        cblas_sdot(Int32(columns), pointer + row * columns, 1, pointer + row * columns, 1)
      #endif
    }
  }

  /// The rows at `indices` of a tensor whose first axis counts rows.
  func rows(at indices: [Int]) -> Tensor {
    let width = count / Swift.max(shape[0], 1)
    return Tensor(shape: Shape([indices.count] + shape.dimensions.dropFirst())) { out in
      for (row, index) in indices.enumerated() {
        require((0..<shape[0]).contains(index), "rows: row \(index) is not one of \(shape[0])")
        (out.baseAddress! + row * width).update(from: pointer + index * width, count: width)
      }
    }
  }

  /// The same numbers with one row for each of the first axis.
  var flattenedRows: Tensor {
    Tensor(storage: storage, shape: [shape[0], shape[0] == 0 ? 0 : count / shape[0]])
  }
}

/// The squared Euclidean distances from each row of `a` to each row of `b`.
func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (aLengths, bLengths) = (a.squaredRowLengths, b.squaredRowLengths)
  var result = product(a, b)
  let columns = b.shape[0]
  result.withUnsafeMutableScalars { out in
    // Each piece writes its own rows alone.
    nonisolated(unsafe) let out = out
    Parallel.forEach(aLengths.count, grain: max(1, 4096 / max(columns, 1))) { rows in
      for row in rows {
        for column in 0..<columns {
          let index = row * columns + column
          // Rounding may leave a little less than nothing.
          out[index] = max(0, aLengths[row] + bLengths[column] - 2 * out[index])
        }
      }
    }
  }
  return result
}
