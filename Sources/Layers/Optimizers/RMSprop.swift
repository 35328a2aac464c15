/// Divides by a running root mean square of the gradients, as PyTorch's `optim.RMSprop`, not centred.
///
/// `v ← α v + (1 - α) g²`, `b ← μ b + g / (√v + ε)`, `w ← w - η b`. Tieleman, Hinton, 2012.
public final class RMSprop: SlottedOptimizer {
  /// α, the decay rate of the running mean.
  public let smoothing: Scalar
  /// μ.
  public let momentum: Scalar
  /// Keeps the divisor from 0.
  public let epsilon: Scalar

  /// For groups of parameters.
  public init(
    _ groups: [ParameterGroup], learningRate: Scalar = 1e-2, smoothing: Scalar = 0.99, momentum: Scalar = 0,
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 0
  ) {
    requireNotNegative("the momentum", momentum)
    requireNotNegative("epsilon", epsilon)
    require((0...1).contains(smoothing), "RMSprop: the smoothing \(smoothing) is not in 0...1")
    (self.smoothing, self.momentum, self.epsilon) = (smoothing, momentum, epsilon)
    super.init(
      groups, learningRate: learningRate, weightDecay: weightDecay, slots: ["square_avg", "momentum_buffer"])
  }

  /// For every parameter of `model`.
  public convenience init(
    _ model: some Module, learningRate: Scalar = 1e-2, smoothing: Scalar = 0.99, momentum: Scalar = 0,
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 0
  ) {
    self.init(
      [ParameterGroup(model)], learningRate: learningRate, smoothing: smoothing, momentum: momentum, epsilon: epsilon,
      weightDecay: weightDecay)
  }

  public override func step(_ s: Step) {
    let (w, v, b) = (s.w, s.slots[0], s.slots[1])
    let (smoothing, momentum, epsilon) = (smoothing, momentum, epsilon)
    for i in 0..<s.count {
      let g = s.g[i] + s.weightDecay * w[i]
      v[i] = smoothing * v[i] + (1 - smoothing) * g * g
      b[i] = momentum * b[i] + g / (v[i].squareRoot() + epsilon)
      w[i] -= s.rate * b[i]
    }
  }
}
