import Testing

@testable import Tensors

/// Rows of a large tensor share its memory, and nobody sees that.
@Suite struct SharedPartTests {
  private func counted(_ shape: Shape) -> Tensor {
    Tensor(shape: shape) { out in for index in out.indices { out[index] = Scalar(index % 8191) - 4000 } }
  }

  @Test func wholeRowsShareTheirMemory() {
    let x = counted([8, 100, 64])
    let rows: [(part: Tensor, first: Int)] = [
      (x[2..<5], 2 * 6400), (x[3], 3 * 6400), (x.sliced([1..<2, 20..<90, 0..<64]), 6400 + 20 * 64),
      (x.split([3, 5])[1], 3 * 6400), (x[2..<6][1], 3 * 6400),
    ]
    for (part, first) in rows {
      #expect(part.pointer == x.pointer + first, "\(part.shape)")
      #expect(part.scalars == Array(x.scalars[first..<first + part.count]), "\(part.shape)")
    }
    // A part of each row, and what is copied as quickly.
    #expect(x.sliced(0..<50, axis: 1).scalars[3200] == x.scalars[6400])
    #expect(x[0][0].pointer != x.pointer)
  }

  @Test func aPartKeepsTheMemoryOfTheWhole() {
    func part() -> Tensor { counted([10, 8192])[4] }
    let kept = part()
    let others = (0..<10).map { Tensor(repeating: Scalar($0), shape: [10, 8192]) }
    #expect(others.count == 10 && kept.scalars == counted([10, 8192])[4].scalars)
  }

  @Test func aChangeOfOneIsNoChangeOfTheOther() {
    var x = counted([4, 8192])
    let before = x.scalars
    var part = x[1]
    part += Tensor(1)
    part.withUnsafeMutableScalars { $0[0] = 7 }
    #expect(x.scalars == before)
    var second = x[2]
    second += counted([8192])
    #expect(x.scalars == before)
    let third = x[3]
    x.withUnsafeMutableScalars { out in for index in out.indices { out[index] = 0 } }
    #expect(third.scalars == Array(before[3 * 8192..<4 * 8192]))
    // Also where the part is the only one left.
    var last = counted([4, 8192])[1]
    let copy = last
    last.withUnsafeMutableScalars { $0[5] = 1 }
    #expect(copy.scalars == Array(before[8192..<2 * 8192]))
  }

  /// ReLU's gradient takes the place of the upstream one, unless that is a part of another.
  @Test func gradientsInPlaceLeavePartsAlone() {
    let (a, b) = (counted([4, 8192]), counted([4, 8192]) + 1)
    let upstream = counted([8, 8192]) * 0.5
    let before = upstream.scalars
    let (_, pullback) = valueWithPullback(at: [a, b]) { .concatenated([relu($0[0]), relu($0[1])]) }
    for _ in 0..<2 {
      let gradients = pullback(upstream)
      #expect(upstream.scalars == before)
      for (part, (x, gradient)) in zip([a, b], gradients).enumerated() {
        let wanted = zip(x.scalars, before[part * x.count..<(part + 1) * x.count]).map { $0 > 0 ? $1 : 0 }
        #expect(gradient.scalars == wanted)
      }
    }
  }

  @Test func aLazyTensorHasParts() {
    let x = counted([64, 8, 8, 24])
    let lazy = x.split([8, 16], axis: 3)[1]
    let part = lazy[10..<40]
    #expect(part.scalars == x.sliced([10..<40, 0..<8, 0..<8, 8..<24]).scalars)
  }

  @Test func memoryThatPartsShareIsCountedOnce() {
    let x = counted([4, 8192]) * 0.001
    let tape = recordedTape(at: [x]) { inputs in
      let y = exp(inputs[0])
      return square(y[0]) + square(y[1])
    }
    #expect(tape.bytesHeld == x.count * MemoryLayout<Scalar>.stride)
  }

  @Test(arguments: [[3, 5], [16, 48], [1, 2, 1], [20, 0, 12], [17, 15]])
  func partsOfAConcatenationGetTheirGradients(widths: [Int]) {
    for rows in [[3, 7], [40, 901]] {
      let parts = widths.map { counted(Shape(rows + [$0])) }
      let upstream = counted(Shape(rows + [widths.reduce(0, +)]))
      let (_, pullback) = valueWithPullback(at: parts) { .concatenated($0, axis: 2) }
      for (gradient, wanted) in zip(pullback(upstream), upstream.split(widths, axis: 2)) {
        #expect(gradient.shape == wanted.shape && gradient.scalars == wanted.scalars)
      }
    }
  }

  /// What is larger than the caches is written past them.
  @Test func largeResultsEqualThoseOfTheirParts() {
    let (x, z) = (counted([1700, 1003]) * 0.001, counted([1700, 1003]) * 0.0007 + 3)
    let row = z[7]
    let operations: [(String, @Sendable ([Tensor]) -> Tensor)] = [
      ("add", { $0[0] + $0[1] }), ("row", { $0[0] * row }), ("number", { 2 - $0[0] }), ("exp", { exp($0[0]) }),
      ("gelu", { gelu($0[0]) }), ("relu", { relu($0[0]) }), ("sin", { sin($0[0]) }), ("abs", { abs($0[0]) }),
      ("maximum", { maximum($0[0], $0[1]) }), ("square", { square($0[1]) }),
    ]
    for (name, operation) in operations {
      let (y, pullback) = valueWithPullback(at: [x, z], of: operation)
      let gradients = pullback(x)
      for first in stride(from: 0, to: 1700, by: 100) {
        let rows = first..<first + 100
        let (part, partPullback) = valueWithPullback(at: [x[rows], z[rows]], of: operation)
        #expect(part.scalars == y[rows].scalars, "\(name), rows \(rows)")
        for (whole, gradient) in zip(gradients, partPullback(x[rows])) {
          #expect(gradient.scalars == whole[rows].scalars, "the gradient of \(name), rows \(rows)")
        }
      }
    }
  }
}
