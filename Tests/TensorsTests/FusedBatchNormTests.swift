import Tensors
import Testing

@Suite("Batch norm with what follows it") struct FusedBatchNormTests {
  @Test(arguments: [false, true], [false, true])
  func oneSweepGivesWhatSeparateOnesDo(hasResidual: Bool, rectifies: Bool) {
    var generator = SplittableGenerator(seed: 5)
    let x = Tensor.normal([3, 4, 5, 7], using: &generator)
    let gamma = Tensor.normal([7], mean: 1, using: &generator)
    let beta = Tensor.normal([7], using: &generator)
    let residual = Tensor.normal(x.shape, using: &generator)
    let upstream = Tensor.normal(x.shape, using: &generator)
    func separate(_ t: [Tensor]) -> Tensor {
      let y = batchNorm2d(t[0], gamma: t[1], beta: t[2]).y
      let sum = hasResidual ? y + t[3] : y
      return rectifies ? relu(sum) : sum
    }
    func fused(_ t: [Tensor]) -> Tensor {
      batchNorm2d(t[0], gamma: t[1], beta: t[2], adding: hasResidual ? t[3] : nil, rectifies: rectifies).y
    }
    let inputs = [x, gamma, beta, residual]
    let (expected, expectedGradients) = valueWithGradient(at: inputs) { (separate($0) * upstream).sum() }
    let (found, gradients) = valueWithGradient(at: inputs) { (fused($0) * upstream).sum() }
    #expect(found.isApproximatelyEqual(to: expected))
    for (index, (a, b)) in zip(gradients, expectedGradients).enumerated() {
      #expect(a.isApproximatelyEqual(to: b, absoluteTolerance: 1e-5), "gradient of input \(index)")
    }
    // Once more through the gradient, which then is an expression.
    func curvature(_ f: @escaping ([Tensor]) -> Tensor) -> [Tensor] {
      gradient(at: inputs) { point in square(gradient(at: point) { (f($0) * upstream).sum() }[0]).sum() }
    }
    for (a, b) in zip(curvature(fused), curvature(separate)) {
      #expect(a.isApproximatelyEqual(to: b, absoluteTolerance: 1e-3))
    }
  }

  @Test func whatIsNotANumberStaysSo() {
    let x = Tensor([1, .nan, 3, 4, 5, 6], shape: [1, 3, 1, 2])
    let (one, zero) = (Tensor.ones([2]), Tensor.zeros([2]))
    let y = batchNorm2d(x, gamma: one, beta: zero, mean: zero, variance: one, rectifies: true)
    let fused = FixedConvolution(.ones([1, 1, 2, 16]), bias: nil, stride: 1, padding: 0, dilation: 1, groups: 1)
    #expect(batchNorm2d(x, gamma: one, beta: zero, rectifies: true).y.scalars[1].isNaN)
    #expect(y.scalars[1].isNaN && y.scalars[0] > 0)
    #expect(fused(x, rectifies: true).scalars[0].isNaN)
  }
}
