/// One way of spending the budget of an experiment, whose result is compared with the others'.
///
/// Arms of one seed have the same first weights, order of the images and augmentation, and those that begin at the baseline
/// share it. ``standard`` has those of the method; a JSON description names them or changes them:
/// ```json
/// "arms": ["A2", "A3", {"arm": "A2", "id": "wide-sam", "recipe": {"sharpness": 0.1}}]
/// ```
public struct Arm: Sendable, Codable, Hashable {
  /// The weights that training begins with.
  public enum Start: String, Sendable, Codable, Hashable, CaseIterable {
    /// Random ones: a single cycle over the whole budget.
    case random
    /// The baseline's, whose cost counts: a warm restart over the rest of the budget.
    case baseline
  }

  /// What reports and files call it: letters, digits, `-`, `_` and `.`.
  public var id: String
  /// What it is, in a few words.
  public var name: String
  /// The weights that training begins with; of a conversion, those of its encoder.
  public var start = Start.baseline
  /// What differs in the network.
  public var architecture = BlockVariation.plain
  /// What the encoder is first trained to convert into, nil for no conversion.
  public var conversion: Conversion?
  /// After a conversion, what is trained.
  public var transfer = KnowledgeTransfer.Mode.headThenFineTune
  /// How the classifier is trained.
  public var recipe = TrainingRecipe()
  /// The first learning rate, nil for the experiment's.
  public var learningRate: Double?
  /// A method that is given to ``Experiment`` as code, by its name; nil for those of the library.
  public var method: String?

  /// An arm that trains on from the baseline.
  public init(_ id: String, _ name: String) { (self.id, self.name) = (id, name) }

  private init(_ id: String, _ name: String, _ change: (inout Arm) -> Void) {
    self.init(id, name)
    change(&self)
  }

  /// What differs in the network when it is used: branches are folded.
  public var finalArchitecture: BlockVariation { architecture == .asymmetricBranches ? .plain : architecture }

  /// Whether this is the baseline itself, which only the first part of the budget is spent on.
  public var isBaseline: Bool { id == "A0" }

  // MARK: The method's arms

  /// The arms of the method, `A0` to `A15`, then others that reports compare EncodeNet with.
  public static let standard: [Arm] =
    [
      Arm("A0", "baseline") { $0.start = .random },
      Arm("A1", "baseline in one cycle") { $0.start = .random },
      Arm("A2", "continued training"),
      Arm("A3", "EncodeNet, fine-tuned") { $0.conversion = Conversion() },
      Arm("A4", "EncodeNet, encoder frozen") { ($0.conversion, $0.transfer) = (Conversion(), .frozenEncoder) },
      converting("A5", "one cluster per class") { $0.clusters = .one },
      converting("A6", "random clusters") { $0.clusters = .random },
      converting("A7", "random image of the class") { $0.target = .randomOfClass },
      converting("A8", "medoids, without entropy") { $0.target = .medoid },
      converting("A9", "plain autoencoder") { $0.target = .input },
      converting("A10", "representatives with shuffled pixels") { $0.target = .shuffledPixels },
      converting("A11", "mean image of the class") { $0.target = .classMean },
      converting("A12", "sub-class cross-entropy, no decoder") { $0.target = .subclass },
      Arm("A13", "self-distillation") { $0.recipe.teaching = Teaching(.baseline) },
      Arm("A14", "EncodeNet, encoder from scratch") { ($0.conversion, $0.start) = (Conversion(), .random) },
      Arm("A15", "EncodeNet with self-distillation") {
        ($0.conversion, $0.recipe.teaching) = (Conversion(), Teaching(.baseline))
      },
      converting("A16", "encoder not trained (scale 0), frozen") { $0.trainsEncoder = false },
    ] + published

  private static func converting(_ id: String, _ name: String, _ change: (inout Conversion) -> Void) -> Arm {
    Arm(id, name) {
      var conversion = Conversion()
      change(&conversion)
      $0.conversion = conversion
      if !conversion.trainsEncoder { $0.transfer = .frozenEncoder }
    }
  }

