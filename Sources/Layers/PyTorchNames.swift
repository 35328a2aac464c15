// What users of PyTorch write first, with the name that it has here.
extension Module {
  @available(*, unavailable, renamed: "evaluate()")
  public func eval() { fatalError() }
}

extension Optimizer {
  @available(*, unavailable, message: "gradients are values, and there is nothing to zero: leave it out")
  public func zeroGrad() { fatalError() }
  @available(
    *, unavailable,
    message: "let (loss, gradients) = valueWithGradient(of: model) { … }; optimizer.update(with: gradients)"
  )
  public func step() { fatalError() }
}

@available(*, unavailable, renamed: "softmaxCrossEntropy(_:labels:)")
public func crossEntropy(_ logits: Tensor, _ labels: [Int]) -> Tensor { fatalError() }
@available(*, unavailable, renamed: "meanSquaredError")
public func mseLoss(_ prediction: Tensor, _ target: Tensor) -> Tensor { fatalError() }
@available(*, unavailable, renamed: "meanAbsoluteError")
public func l1Loss(_ prediction: Tensor, _ target: Tensor) -> Tensor { fatalError() }
@available(*, unavailable, renamed: "huber")
public func huberLoss(_ prediction: Tensor, _ target: Tensor) -> Tensor { fatalError() }
@available(*, unavailable, renamed: "binaryCrossEntropyWithLogits")
public func binaryCrossEntropy(_ logits: Tensor, _ targets: Tensor) -> Tensor { fatalError() }
@available(*, unavailable, renamed: "BatchNorm2d", message: "it takes [batch, channels] as well")
public typealias BatchNorm1d = BatchNorm2d
