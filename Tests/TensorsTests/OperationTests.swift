import Testing

@testable import Tensors

private func iota(_ dimensions: Int...) -> Tensor { iota(count: dimensions) }
private func iota(count dimensions: [Int]) -> Tensor {
  let shape = Shape(dimensions)
  return Tensor((0..<shape.count).map { Scalar($0) }, shape: shape)
}

@Suite("Operations on tensors") struct OperationTests {
  @Test func broadcastingPairsEveryElementWithItsPartner() {
    for (a, b) in [
      ([2, 3], [3]), ([2, 3], [2, 1]), ([2, 1], [1, 3]), ([2, 3, 4], [3, 1]), ([2, 1, 4], [1, 3, 1]), ([], [2, 2]),
      ([4, 1, 2, 1], [3, 1, 5]), ([1, 2], [2]),
    ] as [([Int], [Int])] {
      let (x, y) = (iota(count: a), iota(count: b))
      let sum = x - y * 100
      let shape = sum.shape
      let (full, other) = (x.broadcast(to: shape).scalars, y.broadcast(to: shape).scalars)
      #expect(sum.scalars == zip(full, other).map { $0 - $1 * 100 }, "\(a) and \(b)")
      let gradients = gradient(at: [x, y]) { ($0[0] * $0[1]).sum() }
      #expect(gradients[0].shape == x.shape && gradients[1].shape == y.shape)
      #expect(gradients[0].scalars == y.broadcast(to: shape).summed(to: x.shape).scalars)
    }
  }

  @Test func literalsMixWithTensors() {
    let x = Tensor([1, 2], shape: [2])
    #expect((x * 2 + 1 - 0.5).scalars == [2.5, 4.5])
    #expect((1 / x).scalars == [1, 0.5])
    #expect((x .> 1).scalars == [0, 1])
  }

  @Test func reductionsRunOverAnyAxes() {
    let x = iota(2, 3, 4)
    #expect(x.sum().item == 276)
    #expect(x.sum(alongAxes: [1]).scalars == [12, 15, 18, 21, 48, 51, 54, 57])
    #expect(x.sum(alongAxes: [0, 2]).scalars == [60, 92, 124])
    #expect(x.sum(alongAxes: [0, -1], keepingDimensions: true).shape == [1, 3, 1])
    #expect(x.max(alongAxes: [0, 2]).scalars == [15, 19, 23])
    #expect(x.mean(alongAxes: [0, 1, 2]).item == 11.5)
    #expect(x.argmax(axis: 1) == [2, 2, 2, 2, 2, 2, 2, 2])
    #expect(x.cumulativeSum(axis: 1).scalars.suffix(4) == [48, 51, 54, 57])
    #expect(x.variance().item == 575.0 / 12)
  }

  @Test func longSumsKeepTheirPrecision() {
    let x = Tensor(repeating: 0.1, shape: [1 << 22])
    #expect(Swift.abs(x.sum().item / Scalar(1 << 22) - 0.1) < 1e-7)
    let columns = Tensor(repeating: 0.1, shape: [1 << 18, 16]).sum(alongAxes: [0]).scalars
    #expect(columns.allSatisfy { Swift.abs($0 / Scalar(1 << 18) - 0.1) < 1e-6 })
  }

  @Test func movementGoesThereAndBack() {
    let x = iota(2, 3, 4)
    #expect(x.permuted([2, 0, 1]).permuted([1, 2, 0]).scalars == x.scalars)
    #expect(x.permuted([2, 0, 1]).scalars.prefix(6) == [0, 4, 8, 12, 16, 20])
    #expect(x.sliced([1..<2, 0..<2, 1..<3]).scalars == [13, 14, 17, 18])
    #expect(x.flipped(alongAxes: [2]).scalars.prefix(4) == [3, 2, 1, 0])
    #expect(x[1][0].scalars == [12, 13, 14, 15])
    #expect(Tensor.stacked([x[0], x[1]]).scalars == x.scalars)
    #expect(Tensor.concatenated(x.split([1, 2], axis: 1), axis: 1).scalars == x.scalars)
    #expect(x.padded([(0, 0), (1, 0), (0, 1)]).sum().item == x.sum().item)
    #expect(x.gather([2, 0], axis: 1).scalars.prefix(4) == [8, 9, 10, 11])
  }

