import EncodeNet

extension Case {
  /// The batch norms of VGG16 and ResNet20.
  static let batchNorms: [Case] = [
    (32, 64, false), (8, 256, false), (32, 16, false), (32, 16, true), (16, 32, true), (8, 64, true),
  ].flatMap { side, channels, addsResidual in
    [false, true].map { isBackward in
      Case.batchNorm(side: side, channels: channels, addsResidual: addsResidual, isBackward: isBackward)
    }
  }
}

func normalizing(_ side: Int, _ channels: Int, addsResidual: Bool, isBackward: Bool) -> () -> Void {
  var generator = SplittableGenerator(seed: 1)
  let x = Tensor.normal([128, side, side, channels], using: &generator)
  let residual = addsResidual ? Tensor.normal(x.shape, using: &generator) : nil
  let norm = BatchNorm2d(channels)
  let relu = ReLU()
  // A result that nothing reads is not computed.
  guard isBackward else { return { norm(x, adding: residual, then: relu).withUnsafeScalars { _ in } } }
  let inputs = [x, norm.weight, norm.bias] + (residual.map { [$0] } ?? [])
  let (y, pullback) = valueWithPullback(at: inputs) { inputs in
    batchNorm2d(
      inputs[0], gamma: inputs[1], beta: inputs[2], epsilon: 1e-5, adding: inputs.count > 3 ? inputs[3] : nil,
      relu: true
    ).0
  }
  return { for gradient in pullback(y) { gradient.withUnsafeScalars { _ in } } }
}
