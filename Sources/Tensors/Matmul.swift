/// The product of two matrices, or of each pair of matrices in two batches.
///
/// The last two axes are the matrices', optionally exchanged; the axes before them count matrices and broadcast.
/// - Precondition: The inner extents are equal.
public func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
  require(a.rank >= 2 && b.rank >= 2, "matmul: shapes \(a.shape) and \(b.shape) are not matrices")
  let (m, k) = transposeA ? (a.shape[-1], a.shape[-2]) : (a.shape[-2], a.shape[-1])
  let (other, n) = transposeB ? (b.shape[-1], b.shape[-2]) : (b.shape[-2], b.shape[-1])
  let batches = Shape(a.shape.dimensions.dropLast(2)).broadcast(with: Shape(b.shape.dimensions.dropLast(2)))
  guard k == other, let batches else {
    fatalError(
      "matmul: shapes \(a.shape)\(transposeA ? " transposed" : "") and \(b.shape)\(transposeB ? " transposed" : "") "
        + "do not fit")
  }
  let (aPlace, bPlace) = (a.matrixOffsets(in: batches), b.matrixOffsets(in: batches))
  return Tensor(shape: Shape(batches.dimensions + [m, n])) { out in
    guard out.count > 0 else { return }
    let (aStart, bStart, c) = (a.pointer, b.pointer, out.baseAddress!)
    Parallel.forEach(batches.count, grain: max(1, (1 << 20) / max(1, m * n * k))) { range in
      for index in range {
        multiply(
          MatrixFactor(aStart + aPlace[index], columns: a.shape[-1], isTransposed: transposeA),
          MatrixFactor(bStart + bPlace[index], columns: b.shape[-1], isTransposed: transposeB),
          into: c + index * m * n, m: m, n: n, k: k)
      }
    }
  }.recorded(
    "matmul", keeping: [a, b],
    (
      a,
      { dy in
        transposeA
          ? matmul(b, dy, transposeA: transposeB, transposeB: true) : matmul(dy, b, transposeB: !transposeB)
      }
    ),
    (
      b,
      { dy in
        transposeB
          ? matmul(dy, a, transposeA: true, transposeB: transposeA) : matmul(a, dy, transposeA: !transposeA)
      }
    ))
}

extension Tensor {
  /// The product with `other`; see ``matmul(_:_:transposeA:transposeB:)``.
  public func matmul(_ other: Tensor) -> Tensor { Tensors.matmul(self, other) }

  /// For each matrix of `batches` where it begins here.
  fileprivate func matrixOffsets(in batches: Shape) -> [Int] {
    let size = shape[-1] * shape[-2]
    let own = Shape(Array(shape.dimensions.dropLast(2)))
    guard own != batches else { return (0..<batches.count).map { $0 * size } }
    let numbers = Tensor((0..<own.count).map { Scalar($0) }, shape: own)
    return numbers.broadcast(to: batches).scalars.map { Int($0) * size }
  }
}
