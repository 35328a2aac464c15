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

  /// Runs of every length that has code of its own, forwards, backwards and repeated, with nothing written or read around them.
  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 33, 64, 4_097])
  func runsAreCopiedAndNothingElse(n: Int) {
    for rows in [1, 2, 3, 19] {
      let x = (0..<rows * (n + 2)).map { Scalar($0) }
      for step in [n, n + 2, -n, -n - 2, 0] {
        let first = step < 0 ? -step * (rows - 1) : 0
        var y = [Scalar](repeating: -1, count: rows * n + 1)
        x.withUnsafeBufferPointer {
          Movement.readStrided([rows, n], strides: [step, 1], from: $0.baseAddress! + first, to: &y)
        }
        let wanted: [Scalar] = (0..<rows).flatMap { row in (0..<n).map { Scalar(first + row * step + $0) } }
        #expect(y == wanted + [-1], "\(rows) rows of \(n), \(step) apart")
      }
    }
  }

  @Test(arguments: [[5, 3], [1, 1], [4, 2], [16, 1], [17, 3], [2, 3, 1], [9, 5, 16], [64, 48], [0, 3], [7]])
  func rowsOfPartsAreJoined(widths: [Int]) {
    for rows in [1, 2, 16, 17, 18, 40] {
      let parts = widths.enumerated().map { part, width in (0..<rows * width).map { Scalar($0 + part * 10_000) } }
      let memory = parts.map { part in
        let start = UnsafeMutablePointer<Scalar>.allocate(capacity: max(part.count, 1))
        start.initialize(from: part, count: part.count)
        return start
      }
      defer { for start in memory { start.deallocate() } }
      var y = [Scalar](repeating: -1, count: rows * widths.reduce(0, +) + 1)
      Movement.joinRows(rows, of: zip(memory, widths).map { (UnsafePointer($0), $1) }, streams: false, to: &y)
      let wanted: [Scalar] = (0..<rows).flatMap { row in
        zip(parts, widths).flatMap { part, width in Array(part[row * width..<(row + 1) * width]) }
      }
      #expect(y == wanted + [-1], "\(rows) rows of \(widths)")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 9, 16, 17, 40]) func rowsAreGathered(width: Int) {
    let indices = [3, 0, 6, 6, 1, 5, 2, 6]
    let x = (0..<7 * width).map { Scalar($0) }
    for count in 1...indices.count {
      var y = [Scalar](repeating: -1, count: count * width + 1)
      indices[..<count].withUnsafeBufferPointer { Movement.gatherRows($0, of: 7, width: width, from: x, to: &y) }
      let wanted: [Scalar] = indices[..<count].flatMap { Array(x[$0 * width..<($0 + 1) * width]) }
      #expect(y == wanted + [-1], "\(count) rows of \(width)")
    }
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
