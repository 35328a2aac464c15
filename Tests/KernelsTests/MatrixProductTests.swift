import Testing

@testable import Kernels

@Suite("Matrix products") struct MatrixProductTests {
  /// Shapes on both sides of every block's edge, for the micro-kernel and for OpenBLAS.
  static let shapes = [
    (1, 1, 1), (6, 16, 1), (7, 17, 3), (100, 17, 513), (97, 10, 530), (5, 256, 40), (13, 257, 20), (64, 300, 130),
    (2, 400, 700), (20, 48, 1030), (30, 530, 530), (257, 130, 20), (256, 513, 37), (97, 10, 512), (5, 3, 64),
    (9, 1, 80), (100, 64, 1024),
    // A row, a column, two vectors, and few products.
    (1, 1000, 201), (1, 33, 7), (1, 37, 100), (1, 19, 96), (1, 130, 8), (41, 1, 33), (130, 1, 100), (300, 50, 1),
    (50, 300, 1), (7, 3, 5), (10, 10, 10), (1, 16, 64),
  ]

  @Test(arguments: shapes) func areTheDefinitions(shape: (Int, Int, Int)) {
    let (m, n, k) = shape
    var generator = TestGenerator(state: 3)
    let (a, b) = (generator.numbers(m * k), generator.numbers(k * n))
    for (isATransposed, isBTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
      let expected = (0..<m * n).map { at in
        (0..<k).reduce(0.0) {
          $0 + Double(a[isATransposed ? $1 * m + at / n : at / n * k + $1])
            * Double(b[isBTransposed ? at % n * k + $1 : $1 * n + at % n])
        }
      }
      for usesOpenBLAS in [false, true] {
        var c = [Scalar](repeating: .nan, count: m * n)
        c.withUnsafeMutableBufferPointer { c in
          multiply(
            MatrixFactor(a, columns: isATransposed ? m : k, isTransposed: isATransposed),
            MatrixFactor(b, columns: isBTransposed ? k : n, isTransposed: isBTransposed), into: c.baseAddress!, m: m,
            n: n, k: k, usesOpenBLAS: usesOpenBLAS)
        }
        let worst = zip(expected, c).map { $1.isNaN ? .infinity : abs($0 - Double($1)) }.max()!
        let bound = (Scalar.self == Float.self ? 1e-6 : 1e-14) * Double(k + 10)
        #expect(
          worst < bound,
          "\(shape), transposed \(isATransposed), \(isBTransposed), OpenBLAS \(usesOpenBLAS): off by \(worst)")
      }
    }
  }

  /// Pairs share memory where they are small.
  @Test(arguments: [
    (17, 17, 32), (32, 32, 32), (2, 11, 70), (96, 33, 40), (97, 20, 20), (7, 3, 5), (5, 65, 513), (9, 40, 1),
  ])
  func ofABatchAreThoseOfEachPair(shape: (Int, Int, Int)) {
    let (m, n, k) = shape
    var generator = TestGenerator(state: 4)
    let (a, b) = (generator.numbers(5 * m * k), generator.numbers(5 * k * n))
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for (isATransposed, isBTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
          func left(_ pair: Int) -> MatrixFactor {
            MatrixFactor(a.baseAddress! + pair * m * k, columns: isATransposed ? m : k, isTransposed: isATransposed)
          }
          func right(_ pair: Int) -> MatrixFactor {
            MatrixFactor(b.baseAddress! + pair * k * n, columns: isBTransposed ? k : n, isTransposed: isBTransposed)
          }
          var (c, wanted) = ([Scalar](repeating: .nan, count: 5 * m * n), [Scalar](repeating: .nan, count: 5 * m * n))
          c.withUnsafeMutableBufferPointer {
            multiplyEach(1..<5, left, right, into: $0.baseAddress!, m: m, n: n, k: k)
          }
          wanted.withUnsafeMutableBufferPointer { wanted in
            for pair in 1..<5 {
              multiply(left(pair), right(pair), into: wanted.baseAddress! + pair * m * n, m: m, n: n, k: k)
            }
          }
          let isFirstLeft = c[..<(m * n)].allSatisfy(\.isNaN)
          let worst = zip(wanted, c).dropFirst(m * n).map { $1.isNaN ? .infinity : abs($0 - $1) }.max()!
          #expect(
            isFirstLeft && worst < 1e-4, "\(shape), transposed \(isATransposed), \(isBTransposed): off by \(worst)")
        }
      }
    }
  }
}
