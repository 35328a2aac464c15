import Testing

@testable import Kernels

@Suite("Movement") struct MovementTests {
  /// Extents around those of tiles, each axis of the result one of another place.
  @Test(arguments: [
    [5, 3], [16, 16], [17, 33], [40, 31], [1, 20], [3, 17, 18], [18, 1, 35], [2, 19, 3, 16], [16, 2, 17, 5],
  ]) func everyOrderOfAxesIsReadByItsStrides(extents: [Int]) {
    let count = extents.reduce(1, *)
    let x = (0..<count).map { Scalar($0) }
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * extents[axis + 1] }
    for order in orders(Array(extents.indices)) {
      let (dimensions, steps) = (order.map { extents[$0] }, order.map { strides[$0] })
      var y = [Scalar](repeating: -1, count: count + 1)
      Movement.readStrided(dimensions, strides: steps, from: x, to: &y)
      var wanted: [Scalar] = []
      append(dimensions[...], steps[...], 0, to: &wanted)
      #expect(y.dropLast() == wanted[...] && y.last == -1, "\(extents) in the order \(order)")
    }
  }

  @Test func aStepOfZeroRepeats() {
    var y = [Scalar](repeating: 0, count: 6)
    Movement.readStrided([2, 3], strides: [1, 0], from: [7, 8], to: &y)
    #expect(y == [7, 7, 7, 8, 8, 8])
  }

  @Test func dropoutIsThatOfUniformNumbers() {
    let x = (0..<1_003).map { Scalar($0) - 500 }
    for keep: Scalar in [0.25, 0.7, 1] {
      var (numbers, y) = (x, x)
      RandomSequence.uniform(seed: 42, first: 6, count: x.count, into: &numbers)
      RandomSequence.dropout(seed: 42, first: 6, count: x.count, keep: keep, x, into: &y)
      for i in x.indices { #expect(y[i] == x[i] * (numbers[i] < keep ? 1 / keep : 0)) }
    }
  }

  private func orders(_ axes: [Int]) -> [[Int]] {
    axes.isEmpty ? [[]] : axes.flatMap { first in orders(axes.filter { $0 != first }).map { [first] + $0 } }
  }

  private func append(_ dimensions: ArraySlice<Int>, _ strides: ArraySlice<Int>, _ offset: Int, to y: inout [Scalar]) {
    guard let extent = dimensions.first else { return y.append(Scalar(offset)) }
    for i in 0..<extent { append(dimensions.dropFirst(), strides.dropFirst(), offset + i * strides.first!, to: &y) }
  }
}
