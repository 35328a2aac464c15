/// Adaptive moments, as PyTorch's `optim.Adam` and `optim.AdamW`.
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `w ← w - η m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// Kingma, Ba: "Adam: a method for stochastic optimization", 2015.
public class Adam: SlottedOptimizer {
  /// The decay rates of the two running means.
  public let betas: (Scalar, Scalar)
  /// Keeps the divisor from 0.
  public let epsilon: Scalar
  /// Whether weight decay is decoupled from the gradient.
  let decouplesWeightDecay: Bool

  fileprivate init(
    _ groups: [ParameterGroup], _ learningRate: Scalar, _ betas: (Scalar, Scalar), _ epsilon: Scalar,
    _ weightDecay: Scalar, decoupled: Bool
  ) {
    requireNotNegative("epsilon", epsilon)
    require(
      (0..<1).contains(betas.0) && (0..<1).contains(betas.1), "Adam: the decay rates \(betas) are not in 0..<1")
    (self.betas, self.epsilon, decouplesWeightDecay) = (betas, epsilon, decoupled)
    super.init(groups, learningRate: learningRate, weightDecay: weightDecay, slots: ["exp_avg", "exp_avg_sq"])
  }

  /// Weight decay is added to the gradient: `g ← g + λ w`.
  public convenience init(
    _ groups: [ParameterGroup], learningRate: Scalar = 1e-3, betas: (Scalar, Scalar) = (0.9, 0.999),
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 0
  ) {
    self.init(groups, learningRate, betas, epsilon, weightDecay, decoupled: false)
  }

  /// For every parameter of `model`.
  public convenience init(
    _ model: some Module, learningRate: Scalar = 1e-3, betas: (Scalar, Scalar) = (0.9, 0.999),
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 0
  ) {
    self.init([ParameterGroup(model)], learningRate, betas, epsilon, weightDecay, decoupled: false)
  }

  public override func step(_ s: Step) {
    let (beta1, beta2) = betas
    let stepSize = s.rate / (1 - integerPower(beta1, s.number))
    let rootCorrection = (1 - integerPower(beta2, s.number)).squareRoot()
    let coupled = decouplesWeightDecay ? 0 : s.weightDecay
    let shrink = decouplesWeightDecay ? 1 - s.rate * s.weightDecay : 1
    OptimizerUpdates.adam(
      count: s.count, stepSize: stepSize, betas: betas, epsilon: epsilon, rootCorrection: rootCorrection,
      decay: coupled, shrink: shrink, g: s.g, w: s.w, m: s.slots[0], v: s.slots[1])
  }
}

/// Adam with decoupled weight decay: `w ← (1 - η λ) w` before each step, as PyTorch's `optim.AdamW`.
///
/// Loshchilov, Hutter: "Decoupled weight decay regularization", 2019.
public final class AdamW: Adam {
  /// For groups of parameters.
  public init(
    _ groups: [ParameterGroup], learningRate: Scalar = 1e-3, betas: (Scalar, Scalar) = (0.9, 0.999),
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 1e-2
  ) {
    super.init(groups, learningRate, betas, epsilon, weightDecay, decoupled: true)
  }

  /// For every parameter of `model`.
  public convenience init(
    _ model: some Module, learningRate: Scalar = 1e-3, betas: (Scalar, Scalar) = (0.9, 0.999),
    epsilon: Scalar = 1e-8, weightDecay: Scalar = 1e-2
  ) {
    self.init(
      [ParameterGroup(model)], learningRate: learningRate, betas: betas, epsilon: epsilon, weightDecay: weightDecay)
  }
}

/// `base` to the power `exponent`, in double, by squaring.
func integerPower(_ base: Scalar, _ exponent: Int) -> Scalar {
  var (result, square, exponent) = (1.0, Double(base), exponent)
  while exponent > 0 {
    if exponent & 1 == 1 { result *= square }
    square *= square
    exponent >>= 1
  }
  return Scalar(result)
}
