import Testing

@testable import Kernels

/// Random operands of a convolution, and its three products by the definition in double precision.
struct ReferenceProducts {
  let convolution: Convolution
  let x: [Scalar]
  let w: [Scalar]
  let dy: [Scalar]
  private(set) var y: [Double]
  private(set) var dx: [Double]
  private(set) var dw: [Double]

  init(_ c: Convolution, _ generator: inout TestGenerator) {
    convolution = c
    x = generator.numbers(c.images * c.height * c.width * c.inputs)
    w = generator.numbers(c.kernelHeight * c.kernelWidth * (c.inputs / c.groups) * c.outputs)
    dy = generator.numbers(c.images * c.outputHeight * c.outputWidth * c.outputs)
    y = [Double](repeating: 0, count: dy.count)
    dx = [Double](repeating: 0, count: x.count)
    dw = [Double](repeating: 0, count: w.count)
    for n in 0..<c.images {
      for i in 0..<c.outputHeight {
        for j in 0..<c.outputWidth {
          for tap in 0..<c.kernelHeight * c.kernelWidth { add(n, i, j, tap) }
        }
      }
    }
  }

  /// Adds the products of a tap with a pixel of the output.
  private mutating func add(_ n: Int, _ i: Int, _ j: Int, _ tap: Int) {
    let c = convolution
    let (inputs, outputs) = (c.inputs / c.groups, c.outputs / c.groups)
    let (r, s) = tap.quotientAndRemainder(dividingBy: c.kernelWidth)
    let (row, column) = (i * c.stride + r * c.dilation - c.padding, j * c.stride + s * c.dilation - c.padding)
    guard row >= 0, row < c.height, column >= 0, column < c.width else { return }
    let from = ((n * c.height + row) * c.width + column) * c.inputs
    let to = ((n * c.outputHeight + i) * c.outputWidth + j) * c.outputs
    for k in 0..<c.outputs {
      for q in 0..<inputs {
        let (p, weight) = (from + k / outputs * inputs + q, (tap * inputs + q) * c.outputs + k)
        y[to + k] += Double(x[p]) * Double(w[weight])
        dx[p] += Double(dy[to + k]) * Double(w[weight])
        dw[weight] += Double(dy[to + k]) * Double(x[p])
      }
    }
  }
}

/// Whether the Euclidean distance of what `run` writes from `expected` is less than `bound` times the norm of the latter.
func expectClose(
  _ expected: [Double], _ bound: Double, _ name: String, _ run: (UnsafeMutablePointer<Scalar>) -> Void
) {
  var found = [Scalar](repeating: .nan, count: expected.count)
  found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
  expectClose(expected, bound, name, found)
}

func expectClose(_ expected: [Double], _ bound: Double, _ name: String, _ found: [Scalar]) {
  let error = zip(found, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
  let relative = (error / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
  #expect(relative < bound, "\(name): relative error \(relative)")
}

extension Storage {
  /// A copy of `scalars`.
  convenience init(_ scalars: [Scalar]) {
    self.init(count: scalars.count)
    pointer.update(from: scalars, count: scalars.count)
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
