import Tensors
import TestSupport
import Testing

@Suite("The tape") struct GradientTapeTests {
  @Test func aTensorUsedTwiceAccumulatesBothGradients() {
    let x = Tensor([2, -3], shape: [2])
    #expect(gradient(at: x) { ($0 * $0 + $0).sum() }.scalars == [5, -5])
    #expect(gradient(at: x) { ($0 + $0 + $0).sum() }.scalars == [3, 3])
    // Also where the two uses lie far apart, and where the input is the output.
    #expect(gradient(at: x) { x in (exp(x * 0) * x).sum() + x[0] }.scalars == [2, 1])
    #expect(gradient(at: Tensor(3)) { $0 }.item == 1)
  }

  /// A convolution adds to the accumulated gradient of its input, in place where it may.
  @Test(arguments: [4, 16], [1, 2])
  func aConvolutionAddsToTheAccumulatedGradient(channels: Int, stride: Int) {
    let x = normal([2, 8, 8, channels])
    let w = normal([3, 3, channels, channels])
    let g = normal([2, 8 / stride, 8 / stride, channels])
    let u = normal(x.shape)
    let alone = gradient(at: x) { (conv2d($0, w, stride: stride, padding: 1) * g).sum() }
    func along(_ skip: @escaping (Tensor) -> Tensor) -> Tensor {
      gradient(at: x) { x in
        let x = x * 1
        let y = (conv2d(x, w, stride: stride, padding: 1) * g).sum()
        return y + skip(x)
      }
    }
    #expect(along { ($0 * u).sum() }.isApproximatelyEqual(to: alone + u, absoluteTolerance: 1e-4))
    #expect(along { ($0 * u).sum() + $0.sum() }.isApproximatelyEqual(to: alone + u + 1, absoluteTolerance: 1e-4))
    // A shared gradient stays as it is: that of y reaches both sides of the sum.
    let shared = gradient(at: x) { x in
      let a = x * 1
      return ((a + conv2d(a, .zeros([3, 3, channels, channels]), padding: 1)) * u).sum()
    }
    #expect(shared.isApproximatelyEqual(to: u))
    let before = u.scalars
    let (_, pullback) = valueWithPullback(at: [x]) { [$0[0] + conv2d($0[0], w, padding: 1)][0] }
    #expect(pullback(u)[0].scalars == pullback(u)[0].scalars && u.scalars == before)
    // Once more through the gradient.
    let curvature = gradient(at: x) { x in
      square(gradient(at: x) { x in (square(conv2d(x, w, stride: stride, padding: 1)) * 0.5).sum() + square(x).sum() })
        .sum()
    }
    let separate = gradient(at: x) { x in
      let inner = gradient(at: x) { x in (square(conv2d(x, w, stride: stride, padding: 1)) * 0.5).sum() }
      return square(inner + 2 * x).sum()
    }
    #expect(curvature.isApproximatelyEqual(to: separate, relativeTolerance: 1e-3, absoluteTolerance: 1e-2))
  }

