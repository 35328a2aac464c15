import Foundation
import Testing

@testable import Kernels

/// Elementary functions against the C library's in double precision, with the instruction set that the loader chose;
/// Scripts/elementary-check tries all of them, and all floats.
@Suite("Elementary functions") struct ElementaryTests {
  struct Function: CustomTestStringConvertible {
    var function: UnaryFunction
    /// In units in the last place.
    var bound: Double
    var exact: @Sendable (Double) -> Double
    var testDescription: String { "\(function)" }
    init(_ function: UnaryFunction, _ bound: Double, _ exact: @escaping @Sendable (Double) -> Double) {
      (self.function, self.bound, self.exact) = (function, bound, exact)
    }
  }

  static let functions: [Function] = [
    Function(.exp, 1.1) { exp($0) }, Function(.expm1, 1.6) { expm1($0) }, Function(.log, 1) { log($0) },
    Function(.log1p, 1.6) { log1p($0) }, Function(.tanh, 1.6) { tanh($0) }, Function(.erf, 1.6) { erf($0) },
    Function(.sigmoid, 2) { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) },
    Function(.softplus, 2) { $0 > 0 ? $0 + log1p(exp(-$0)) : log1p(exp($0)) },
    Function(.gelu, 6) { $0 == -.infinity ? 0 : $0 * erfc(-$0 * 0.5.squareRoot()) / 2 },
    Function(.silu, 3) { $0 < -800 ? 0 : $0 / (1 + exp(-$0)) },
    Function(.normalDistribution, 6) { erfc(-$0 * 0.5.squareRoot()) / 2 },
    Function(.normalDensity, 2) { exp(-$0 * $0 / 2) * 0.398_942_280_401_432_7 },
  ]

  /// The distance in units in the last place of what is right; results below the normal numbers may be 0.
  private func distance(_ y: Float, _ right: Double) -> Double {
    let nearest = Float(right)
    if nearest.isNaN || y.isNaN { return nearest.isNaN && y.isNaN ? 0 : .infinity }
    if nearest.isInfinite || y.isInfinite { return y == nearest || abs(right) >= 3.4028234e38 ? 0 : .infinity }
    if abs(right) < Double(Float.leastNormalMagnitude) {
      return abs(Double(y) - right) <= Double(Float.leastNormalMagnitude) ? 0 : .infinity
    }
    return abs(Double(y) - right) / Double(nearest.ulp)
  }

  #if !DoublePrecision
    @Test(arguments: functions) func areWithinTheirBoundsOverAllExponents(_ f: Function) {
      let stride = ProcessInfo.processInfo.environment["ENCODENET_EXHAUSTIVE"] == nil ? 9_973 : 1
      let count = 1 << 14
      var (worst, place): (Double, Float) = (0, 0)
      for first in Swift.stride(from: 0, to: 1 << 32, by: stride * count) {
        let x = (0..<count).map { Float(bitPattern: UInt32(truncatingIfNeeded: first + $0 * stride)) }
        var y = x
        f.function(count, x, &y)
        for i in 0..<count {
          let error = distance(y[i], f.exact(Double(x[i])))
          if error > worst { (worst, place) = (error, x[i]) }
        }
      }
      #expect(worst <= f.bound, "\(worst) units in the last place at \(place)")
    }
  #endif

  @Test(arguments: functions) func haveTheirLimits(_ f: Function) {
    let x: [Scalar] = [.infinity, -.infinity, .nan, 0, -0.0, 1000, -1000, .leastNonzeroMagnitude]
    var y = x
    f.function(x.count, x, &y)
    for (x, y) in zip(x, y) {
      #expect(distance(Float(y), f.exact(Double(x))) <= f.bound, "\(f.function) of \(x) is \(y)")
    }
  }

  /// As many numbers as vectors take, one more, one less, and in place.
  @Test(arguments: functions) func doNotDependOnTheirPlace(_ f: Function) {
    let all = (0..<133).map { Scalar($0 % 19) / 4 - 2 }
    var whole = all
    f.function(all.count, all, &whole)
    for count in [1, 2, 7, 15, 16, 17, 31, 33, 63, 133] {
      var y = [Scalar](repeating: 7, count: count + 1)
      f.function(count, all, &y)
      #expect(
        zip(y, whole).prefix(count).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) } && y[count] == 7, "\(count)")
      var inPlace = all
      inPlace.withUnsafeMutableBufferPointer { f.function(count, $0.baseAddress!, $0.baseAddress!) }
      #expect(zip(inPlace, whole).prefix(count).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, "\(count) in place")
      #expect(Array(inPlace[count...]) == Array(all[count...]))
    }
  }

  @Test func powersAreThoseOfTheCLibrary() {
    let special: [Scalar] = [
      0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, 3e38,
      8_388_607, 16_777_216, -16_777_215, 8_388_607.5,
    ]
    var pairs = special.flatMap { a in special.map { (a, $0) } }
    for i in 0..<20_000 {
      pairs.append((Scalar(exp2(Double(i % 250) - 125.3) * (1 + Double(i) / 20_000)), Scalar(i % 37 - 18) / 5))
      pairs.append((Scalar(i % 200) / 100 - 0.7, Scalar(i % 300) - 150))
    }
    let (a, b) = (pairs.map(\.0), pairs.map(\.1))
    var y = a
    BinaryFunction.power(a.count, a, b, &y)
    for i in a.indices {
      let right = pow(Double(a[i]), Double(b[i]))
      #expect(
        distance(Float(y[i]), right) <= 0.51 || abs(Double(y[i]) - right) < 1e-38,
        "\(a[i]) ^ \(b[i]) is \(y[i]), not \(right)")
      if right == 0 { #expect(y[i].sign == right.sign, "\(a[i]) ^ \(b[i])") }
    }
  }

  /// The slopes, from differences of the functions in double precision.
  @Test func pullbacksAreDerivatives() {
    let slopes: [(UnaryPullback, @Sendable (Double) -> Double)] = [
      (.expm1, { exp($0) }), (.log1p, { 1 / (1 + $0) }), (.square, { 2 * $0 }), (.abs, { $0 < 0 ? -1 : 1 }),
      (.erf, { 2 / Double.pi.squareRoot() * exp(-$0 * $0) }), (.softplus, { 1 / (1 + exp(-$0)) }),
      (.tanhByOutput, { 1 - $0 * $0 }), (.sigmoidByOutput, { $0 * (1 - $0) }),
      (.gelu, { erfc(-$0 * 0.5.squareRoot()) / 2 + $0 * exp(-$0 * $0 / 2) * 0.398_942_280_401_432_7 }),
      (
        .silu,
        {
          let s = 1 / (1 + exp(-$0))
          return s + $0 * s * (1 - s)
        }
      ),
      (.normalDistribution, { exp(-$0 * $0 / 2) * 0.398_942_280_401_432_7 }),
      (
        .geluByTanh,
        {
          let (c, k) = ((2 / Double.pi).squareRoot(), 0.044715)
          let t = tanh(c * ($0 + k * $0 * $0 * $0))
          return (1 + t) / 2 + $0 * (1 - t * t) / 2 * c * (1 + 3 * k * $0 * $0)
        }
      ),
    ]
    let x = (0..<157).map { Scalar($0) / 16 - 0.9 }
    for (kernel, slope) in slopes {
      var dy = x.map { 3 - $0 }
      let upstream = dy
      dy.withUnsafeMutableBufferPointer { kernel(x.count, x, $0.baseAddress!, $0.baseAddress!) }
      for i in x.indices {
        let right = Double(upstream[i]) * slope(Double(x[i]))
        #expect(
          abs(Double(dy[i]) - right) <= 1e-6 * max(1, abs(right)) * abs(Double(upstream[i])) + 1e-6,
          "\(kernel) at \(x[i])")
      }
    }
  }
}
