import Foundation
import Testing

@testable import Tensors

/// Reductions against plain loops, at sizes around those of lanes, strips and blocks.
@Suite struct ReductionReferenceTests {
  private static let lengths = [1, 2, 31, 32, 33, 65, 513]

  /// `[outer, n, inner]` with equals, both zeros and, where wanted, a NaN in every third slice.
  private func numbers(_ outer: Int, _ n: Int, _ inner: Int, nan: Bool) -> Tensor {
    Tensor(shape: [outer, n, inner]) { out in
      for index in out.indices { out[index] = Scalar((index * 7919) % 23 - 11) * (index % 2 == 0 ? 1 : -0.5) }
      guard nan else { return }
      for slice in stride(from: 0, to: outer * inner, by: 3) {
        out[slice / inner * n * inner + (n / 2) * inner + slice % inner] = .nan
      }
    }
  }

  private func column(_ x: Tensor, _ o: Int, _ i: Int) -> [Scalar] {
    (0..<x.shape[1]).map { x.scalars[(o * x.shape[1] + $0) * x.shape[2] + i] }
  }

  @Test(arguments: lengths, [1, 3, 64, 67]) func extremesAndTheirPlacesAreThoseOfALoop(n: Int, inner: Int) {
    for nan in [false, true] {
      let x = numbers(3, n, inner, nan: nan)
      let (largest, smallest) = (x.max(alongAxes: [1]), x.min(alongAxes: [1]))
      let (first, last) = (x.argmax(axis: 1), x.argmin(axis: 1))
      for slice in 0..<3 * inner {
        let values = column(x, slice / inner, slice % inner)
        if let place = values.firstIndex(where: \.isNaN) {
          #expect(largest.scalars[slice].isNaN && smallest.scalars[slice].isNaN)
          #expect(first[slice] == place && last[slice] == place, "n \(n), inner \(inner), slice \(slice)")
        } else {
          #expect(largest.scalars[slice] == values.max() && smallest.scalars[slice] == values.min())
          #expect(first[slice] == values.firstIndex(of: values.max()!), "n \(n), inner \(inner), slice \(slice)")
          #expect(last[slice] == values.firstIndex(of: values.min()!), "n \(n), inner \(inner), slice \(slice)")
        }
      }
    }
  }

  @Test(arguments: lengths, [1, 3, 67]) func sumsOfSquaresProductsAndLogarithmsAreThoseOfALoop(n: Int, inner: Int) {
    let x = numbers(5, n, inner, nan: false) * 0.25
    let (norms, logarithms) = (x.norm(alongAxes: [1]), x.logSumExp(alongAxes: [1]))
    let products = (x * 0.1 + 1).product(alongAxes: [1])
    let sums = x.cumulativeSum(axis: 1)
    for slice in 0..<5 * inner {
      let values = column(x, slice / inner, slice % inner).map { Double($0) }
      func expect(_ y: Tensor, _ right: Double, _ name: String) {
        let distance = abs(Double(y.scalars[slice]) - right)
        #expect(distance <= 2e-6 * max(1, abs(right)), "\(name), n \(n), inner \(inner), slice \(slice)")
      }
      expect(norms, values.reduce(0) { $0 + $1 * $1 }.squareRoot(), "norm")
      expect(logarithms, Foundation.log(values.reduce(0) { $0 + Foundation.exp($1) }), "logSumExp")
      expect(products, values.reduce(1) { $0 * ($1 * 0.1 + 1) }, "product")
      let last = column(sums, slice / inner, slice % inner)[n - 1]
      #expect(abs(Double(last) - values.reduce(0, +)) <= 1e-4, "cumulative sum, n \(n), inner \(inner)")
    }
  }

  @Test func theExtremeOfAllOfManyIsFoundInParts() {
    let x = Tensor(shape: [1 << 20]) { out in
      for index in out.indices { out[index] = Scalar((index * 7919) % 1_048_573) }
    }
    #expect(x.max().item == x.scalars.max() && x.min().item == 0)
    #expect(x.reshaped(to: [1, 1 << 20]).argmax() == [x.scalars.firstIndex(of: x.scalars.max()!)!])
    #expect(Tensor.where(x .== 77, Tensor(.nan), x).max().item.isNaN)
  }

  @Test(arguments: [1, 5, 32, 33, 200]) func theFirstOfAnOrderAreThoseOfTheWholeOrder(k: Int) {
    var x = numbers(4, 200, 1, nan: true).reshaped(to: [4, 200])
    x.withUnsafeMutableScalars {
      $0[3] = -.infinity
      $0[7] = .infinity
    }
    let (values, indices) = x.topK(k)
    let whole = x.sort(descending: true)
    #expect(indices == whole.indices.map { Array($0.prefix(k)) })
    #expect(values.isApproximatelyEqual(to: whole.values.sliced(0..<k, axis: 1)) || values.isNaN.any())
    for row in 0..<4 {
      let scalars = Array(x.scalars[row * 200..<(row + 1) * 200])
      let right = scalars.indices.sorted {
        let (a, b) = (scalars[$0], scalars[$1])
        if a.isNaN || b.isNaN { return a.isNaN && (!b.isNaN || $0 < $1) }
        return a > b || (a == b && $0 < $1)
      }
      #expect(whole.indices[row] == right, "row \(row)")
    }
  }

  @Test(arguments: [
    [[2, 3, 4], [2, 1, 4]], [[3, 1, 5], [1, 4, 5]], [[2, 1, 3], [1, 4, 1]], [[2, 3, 1], [1, 1, 4]],
    [[4, 1, 3, 1], [1, 2, 1, 5]],
  ])
  func broadcastingInTheMiddleIsThatOfCopies(shapes: [[Int]]) {
    var generator = SplittableGenerator(seed: 3)
    let (a, b) = (
      Tensor.normal(Shape(shapes[0]), using: &generator), Tensor.normal(Shape(shapes[1]), using: &generator)
    )
    let shape = a.shape.broadcast(with: b.shape)!
    #expect((a - b).scalars == (a.broadcast(to: shape) - b.broadcast(to: shape)).scalars)
    #expect((b - a).scalars == (b.broadcast(to: shape) - a.broadcast(to: shape)).scalars)
  }

  @Test func sinesOfLargeAndSpecialArgumentsAreTheLibrarys() {
    let values: [Scalar] = [0, -0.0, 1, 1e4, -3.3e7, 3.4e7, 1e20, -1e30, .infinity, .nan, 0.5]
    let x = Tensor(values)
    for (index, value) in values.enumerated() {
      func expect(_ y: Tensor, _ right: Double, _ name: String) {
        let found = Double(y.scalars[index])
        #expect(
          found.isNaN && right.isNaN || abs(found - right) <= 1e-6 * max(1, abs(right)),
          "\(name)(\(value)) is \(found), wanted \(right)")
      }
      let exact = Double(value)
      expect(sin(x), Foundation.sin(exact), "sin")
      expect(cos(x), Foundation.cos(exact), "cos")
      expect(tan(x), Foundation.sin(exact) / Foundation.cos(exact), "tan")
    }
    #expect(sin(x).scalars[1].sign == .minus && tan(x).scalars[1].sign == .minus)
  }
}
