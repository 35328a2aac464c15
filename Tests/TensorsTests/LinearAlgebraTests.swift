import Tensors
import TestSupport
import Testing

@Suite("Linear algebra") struct LinearAlgebraTests {
  private let tolerance: Scalar = isDouble ? 1e-12 : 1e-5
  private let a = normal([5, 3])
  private var gram: Tensor { matmul(a, a, transposeA: true) }

  private func identity(_ n: Int) -> Tensor { .oneHot(Array(0..<n), classes: n) }

  @Test func eigenvectorsComeAsColumnsWithAscendingValues() throws {
    let (values, vectors) = try gram.symmetricEigen()
    #expect(values.scalars == values.scalars.sorted())
    expectClose(matmul(gram, vectors), vectors * values, tolerance)
    expectClose(matmul(vectors, vectors, transposeA: true), identity(3), tolerance)
    #expect(try Tensor([2, 0, 0, -1], shape: [2, 2]).symmetricEigen().values.scalars == [-1, 2])
  }

  @Test(arguments: [[5, 3], [3, 5], [4, 4], [1, 3], [3, 1], [67, 41], [41, 67]]) func singularValuesRebuildTheMatrix(
    shape: [Int]
  ) throws {
    let a = normal(Shape(shape), seed: 3)
    let k = shape.min()!
    let (u, s, vt) = try a.svd()
    #expect(u.shape == [shape[0], k] && s.shape == [k] && vt.shape == [k, shape[1]])
    #expect(s.scalars == s.scalars.sorted(by: >) && s.scalars.allSatisfy { $0 >= 0 })
    expectClose(matmul(u * s, vt), a, k > 5 ? 10 * tolerance : tolerance)
    expectClose(matmul(u, u, transposeA: true), identity(k), tolerance)
    expectClose(matmul(vt, vt, transposeB: true), identity(k), tolerance)
  }

  /// The sizes are beyond LAPACK's blocks, and no multiples of a vector.
  @Test(arguments: [1, 67, 131]) func largeMatricesAreRebuilt(n: Int) throws {
    let wide = normal([n, n + 9], seed: 6)
    let positive = matmul(wide, wide, transposeB: true)
    let scale = tolerance * Scalar(n + 9) * 4
    let (values, vectors) = try positive.symmetricEigen()
    expectClose(matmul(positive, vectors), vectors * values, scale)
    let l = try positive.cholesky()
    expectClose(matmul(l, l, transposeB: true), positive, scale)
    let (q, r) = try wide.transposed().qr()
    expectClose(matmul(q, r), wide.transposed(), scale)
    expectClose(matmul(q, q, transposeA: true), identity(n), scale)
    let b = normal([n, 5], seed: 7)
    expectClose(matmul(positive, try positive.solve(b)), b, 10 * scale)
  }

  @Test func onlyTheNamedTriangleIsRead() throws {
    let n = 5
    let wide = normal([n, n + 2], seed: 8)
    let positive = matmul(wide, wide, transposeB: true)
    var (upper, lower) = (positive.scalars, positive.scalars)
    for i in 0..<n { for j in 0..<i { (upper[i * n + j], lower[j * n + i]) = (1e3, 1e3) } }
    let (values, vectors) = try Tensor(upper, shape: [n, n]).symmetricEigen()
    expectClose(matmul(positive, vectors), vectors * values, 10 * tolerance)
    let l = try Tensor(lower, shape: [n, n]).cholesky()
    expectClose(matmul(l, l, transposeB: true), positive, 10 * tolerance)
  }

  @Test func qrIsOrthonormalTimesTriangular() throws {
    let (q, r) = try a.qr()
    expectClose(matmul(q, r), a, tolerance)
    expectClose(matmul(q, q, transposeA: true), identity(3), tolerance)
    #expect(r.scalars[3] == 0 && r.scalars[6] == 0 && r.scalars[7] == 0)
  }

  @Test func choleskyIsLowerTriangularAndSquaresToTheMatrix() throws {
    let l = try gram.cholesky()
    expectClose(matmul(l, l, transposeB: true), gram, tolerance)
    #expect(l.scalars[1] == 0 && l.scalars[2] == 0 && l.scalars[5] == 0)
    #expect(throws: LinearAlgebraError.self) { try (gram * -1).cholesky() }
  }

  @Test func solutionsSolve() throws {
    let (m, b) = (normal([4, 4], seed: 4), normal([4, 2], seed: 5))
    expectClose(matmul(m, try m.solve(b)), b, 10 * tolerance)
    let x = try m.solve(b.sliced(0..<1, axis: 1).reshaped(to: [4]))
    #expect(x.shape == [4])
    expectClose(x, try m.solve(b).sliced(0..<1, axis: 1).reshaped(to: [4]), tolerance)
  }

  @Test func whatHasNoSolutionThrows() {
    let singular = Tensor([1, 2, 2, 4], shape: [2, 2])
    let error = #expect(throws: LinearAlgebraError.self) { try singular.solve(Tensor([1, 2], shape: [2])) }
    #expect(error?.description.contains("solve: a matrix [2, 2] is singular") == true)
    let infinite = Tensor([1, .infinity, 2, 4], shape: [2, 2])
    #expect(throws: LinearAlgebraError.self) { try infinite.svd() }
    #expect(throws: LinearAlgebraError.self) { try infinite.symmetricEigen() }
    #expect(throws: LinearAlgebraError.self) { try infinite.qr() }
    #expect(throws: LinearAlgebraError.self) { try Tensor([1, 2, -.nan, 4], shape: [2, 2]).cholesky() }
    #expect(throws: LinearAlgebraError.self) { try infinite.solve(Tensor([1, 2], shape: [2])) }
  }
}
