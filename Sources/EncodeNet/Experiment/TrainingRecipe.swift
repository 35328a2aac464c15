/// How a classifier is trained, beside plain cross-entropy: what the field does for the same goal as EncodeNet.
///
/// The pieces are the library's own, for any training loop: ``Mixing``, ``WeightAverage``,
/// ``valueWithSharpnessAwareGradient(of:radius:_:)``, ``distillation(_:from:temperature:)`` and its kin. `Docs/methods.md`
/// has their sources and the published results.
public struct TrainingRecipe: Sendable, Codable, Hashable {
  /// What is averaged over the steps, to be used instead of the last weights.
  public enum Average: Sendable, Codable, Hashable {
    /// An exponential average with that decay a step.
    case exponential(decay: Double)
    /// The mean of the weights after each epoch of the last `share` of the epochs, over which the learning rate stays at
    /// half its first value; batch norm's statistics are found anew.
    case stochastic(share: Double)
  }

  /// Taken from the label and given to all classes alike.
  public var labelSmoothing = 0.0
  /// Mixes pairs of images.
  public var mixing: Mixing?
  /// What is averaged over the steps.
  public var average: Average?
  /// The radius of sharpness-aware minimization.
  public var sharpness: Double?
  /// What is learnt from a teacher.
  public var teaching: Teaching?

  /// Plain cross-entropy.
  public init() {}

  /// Whether the loss is the cross-entropy of images and labels as they are.
  var hasPlainLoss: Bool { labelSmoothing == 0 && mixing == nil && teaching == nil }

  /// Checks what types do not.
  func check(_ arm: String) throws(EncodeNetError) {
    func within(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(EncodeNetError) {
      guard range.contains(value) else {
        throw EncodeNetError("arm '\(arm)': \(name) is \(value), it must be in \(range)")
      }
    }
    try within("labelSmoothing", labelSmoothing, 0...0.99)
    switch mixing {
    case .mixup(let alpha), .cutMix(let alpha): try within("mixing's alpha", alpha, 1e-3...1e3)
    case nil: break
    }
    switch average {
    case .exponential(let decay): try within("the average's decay", decay, 0...0.999_999)
    case .stochastic(let share): try within("the average's share", share, 0.01...1)
    case nil: break
    }
    if let sharpness { try within("sharpness", sharpness, 1e-6...10) }
    if let teaching {
      try within("the teaching's temperature", teaching.temperature, 0.01...1000)
      try within("the teaching's weight", teaching.weight, 0...1e6)
      try within("the teaching's labelWeight", teaching.labelWeight, 0...1e6)
    }
    if mixing != nil, teaching?.loss.needsLabels == true {
      throw EncodeNetError("arm '\(arm)': its teaching needs one label an image, mixed images have two")
    }
  }
}

/// What a student learns from a teacher beside its labels: `labelWeight · crossEntropy + weight · loss`.
public struct Teaching: Sendable, Codable, Hashable {
  /// Who teaches.
  public enum Teacher: Sendable, Codable, Hashable {
    /// The baseline of the same seed, S0: self-distillation.
    case baseline
    /// A network of the same kind that learns beside the student, and from it.
    case peer
    /// Nobody: made-up probabilities.
    case nobody
    /// A larger network, trained first as the baseline was; its training counts for the arm.
    case model(ModelChoice)
    /// Trained weights, as this library writes them; their training is not counted.
    case weights(String)
  }
  /// What is compared.
  public enum Loss: String, Sendable, Codable, Hashable, CaseIterable {
    /// Softened probabilities: ``distillation(_:from:temperature:)``.
    case softTargets
    /// Those of standardised logits.
    case standardizedLogits
    /// ``decoupledDistillation(_:from:labels:rightWeight:wrongWeight:temperature:)``
    case decoupled
    /// The feature map before pooling, through a learnt 1 by 1 convolution: FitNets' hint.
    case hint
    /// ``attentionTransfer(_:from:)`` at every place where the networks can be cut and whose maps have one size.
    case attention

    var needsLabels: Bool { self == .decoupled }
    var needsFeatures: Bool { self == .hint || self == .attention }
  }

  /// Who teaches.
  public var teacher: Teacher
  /// What is compared.
  public var loss: Loss
  /// T, of the losses that soften probabilities.
  public var temperature: Double
  /// The weight of the loss.
  public var weight: Double
  /// The weight of the cross-entropy with the labels.
  public var labelWeight: Double

  /// By default Hinton's distillation with nine tenths of the weight.
  public init(
    _ teacher: Teacher, _ loss: Loss = .softTargets, temperature: Double = 4, weight: Double = 0.9,
    labelWeight: Double = 0.1
  ) {
    (self.teacher, self.loss, self.temperature) = (teacher, loss, temperature)
    (self.weight, self.labelWeight) = (weight, labelWeight)
  }
}
