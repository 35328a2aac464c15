import Tensors
import Testing

@Suite("Batch norm with what follows it") struct FusedBatchNormTests {
  @Test(arguments: [false, true], [false, true])
  func oneSweepGivesWhatSeparateOnesDo(hasResidual: Bool, hasReLU: Bool) {
    check(hasResidual, hasReLU, isFixed: false)
  }

  /// By fixed statistics, as a frozen network has them.
  @Test(arguments: [false, true], [false, true])
  func oneSweepByFixedStatisticsGivesWhatSeparateOnesDo(hasResidual: Bool, hasReLU: Bool) {
    check(hasResidual, hasReLU, isFixed: true)
  }

  /// - Parameter isFixed: Whether the mean and the variance are constants.
  private func check(_ hasResidual: Bool, _ hasReLU: Bool, isFixed: Bool) {
    var generator = SplittableGenerator(seed: 5)
    let x = Tensor.normal([3, 4, 5, 7], using: &generator)
    let gamma = Tensor.normal([7], mean: 1, using: &generator)
    let beta = Tensor.normal([7], using: &generator)
    let residual = Tensor.normal(x.shape, using: &generator)
    let upstream = Tensor.normal(x.shape, using: &generator)
    let (mean, variance) = (Tensor.normal([7], using: &generator), Tensor.uniform([7], in: 0.5..<2, using: &generator))
    func separate(_ t: [Tensor]) -> Tensor {
      let y =
        isFixed ? (t[0] - mean) * rsqrt(variance + 1e-5) * t[1] + t[2] : batchNorm2d(t[0], gamma: t[1], beta: t[2]).y
      let sum = hasResidual ? y + t[3] : y
      return hasReLU ? relu(sum) : sum
    }
    func fused(_ t: [Tensor]) -> Tensor {
      let residual = hasResidual ? t[3] : nil
      return isFixed
        ? batchNorm2d(
          t[0], gamma: t[1], beta: t[2], mean: mean, variance: variance, adding: residual, relu: hasReLU)
        : batchNorm2d(t[0], gamma: t[1], beta: t[2], adding: residual, relu: hasReLU).y
    }
    let inputs = [x, gamma, beta, residual]
    let (expected, expectedGradients) = valueWithGradient(at: inputs) { (separate($0) * upstream).sum() }
    let (found, gradients) = valueWithGradient(at: inputs) { (fused($0) * upstream).sum() }
    #expect(found.isApproximatelyEqual(to: expected))
    for (index, (a, b)) in zip(gradients, expectedGradients).enumerated() {
      #expect(a.isApproximatelyEqual(to: b, absoluteTolerance: 1e-5), "gradient of input \(index)")
    }
    // Of x alone, with everything else frozen.
    let alone = gradient(at: x) { (fused([$0, gamma, beta, residual]) * upstream).sum() }
    #expect(alone.isApproximatelyEqual(to: expectedGradients[0], absoluteTolerance: 1e-5))
    // Once more through the gradient, which then is an expression.
    func curvature(_ f: @escaping ([Tensor]) -> Tensor) -> [Tensor] {
      gradient(at: inputs) { point in square(gradient(at: point) { (f($0) * upstream).sum() }[0]).sum() }
    }
    for (a, b) in zip(curvature(fused), curvature(separate)) {
      #expect(a.isApproximatelyEqual(to: b, absoluteTolerance: 1e-3))
    }
  }

  @Test func nanPropagates() {
    let x = Tensor([1, .nan, 3, 4, 5, 6], shape: [1, 3, 1, 2])
    let (ones, zeros) = (Tensor.ones([2]), Tensor.zeros([2]))
    let y = batchNorm2d(x, gamma: ones, beta: zeros, mean: zeros, variance: ones, relu: true)
    let fused = FixedConvolution(.ones([1, 1, 2, 16]), bias: nil, stride: 1, padding: 0, dilation: 1, groups: 1)
    #expect(batchNorm2d(x, gamma: ones, beta: zeros, relu: true).y.scalars[1].isNaN)
    #expect(y.scalars[1].isNaN && y.scalars[0] > 0)
    #expect(fused(x, rectifier: .relu).scalars[0].isNaN)
  }
}