  /// What is larger than the caches is written past them, in lines.
  @Test(arguments: [64, 48, 20]) func largeCopiesHaveEveryElement(width: Int) {
    let (rows, columns) = (140, 200)
    let x = Tensor(shape: [rows, columns, width]) { out in
      for index in out.indices { out[index] = Scalar(index % 8191) }
    }
    func isRight(_ y: Tensor, _ source: (_ row: Int, _ column: Int, _ channel: Int) -> Int) -> Bool {
      let (y, columns, width) = (y.scalars, y.shape[1], y.shape[2])
      return y.indices.allSatisfy {
        y[$0] == Scalar(source($0 / (columns * width), $0 / width % columns, $0 % width) % 8191)
      }
    }
    func place(_ row: Int, _ column: Int, _ channel: Int) -> Int { (row * columns + column) * width + channel }
    #expect(isRight(x.flipped(alongAxes: [1])) { place($0, columns - 1 - $1, $2) })
    #expect(isRight(x.split([16, width - 16], axis: 2)[1]) { place($0, $1, $2 + 16) })
    #expect(isRight(.concatenated([x, x], axis: 2)) { place($0, $1, $2 % width) })
    #expect(isRight(.concatenated([x, x])) { place($0 % rows, $1, $2) })
    let order = [3, 3, 1, 0, 7]
    #expect(isRight(x.gather(order, axis: 1)) { place($0, order[$1], $2) })
    #expect(isRight(x.gather(order, axis: 2)) { place($0, $1, order[$2]) })
  }

  @Test func theProductHasAGradientAtZeros() {
    let x = Tensor([2, 0, 3, 0, 0, 5], shape: [2, 3])
    #expect(x.product(alongAxes: [1]).scalars == [0, 0])
    #expect(gradient(at: x) { $0.product(alongAxes: [1]).sum() }.scalars == [0, 6, 0, 0, 0, 0])
  }

  /// Rows and elements do not depend on one another, and sums over rows are cut by the shape alone.
  @Test func resultsDoNotDependOnTheNumberOfThreads() {
    let (x, gamma) = (normal([700, 129]), normal([129], seed: 2))
    let operations: [@Sendable ([Tensor]) -> Tensor] = [
      { softmax($0[0]) }, { logSoftmax($0[0], axis: 0) }, { gelu($0[0]) }, { silu($0[0]) }, { pow(exp($0[0]), 1.3) },
      { layerNorm($0[0], gamma: $0[1], beta: $0[1]) }, { $0[0].transposed() },
      { crossEntropyOfRows($0[0], labels: (0..<700).map { $0 % 130 - 1 }, smoothing: 0.1, weights: nil) },
    ]
    for (index, operation) in operations.enumerated() {
      func all(_ threads: Int) -> [[Scalar]] {
        Parallel.withThreads(threads) {
          let (y, pullback) = valueWithPullback(at: [x, gamma], of: operation)
          return ([y] + pullback(y)).map(\.scalars)
        }
      }
      #expect(all(1) == all(3) && all(1) == all(2), "operation \(index)")
    }
  }

  /// The gradient is computed in the storage of the output's gradient; whoever holds that must not see it.
  @Test func gradientsInPlaceLeaveWhatOthersHold() {
    let x = normal([40, 30])
    let operations: [@Sendable ([Tensor]) -> Tensor] = [
      { tanh($0[0]) }, { gelu($0[0]) }, { softmax($0[0]) }, { logSoftmax($0[0]) }, { square($0[0]) },
      { layerNorm($0[0], gamma: .ones([30])) },
    ]
    for operation in operations {
      let (_, pullback) = valueWithPullback(at: [x], of: operation)
      let upstream = normal(x.shape, seed: 3)
      let before = upstream.scalars
      let first = pullback(upstream)[0]
      #expect(upstream.scalars == before && pullback(upstream)[0].scalars == first.scalars)
    }
  }

  @Test func activationsHaveTheirLimits() {
    let far = Tensor([-.infinity, .infinity])
    #expect(gelu(far).scalars == [0, .infinity] && silu(far).scalars == [0, .infinity])
    #expect(gelu(far, .tanh).scalars == [0, .infinity])
    for f in [{ gelu($0) }, { gelu($0, .tanh) }, { silu($0) }] as [@Sendable (Tensor) -> Tensor] {
      #expect(gradient(at: far) { f($0).sum() }.scalars == [0, 1])
    }
  }
}
