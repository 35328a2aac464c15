import Testing

@testable import Kernels

@Suite("Winograd convolution") struct WinogradTests {
  /// Images, height, width, inputs, outputs: whole tiles, cut tiles at both edges, one tile, the form for 2×2 images, and
  /// each way to share the work.
  static let shapes = [
    (2, 8, 8, 16, 32), (1, 5, 7, 16, 16), (3, 4, 4, 32, 16), (1, 13, 4, 48, 16), (5, 2, 2, 16, 32), (1, 6, 9, 80, 96),
    (2, 2, 2, 256, 272), (1, 4, 4, 256, 256), (40, 4, 8, 16, 16), (1, 5, 4, 1040, 16), (200, 4, 4, 80, 64),
  ]

  @Test(arguments: shapes) func agreesWithTheDefinition(shape: (Int, Int, Int, Int, Int)) {
    let (n, h, w, ci, co) = shape
    var generator = TestGenerator(state: 7)
    let x = generator.numbers(n * h * w * ci)
    let weights = generator.numbers(9 * ci * co)
    let dy = generator.numbers(n * h * w * co)
    var y = [Double](repeating: 0, count: n * h * w * co)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: weights.count)
    for image in 0..<n {
      for i in 0..<h {
        for j in 0..<w {
          for tap in 0..<9 {
            let (r, s) = (i + tap / 3 - 1, j + tap % 3 - 1)
            guard r >= 0, r < h, s >= 0, s < w else { continue }
            let (from, to) = (((image * h + r) * w + s) * ci, ((image * h + i) * w + j) * co)
            for c in 0..<ci {
              for k in 0..<co {
                let weight = (tap * ci + c) * co + k
                y[to + k] += Double(x[from + c]) * Double(weights[weight])
                dx[from + c] += Double(dy[to + k]) * Double(weights[weight])
                dw[weight] += Double(dy[to + k]) * Double(x[from + c])
              }
            }
          }
        }
      }
    }
    let winograd = Winograd(images: n, height: h, width: w)
    let bound = Scalar.self == Float.self ? 2e-5 : 1e-12
    func check(_ name: String, _ expected: [Double], _ run: (UnsafeMutablePointer<Scalar>) -> Void) {
      var found = [Scalar](repeating: .nan, count: expected.count)
      found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
      let error = zip(found, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
      let norm = expected.reduce(0) { $0 + $1 * $1 }
      #expect((error / norm).squareRoot() < bound, "\(name) of \(shape): relative error \((error / norm).squareRoot())")
    }
    check("forward", y) { winograd.convolve(x, weights, inputs: ci, outputs: co, into: $0) }
    check("backward-data", dx) { winograd.convolve(dy, weights, isAdjoint: true, inputs: co, outputs: ci, into: $0) }
    check("backward-weights", dw) { winograd.weightsGradient(x, dy, inputs: ci, outputs: co, into: $0) }
  }
}

/// A linear congruential generator: numbers in -1...1 that are the same everywhere.
struct TestGenerator {
  var state: UInt64
  mutating func numbers(_ count: Int) -> [Scalar] {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Scalar(Int64(bitPattern: state) >> 40) / Scalar(1 << 23)
    }
  }
}
