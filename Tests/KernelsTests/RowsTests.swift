import Foundation
import Testing

@testable import Kernels

/// Operations along rows against their definitions in double precision, at widths around those of vectors, lanes and blocks.
@Suite("Operations along rows") struct RowsTests {
  static let widths = [1, 2, 7, 16, 31, 33, 64, 511, 513, 1_300]
  private static let tolerance = Scalar.self == Double.self ? 1e-12 : 2e-6

  private let rows = 5
  private func numbers(_ width: Int, seed: Int) -> [Scalar] {
    (0..<rows * width).map { Scalar((($0 + seed) * 7_919) % 1_009) / 100 - 5 }
  }
  private func expectClose(_ y: [Scalar], _ right: [Double], _ what: String) {
    for i in y.indices {
      #expect(
        abs(Double(y[i]) - right[i]) <= Self.tolerance * max(1, abs(right[i])),
        "\(what), element \(i): \(y[i]), not \(right[i])")
    }
  }
  private func shares(_ row: ArraySlice<Scalar>) -> [Double] {
    let top = Double(row.max()!)
    let terms = row.map { exp(Double($0) - top) }
    return terms.map { $0 / terms.reduce(0, +) }
  }

  @Test(arguments: widths) func softmaxAndItsGradient(width: Int) {
    let (x, dy) = (numbers(width, seed: 1), numbers(width, seed: 2))
    var (y, log, dx, dLog) = (x, x, dy, dy)
    let kernels = Rows(rows, width: width)
    y.withUnsafeMutableBufferPointer { kernels.softmax($0.baseAddress!, into: $0.baseAddress!) }
    kernels.logSoftmax(x, into: &log)
    dx.withUnsafeMutableBufferPointer { kernels.softmaxGradient($0.baseAddress!, output: y, into: $0.baseAddress!) }
    dLog.withUnsafeMutableBufferPointer {
      kernels.logSoftmaxGradient($0.baseAddress!, output: log, into: $0.baseAddress!)
    }
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let p = shares(x[range])
      let g = dy[range].map { Double($0) }
      let product = zip(p, g).reduce(0) { $0 + $1.0 * $1.1 }
      let sum = g.reduce(0, +)
      expectClose(Array(y[range]), p, "softmax of \(width)")
      expectClose(Array(log[range]), p.map { Foundation.log($0) }, "logSoftmax of \(width)")
      expectClose(Array(dx[range]), zip(p, g).map { $0 * ($1 - product) }, "gradient of softmax of \(width)")
      let wanted = zip(p, g).map { $1 - $0 * sum }
      for (a, b) in zip(dLog[range], wanted) {
        #expect(abs(Double(a) - b) <= Self.tolerance * max(5, abs(sum)), "gradient of logSoftmax of \(width)")
      }
    }
  }

  @Test(arguments: widths, [0, 0.2] as [Scalar]) func crossEntropyAndItsGradient(width: Int, smoothing: Scalar) {
    let x = numbers(width, seed: 3)
    let labels = [0, width - 1, -1, width / 2, 0]
    let dy: [Scalar] = [1, 0.5, 2, -1, 3]
    for weights in [nil, (0..<width).map { Scalar($0 % 3) / 2 }] {
      var (losses, shifts, logs, dx) = (dy, dy, dy, x)
      labels.withUnsafeBufferPointer { labels in
        func run(_ weights: UnsafePointer<Scalar>?) {
          let targets = ClassTargets(labels: labels.baseAddress!, smoothing: smoothing, weights: weights)
          let kernels = Rows(rows, width: width)
          kernels.crossEntropy(x, targets, shifts: &shifts, logs: &logs, into: &losses)
          kernels.crossEntropyGradient(of: dy, targets, x, shifts: shifts, logs: logs, into: &dx)
        }
        if let weights { run(weights) } else { run(nil) }
      }
      for row in 0..<rows {
        let p = shares(x[row * width..<(row + 1) * width])
        let target = (0..<width).map { c -> Double in
          guard labels[row] >= 0 else { return 0 }
          let weight = Double(weights?[c] ?? 1)
          return weight * (Double(smoothing) / Double(width) + (c == labels[row] ? 1 - Double(smoothing) : 0))
        }
        let sum = target.reduce(0, +)
        let loss = -zip(target, p).reduce(0) { $0 + $1.0 * Foundation.log($1.1) }
        expectClose([losses[row]], [loss], "cross-entropy of \(width)")
        expectClose(
          Array(dx[row * width..<(row + 1) * width]), zip(p, target).map { Double(dy[row]) * ($0 * sum - $1) },
          "gradient of the cross-entropy of \(width)")
      }
    }
  }

  @Test(arguments: widths) func layerNormAndItsGradient(width: Int) {
    let (x, dy) = (numbers(width, seed: 4), numbers(width, seed: 5))
    let (gamma, beta) = (Array(numbers(width, seed: 6)[..<width]), Array(numbers(width, seed: 7)[..<width]))
    var (means, rstds) = ([Scalar](repeating: 0, count: rows), [Scalar](repeating: 0, count: rows))
    var (y, dx, sums) = (x, dy, [Scalar](repeating: 0, count: 2 * width))
    let kernels = Rows(rows, width: width)
    kernels.layerNorm(x, epsilon: 0.01, gamma: gamma, beta: beta, means: &means, rstds: &rstds, into: &y)
    dx.withUnsafeMutableBufferPointer {
      kernels.layerNormGradient(
        $0.baseAddress!, x, gamma: gamma, means: means, rstds: rstds, into: $0.baseAddress!, addingTo: &sums)
    }
    var dGamma = [Double](repeating: 0, count: width)
    var dBeta = dGamma
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let n = Double(width)
      let mean = x[range].reduce(0) { $0 + Double($1) } / n
      let variance = x[range].reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / n
      let rstd = 1 / (variance + 0.01).squareRoot()
      let hat = x[range].map { (Double($0) - mean) * rstd }
      let g = zip(dy[range], gamma).map { Double($0) * Double($1) }
      let (a, b) = (g.reduce(0, +) / n, zip(g, hat).reduce(0) { $0 + $1.0 * $1.1 } / n)
      for c in 0..<width {
        dGamma[c] += Double(dy[row * width + c]) * hat[c]
        dBeta[c] += Double(dy[row * width + c])
      }
      let right = (0..<width).map { hat[$0] * Double(gamma[$0]) + Double(beta[$0]) }
      let gradient = (0..<width).map { rstd * (g[$0] - a - hat[$0] * b) }
      for c in 0..<width {
        #expect(abs(Double(y[row * width + c]) - right[c]) < 20 * Self.tolerance, "layer norm of \(width)")
        #expect(
          abs(Double(dx[row * width + c]) - gradient[c]) < 50 * Self.tolerance * max(1, rstd),
          "its gradient of \(width)")
      }
    }
    expectClose(sums.map { $0 / 10 }, (dGamma + dBeta).map { $0 / 10 }, "gradients of gamma and beta of \(width)")
  }

  @Test func extremeRows() {
    let x: [Scalar] = [1e7, 1e7 - 1, -.infinity, 3, -.infinity, -.infinity, -.infinity, -.infinity, .nan, 0, 1, 2]
    var y = x
    Rows(3, width: 4).softmax(x, into: &y)
    #expect(abs(y[0] + y[1] - 1) < 1e-6 && abs(y[0] - 0.731_058_6) < 1e-6 && y[2] == 0 && y[3] == 0)
    #expect(y[4...].allSatisfy { $0.isNaN })
  }
}
