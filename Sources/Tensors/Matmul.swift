/// The product of two matrices, or of each pair of matrices in two batches.
///
/// The last two axes are those of the matrices, optionally transposed; the axes before them are batch axes, and broadcast.
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
  let (aOffsets, bOffsets) = (a.matrixOffsets(in: batches), b.matrixOffsets(in: batches))
  return Tensor(shape: Shape(batches.dimensions + [m, n])) { out in
    guard out.count > 0 else { return }
    let (aStart, bStart, c) = (a.pointer, b.pointer, out.baseAddress!)
    Parallel.forEach(batches.count, grain: max(1, (1 << 20) / max(1, m * n * k))) { range in
      multiplyEach(
        range, { MatrixFactor(aStart + aOffsets[$0], columns: a.shape[-1], isTransposed: transposeA) },
        { MatrixFactor(bStart + bOffsets[$0], columns: b.shape[-1], isTransposed: transposeB) }, into: c, m: m, n: n,
        k: k)
    }
  }.recorded(
    "matmul", saving: [a, b],
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

  /// The offset in `self` of each matrix of `batches`.
  fileprivate func matrixOffsets(in batches: Shape) -> [Int] {
    let size = shape[-1] * shape[-2]
    let batchShape = Shape(Array(shape.dimensions.dropLast(2)))
    guard batchShape != batches else { return (0..<batches.count).map { $0 * size } }
    let indices = Tensor((0..<batchShape.count).map { Scalar($0) }, shape: batchShape)
    return indices.broadcast(to: batches).scalars.map { Int($0) * size }
  }
}
