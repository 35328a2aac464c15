/// A recipe to train a classifier with more than plain cross-entropy: published methods with the same goal as EncodeNet.
///
/// The pieces are the library's own, for any training loop: ``Mixing``, ``WeightAverage``,
/// ``valueWithSharpnessAwareGradient(of:rho:_:)``, ``distillation(_:from:temperature:)`` and its kin. `Docs/methods.md`
/// has their sources and the published results.
public struct TrainingRecipe: Settings {
  /// An average of the weights, used in the place of the last ones.
  public enum Average: Sendable, Codable, Hashable {
    /// An exponential average with that decay a step.
    case exponential(decay: Double)
    /// The mean of the weights after each epoch of the last `share` of the epochs, over which the learning rate stays at
    /// half its first value; batch norm's statistics are computed again.
    case stochastic(share: Double)
  }

  /// Taken from the label and given to all classes alike.
  public var labelSmoothing = 0.0
  /// Mixes pairs of images.
  public var mixing: Mixing?
  /// The average of the weights that is used in the end.
  public var average: Average?
  /// ρ, the radius of sharpness-aware minimization.
  public var rho: Double?
  /// The loss that a teacher adds.
  public var distillation: Distillation?

  /// Plain cross-entropy.
  public init() {}

  public static let settings: [Setting<TrainingRecipe>] = [
    Setting("labelSmoothing", \.labelSmoothing), Setting("mixing", \.mixing), Setting("average", \.average),
    Setting("rho", \.rho, earlier: "sharpness"), Setting("distillation", \.distillation, earlier: "teaching"),
  ]

  /// Whether the loss is the cross-entropy of images and labels as they are.
  var hasPlainLoss: Bool { labelSmoothing == 0 && mixing == nil && distillation == nil }

  package func check(_ arm: String) throws(ExperimentError) {
    func within(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(ExperimentError) {
      try requireWithin("arm '\(arm)': \(name)", value, range)
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
    if let rho { try within("rho", rho, 1e-6...10) }
    if let distillation {
      try within("the distillation's temperature", distillation.temperature, 0.01...1000)
      try within("the distillation's weight", distillation.weight, 0...1e6)
      try within("the distillation's labelWeight", distillation.labelWeight, 0...1e6)
    }
    if let distillation, [.teacherFree, .peer].contains(distillation.teacher), distillation.loss != .softTargets {
      throw ExperimentError(
        "arm '\(arm)': the loss \(distillation.loss.rawValue) needs a teacher that is trained before: baseline, model or weights"
      )
    }
    if mixing != nil, distillation?.teacher == .teacherFree {
      throw ExperimentError("arm '\(arm)': teacher-free distillation needs one label an image, mixed images have two")
    }
    if mixing != nil, distillation?.loss.needsLabels == true {
      throw ExperimentError("arm '\(arm)': its distillation needs one label an image, mixed images have two")
    }
  }
}

/// A loss with a teacher beside that with the labels: `labelWeight · crossEntropy + weight · loss`.
public struct Distillation: Settings {
  /// The network that the student learns from.
  public enum Teacher: Sendable, Hashable {
    /// The baseline of the same seed, S0: self-distillation.
    case baseline
    /// A network of the same kind that learns beside the student, and from it.
    case peer
    /// None: made-up probabilities.
    case teacherFree
    /// A larger network, trained first as the baseline was; its training counts for the arm.
    case model(ModelChoice)
    /// Trained weights, as this library writes them; their training is not counted.
    case weights(String)
  }
  /// The quantity that is compared with the teacher's.
  public enum Loss: String, Sendable, Codable, Hashable, CaseIterable {
    /// Softened probabilities: ``distillation(_:from:temperature:)``.
    case softTargets
    /// The softened probabilities of standardised logits.
    case standardizedLogits
    /// ``decoupledDistillation(_:from:labels:targetWeight:nonTargetWeight:temperature:)``
    case decoupled
    /// The feature map before pooling, through a learnt 1 by 1 convolution: FitNets' hint.
    case hint
    /// ``attentionTransfer(_:from:)`` at every place where the networks can be cut and whose maps have one size.
    case attention

    var needsLabels: Bool { self == .decoupled }
    var needsFeatures: Bool { self == .hint || self == .attention }
  }

  /// The network that the student learns from.
  public var teacher = Teacher.baseline
  /// The quantity that is compared with the teacher's.
  public var loss = Loss.softTargets
  /// T, of the losses that soften probabilities.
  public var temperature = 4.0
  /// The weight of the loss.
  public var weight = 0.9
  /// The weight of the cross-entropy with the labels.
  public var labelWeight = 0.1

  /// Hinton's distillation from the baseline with nine tenths of the weight.
  public init() {}

  /// Distillation; by default Hinton's, with nine tenths of the weight.
  public init(
    _ teacher: Teacher, _ loss: Loss = .softTargets, temperature: Double = 4, weight: Double = 0.9,
    labelWeight: Double = 0.1
  ) {
    (self.teacher, self.loss, self.temperature) = (teacher, loss, temperature)
    (self.weight, self.labelWeight) = (weight, labelWeight)
  }

  public static let settings: [Setting<Distillation>] = [
    Setting("teacher", \.teacher), Setting("loss", \.loss), Setting("temperature", \.temperature),
    Setting("weight", \.weight), Setting("labelWeight", \.labelWeight),
  ]
}

extension Distillation.Teacher: Codable {
  public init(from decoder: any Swift.Decoder) throws {
    let found = try Alternative(
      from: decoder, of: ["baseline", "peer", "teacherFree", "nobody", "model", "weights"])
    switch found.name {
    case "baseline": self = .baseline
    case "peer": self = .peer
    case "model": self = .model(try found.value())
    case "weights": self = .weights(try found.value())
    default: self = .teacherFree
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .baseline: try "baseline".encode(to: encoder)
    case .peer: try "peer".encode(to: encoder)
    case .teacherFree: try "teacherFree".encode(to: encoder)
    case .model(let choice): try Alternative.encode("model", choice, to: encoder)
    case .weights(let file): try Alternative.encode("weights", file, to: encoder)
    }
  }
}