  /// A subsample adds its pixels to the accumulated gradient of its input, in place where it may.
  @Test(arguments: [1, 2]) func aSubsampleAddsToTheAccumulatedGradient(stride: Int) {
    let x = normal([2, 5, 4, 3])
    let u = normal(x.shape)
    func picked(_ x: Tensor) -> Tensor { subsampled2d(x, stride: stride, channelMargins: (1, 2)) }
    let g = normal(picked(x).shape)
    let alone = gradient(at: x) { (picked($0) * g).sum() }
    func along(_ rest: @escaping (Tensor) -> Tensor) -> Tensor {
      gradient(at: x) { x in
        let x = x * 1
        return (picked(x) * g).sum() + rest(x)
      }
    }
    #expect(along { ($0 * u).sum() }.isApproximatelyEqual(to: alone + u, absoluteTolerance: 1e-5))
    #expect(along { ($0 * u).sum() + $0.sum() }.isApproximatelyEqual(to: alone + u + 1, absoluteTolerance: 1e-5))
    // A shared gradient stays as it is.
    let before = u.scalars
    let (_, pullback) = valueWithPullback(at: [x]) { subsampled2d($0[0], stride: 1) + $0[0] }
    #expect(
      pullback(u)[0].scalars == (u * 2).scalars && pullback(u)[0].scalars == (u * 2).scalars && u.scalars == before)
    // Once more through the gradient: pixels that are picked count twice.
    let curvature = gradient(at: x) { x in
      square(gradient(at: x) { x in (square(picked(x)) * 0.5).sum() + (square(x) * 0.5).sum() }).sum() * 0.5
    }
    let counts = gradient(at: x) { picked($0).sum() } + 1
    #expect(curvature.isApproximatelyEqual(to: square(counts) * x, absoluteTolerance: 1e-5))
  }

  @Test func whatHasNoPartInTheValueHasGradientZero() {
    let (a, b) = (normal([2, 2]), normal([3]))
    let gradients = gradient(at: [a, b]) { $0[0].sum() }
    #expect(gradients[0].scalars == [1, 1, 1, 1])
    #expect(gradients[1].scalars == [0, 0, 0])
  }

  @Test func detachedTensorsAreConstants() {
    let x = Tensor([2, 3], shape: [2])
    #expect(gradient(at: x) { ($0 * $0.detached).sum() }.scalars == [2, 3])
    #expect(gradient(at: x) { $0.detached.sum() }.scalars == [0, 0])
    // Changed in place, a tensor is a constant too.
    let changed = gradient(at: x) { x in
      var y = x * 2
      y.withUnsafeMutableScalars { $0[0] = 7 }
      return (y * x).sum()
    }
    #expect(changed.scalars == [7, 6])
  }

  @Test func additionInPlaceNeverReachesIntoTheTape() {
    let x = Tensor([1, 2], shape: [2])
    let (value, gradients) = valueWithGradient(at: x) { x in
      var sum = x * 1
      let before = sum
      sum += x
      sum += Tensor([10, 10], shape: [2])
      return (sum * before).sum()
    }
    // (2 x + 10) x, at 1 and 2
    #expect(value.item == 40)
    #expect(gradients.scalars == [14, 18])
  }

  @Test func aPullbackCanBeCalledAgain() {
    let (value, pullback) = valueWithPullback(at: [Tensor([1, 2, 3], shape: [3])]) { square($0[0]) }
    #expect(value.scalars == [1, 4, 9])
    #expect(pullback(Tensor([1, 0, 0], shape: [3]))[0].scalars == [2, 0, 0])
    #expect(pullback(Tensor([0, 1, 1], shape: [3]))[0].scalars == [0, 4, 6])
  }

  @Test func gradientsOfGradientsAreTheKnownOnes() {
    let x = Tensor([0.5, -1.25, 2], shape: [3])
    func derivative(_ f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
      { x in gradient(at: x) { f($0).sum() } }
    }
    let tolerance: Scalar = isDouble ? 1e-12 : 1e-5
    let cube = derivative(derivative { pow($0, 3) })
    expectClose(cube(x), 6 * x, tolerance)
    expectClose(derivative(cube)(x), Tensor([6, 6, 6], shape: [3]), tolerance)
    expectClose(derivative(derivative(derivative(derivative { sin($0) })))(x), sin(x), tolerance)
    expectClose(derivative(derivative { exp(2 * $0) })(x), 4 * exp(2 * x), tolerance)
    let t = tanh(x)
    expectClose(derivative(derivative { tanh($0) })(x), -2 * t * (1 - t * t), tolerance)
    let s = sigmoid(x)
    expectClose(derivative(derivative { softplus($0) })(x), s * (1 - s), tolerance)
    // The Hessian of xᵀ A x / 2, row by row, is the symmetric part of A.
    let a = normal([3, 3])
    for row in 0..<3 {
      let hessianRow = gradient(at: x) { x in
        gradient(at: x) { x in
          let column = x.reshaped(to: [3, 1])
          return matmul(matmul(column, a, transposeA: true), column).sum() / 2
        }[row]
      }
      expectClose(hessianRow, (a[row] + a.transposed()[row]) / 2, tolerance)
    }
  }

  @Test func anInnerGradientLetsOuterVariablesThrough() {
    // d/dy (d/dx x y² at x = 3) = 2 y
    let outer = gradient(at: Tensor(5)) { y in gradient(at: Tensor(3)) { x in x * y * y } }
    #expect(outer.item == 10)
  }

  @Test func customGradientsReplaceTheDerivative() {
    let x = Tensor([1, 2], shape: [2])
    let clipped: @Sendable (Tensor) -> Tensor = { x in
      customGradient([x]) {
        $0[0] * 100
      } pullback: {
        [$0.clamped(to: -1...1)]
      }
    }
    let (value, gradient) = valueWithGradient(at: x) { (clipped($0) * Tensor([0.5, 8], shape: [2])).sum() }
    #expect(value.item == 50 + 1600)
    #expect(gradient.scalars == [0.5, 1])
    // Nothing inside is recorded, and an input may have no gradient.
    let tape = recordedTape(at: [x, x]) {
      customGradient($0, named: "mine") {
        exp($0[0]) * $0[1]
      } pullback: {
        [nil, $0]
      }
    }
    #expect(tape.operations.map(\.name) == ["mine"])
  }

  @Test func rematerializationChangesMemoryAlone() {
    let (x, w) = (normal([4, 8]), normal([8, 8], seed: 2))
    func block(_ x: Tensor, _ w: Tensor) -> Tensor { tanh(matmul(tanh(matmul(x, w)), w)) }
    let plain = { (xs: [Tensor]) in square(block(block(xs[0], xs[1]), xs[1])).sum() }
    let lean = { (xs: [Tensor]) in
      let w = xs[1]
      return square(rematerialized(rematerialized(xs[0]) { block($0, w) }) { block($0, w) }).sum()
    }
    let (expected, found) = (valueWithGradient(at: [x, w], of: plain), valueWithGradient(at: [x, w], of: lean))
    #expect(found.value.item == expected.value.item)
    for (a, b) in zip(found.gradients, expected.gradients) { expectClose(a, b, isDouble ? 1e-12 : 1e-5) }
    #expect(recordedTape(at: [x, w], of: lean).bytesHeld < recordedTape(at: [x, w], of: plain).bytesHeld)
    // The captured weight is followed by the outer tape of a gradient of a gradient as well.
    #expect(throws: Never.self) {
      try checkGradient(
        of: { all in gradient(at: all[0]) { lean([$0, all[1]]) } }, at: [x, w], tolerance: isDouble ? 1e-6 : 5e-2)
    }
  }

  @Test func gradientsPassThroughConcurrentTasksUnmixed() async {
    await withTaskGroup(of: Bool.self) { group in
      for i in 1...8 {
        group.addTask {
          let x = Tensor(Scalar(i))
          return (0..<50).allSatisfy { _ in gradient(at: x) { $0 * $0 * $0 }.item == Scalar(3 * i * i) }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func aMillionChainedOperationsOverflowNothing() {
    // 1 - (1 - y) is y, exactly.
    let unit = Tensor(1)
    let (value, gradient) = valueWithGradient(at: Tensor(3)) { x in
      var y = x
      for _ in 0..<250_000 {
        y = unit + -y
        y = unit + -y
      }
      return y * y
    }
    #expect(value.item == 9)
    #expect(gradient.item == 6)
  }

  @Test func errorsPassThroughTheScope() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { try gradient(at: Tensor(1)) { _ throws(Stop) in throw Stop() } }
    #expect(gradient(at: Tensor(4)) { $0 * 2 }.item == 2)
  }
}