  /// What others have published for the same goal: each in one cycle over the whole budget but where it needs a teacher.
  private static let published: [Arm] = [
    scratch("label-smoothing", "label smoothing") { $0.recipe.labelSmoothing = 0.1 },
    scratch("mixup", "mixup") { $0.recipe.mixing = .mixup(alpha: 1) },
    scratch("cutmix", "CutMix") { $0.recipe.mixing = .cutMix(alpha: 1) },
    scratch("ema", "exponential average of the weights") { $0.recipe.average = .exponential(decay: 0.995) },
    scratch("swa", "stochastic weight averaging") { $0.recipe.average = .stochastic(share: 0.25) },
    scratch("sam", "sharpness-aware minimization") { $0.recipe.sharpness = 0.05 },
    scratch("teacher-free", "teacher-free distillation") {
      $0.recipe.teaching = Teaching(.nobody, temperature: 20, weight: 0.1, labelWeight: 0.9)
    },
    scratch("mutual", "deep mutual learning") {
      $0.recipe.teaching = Teaching(.peer, temperature: 1, weight: 1, labelWeight: 1)
    },
    taught("born-again", "born-again network", .init(.baseline)),
    taught("kd", "distillation from ResNet56", .init(.model(ModelChoice("resnet56")))),
    taught(
      "kd-standardized", "distillation of standardised logits",
      .init(.model(ModelChoice("resnet56")), .standardizedLogits, temperature: 2, weight: 9, labelWeight: 1)),
    taught(
      "dkd", "decoupled distillation",
      .init(.model(ModelChoice("resnet56")), .decoupled, temperature: 4, weight: 1, labelWeight: 1)),
    taught(
      "fitnet", "FitNet hints", .init(.model(ModelChoice("resnet56")), .hint, weight: 100, labelWeight: 1)),
    taught(
      "attention-transfer", "attention transfer",
      .init(.model(ModelChoice("resnet56")), .attention, weight: 1000, labelWeight: 1)),
    scratch("se", "squeeze-and-excitation") { $0.architecture = .squeezeExcitation },
    scratch("eca", "efficient channel attention") { $0.architecture = .efficientChannelAttention },
    scratch("cbam", "channel and spatial attention") { $0.architecture = .convolutionalBlockAttention },
    scratch("acb", "asymmetric branches, folded") { $0.architecture = .asymmetricBranches },
  ]

  private static func scratch(_ id: String, _ name: String, _ change: (inout Arm) -> Void) -> Arm {
    Arm(id, name) {
      $0.start = .random
      change(&$0)
    }
  }
  private static func taught(_ id: String, _ name: String, _ teaching: Teaching) -> Arm {
    scratch(id, name) { $0.recipe.teaching = teaching }
  }

  /// The standard arm of that id.
  public static func named(_ id: String) throws(EncodeNetError) -> Arm {
    guard let arm = standard.first(where: { $0.id.lowercased() == id.lowercased() }) else {
      throw EncodeNetError("there is no arm '\(id)'; there are \(standard.map(\.id).joined(separator: ", "))")
    }
    return arm
  }

  /// Checks what types do not.
  func check() throws(EncodeNetError) {
    let isPlain = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || "-_.".contains(c)) }
    guard !id.isEmpty, id.count <= 64, id.allSatisfy(isPlain), id.first != "." else {
      throw EncodeNetError("the arm's id '\(id)' is not made of at most 64 letters, digits, '-', '_' and '.'")
    }
    guard id != "judge" else {
      throw EncodeNetError("no arm can be called 'judge': that is the network that judges conversion")
    }
    guard architecture == .plain || (start == .random && conversion == nil) else {
      throw EncodeNetError(
        "arm '\(id)': another architecture cannot take over the baseline's weights: its start must be random, and it has no conversion"
      )
    }
    guard architecture == .plain || recipe.teaching?.teacher != .peer else {
      throw EncodeNetError("arm '\(id)': mutual learning works with the plain architecture")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw EncodeNetError("arm '\(id)': learningRate is \(learningRate), it must be positive")
    }
    try recipe.check(id)
  }
}

/// What the encoder is trained to convert images into: stages S2 to S6, or a control in their place.
public struct Conversion: Sendable, Codable, Hashable {
  /// The clusters that images are converted by.
  public enum Grouping: String, Sendable, Codable, Hashable, CaseIterable {
    /// Those of ``ExperimentConfiguration/clustering``.
    case found
    /// One for each class.
    case one
    /// As many and as large as those found, drawn at random.
    case random
  }
  /// What an image becomes.
  public enum Target: String, Sendable, Codable, Hashable, CaseIterable {
    /// The representative of its cluster, by ``ExperimentConfiguration/selection``.
    case representative
    /// For each cluster any image of the class.
    case randomOfClass
    /// The medoid of its cluster, whatever its entropy.
    case medoid
    /// Itself: a plain autoencoder.
    case input
    /// The representative of its cluster with its pixels in another order, one for each cluster.
    case shuffledPixels
    /// The mean image of its class.
    case classMean
    /// No image: the encoder learns by cross-entropy to which cluster of which class the image belongs.
    case subclass
  }
  /// The clusters that images are converted by.
  public var clusters = Grouping.found
  /// What an image becomes.
  public var target = Target.representative
  /// Whether the encoder learns too; without, the decoder alone does: a control of what the encoder learns.
  public var trainsEncoder = true

  /// The paper's.
  public init() {}
}
