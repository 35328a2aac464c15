/// Stochastic gradient descent with momentum, as PyTorch's `optim.SGD` without dampening.
///
/// `g ← g + λ w`, `v ← μ v + g`, `w ← w - η v`; with Nesterov's momentum `w ← w - η (g + μ v)`.
public final class SGD: SlottedOptimizer {
  /// μ, 0 for none.
  public let momentum: Scalar
  /// Whether the step looks ahead along the momentum.
  public let isNesterov: Bool

  /// For groups of parameters.
  public init(
    _ groups: [ParameterGroup], learningRate: Scalar, momentum: Scalar = 0, nesterov: Bool = false,
    weightDecay: Scalar = 0
  ) {
    requireNotNegative("the momentum", momentum)
    require(!nesterov || momentum > 0, "SGD: Nesterov's momentum needs a momentum above 0")
    (self.momentum, isNesterov) = (momentum, nesterov)
    super.init(
      groups, learningRate: learningRate, weightDecay: weightDecay, slots: momentum == 0 ? [] : ["momentum_buffer"])
  }

  /// For every parameter of `model`.
  public convenience init(
    _ model: some Module, learningRate: Scalar, momentum: Scalar = 0, nesterov: Bool = false, weightDecay: Scalar = 0
  ) {
    self.init(
      [ParameterGroup(model)], learningRate: learningRate, momentum: momentum, nesterov: nesterov,
      weightDecay: weightDecay)
  }

  public override func step(_ s: Step) {
    OptimizerUpdates.sgd(
      count: s.count, rate: s.rate, decay: s.weightDecay, momentum: momentum, isNesterov: isNesterov, g: s.g, w: s.w,
      v: s.slots.first)
  }
}
