extension ArmSettings {
  /// Only the first part of the budget is spent on it, and all other arms are compared with it.
  package static let baseline = ArmSettings("A0", "baseline") { ($0.start, $0.isBaseline) = (.random, true) }
  static let oneCycle = ArmSettings("A1", "baseline in one cycle") { $0.start = .random }
  /// The control that EncodeNet has to improve on.
  package static let continued = ArmSettings("A2", "continued training")
  /// The method, with all layers trained in the end.
  package static let encodeNet = ArmSettings("A3", "EncodeNet, fine-tuned") { $0.conversion = Conversion() }
  /// The paper's.
  static let frozen = ArmSettings("A4", "EncodeNet, encoder frozen") {
    ($0.conversion, $0.transfer) = (Conversion(), .frozenEncoder)
  }
  private static let oneCluster = converting("A5", "one cluster per class") { $0.clusters = .one }
  private static let randomClusters = converting("A6", "random clusters") { $0.clusters = .random }
  private static let randomTargets = converting("A7", "random image of the class") { $0.target = .randomOfClass }
  private static let medoids = converting("A8", "medoids, without entropy") { $0.target = .medoid }
  private static let autoencoder = converting("A9", "plain autoencoder") { $0.target = .input }
  private static let shuffledPixels = converting("A10", "representatives with shuffled pixels") {
    $0.target = .shuffledPixels
  }
  private static let classMeans = converting("A11", "mean image of the class") { $0.target = .classMean }
  private static let subclasses = converting("A12", "sub-class cross-entropy, no decoder") { $0.target = .subclass }
  private static let fromScratch = ArmSettings("A14", "EncodeNet, encoder from scratch") {
    ($0.conversion, $0.start) = (Conversion(), .random)
  }
  private static let selfDistilled = ArmSettings("A15", "EncodeNet with self-distillation") {
    ($0.conversion, $0.recipe.distillation) = (Conversion(), Distillation(.baseline))
  }
  private static let untrained = converting("A16", "encoder not trained (scale 0), frozen") { $0.trainsEncoder = false }

  /// The arms of the method, `A0` to `A16`, then others that reports compare EncodeNet with.
  public static let standard: [ArmSettings] =
    [
      baseline, oneCycle, continued, encodeNet, frozen, oneCluster, randomClusters, randomTargets, medoids, autoencoder,
      shuffledPixels, classMeans, subclasses,
      ArmSettings("A13", "self-distillation") { $0.recipe.distillation = Distillation(.baseline) },
      fromScratch, selfDistilled, untrained,
    ] + published

  /// The parts of the method: the value of each is the difference between two arms that differ in it.
  package static let parts: [(part: String, first: ArmSettings, second: ArmSettings)] = [
    ("conversion", encodeNet, continued), ("clustering", encodeNet, oneCluster),
    ("the clusters' meaning", encodeNet, randomClusters),
    ("entropy, against any image of the class", encodeNet, randomTargets),
    ("entropy, against medoids", encodeNet, medoids),
    ("representatives, against the image itself", encodeNet, autoencoder), ("pixels", encodeNet, shuffledPixels),
    ("representatives, against the mean image", encodeNet, classMeans), ("decoder", encodeNet, subclasses),
    ("the baseline's weights", encodeNet, fromScratch), ("self-distillation beside it", selfDistilled, encodeNet),
    ("what the encoder learns", frozen, untrained),
  ]

  private static func converting(_ id: String, _ name: String, _ change: (inout Conversion) -> Void) -> ArmSettings {
    ArmSettings(id, name) {
      var conversion = Conversion()
      change(&conversion)
      $0.conversion = conversion
      if !conversion.trainsEncoder { $0.transfer = .frozenEncoder }
    }
  }

  /// Published methods for the same goal: each in one cycle over the whole budget, unless it needs a teacher.
  private static let published: [ArmSettings] = [
    scratch("label-smoothing", "label smoothing") { $0.recipe.labelSmoothing = 0.1 },
    scratch("mixup", "mixup") { $0.recipe.mixing = .mixup(alpha: 1) },
    scratch("cutmix", "CutMix") { $0.recipe.mixing = .cutMix(alpha: 1) },
    scratch("ema", "exponential average of the weights") { $0.recipe.average = .exponential(decay: 0.995) },
    scratch("swa", "stochastic weight averaging") { $0.recipe.average = .stochastic(share: 0.25) },
    scratch("sam", "sharpness-aware minimization") { $0.recipe.rho = 0.05 },
    scratch("teacher-free", "teacher-free distillation") {
      $0.recipe.distillation = Distillation(.teacherFree, temperature: 20, weight: 0.1, labelWeight: 0.9)
    },
    scratch("mutual", "deep mutual learning") {
      $0.recipe.distillation = Distillation(.peer, temperature: 1, weight: 1, labelWeight: 1)
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

  private static func scratch(_ id: String, _ name: String, _ change: (inout ArmSettings) -> Void) -> ArmSettings {
    ArmSettings(id, name) {
      $0.start = .random
      change(&$0)
    }
  }
  private static func taught(_ id: String, _ name: String, _ distillation: Distillation) -> ArmSettings {
    scratch(id, name) { $0.recipe.distillation = distillation }
  }

  /// The standard arm of that id.
  public static func named(_ id: String) throws(ExperimentError) -> ArmSettings {
    guard let arm = standard.first(where: { $0.id.lowercased() == id.lowercased() }) else {
      throw ExperimentError("there is no arm '\(id)'; there are \(standard.map(\.id).joined(separator: ", "))")
    }
    return arm
  }
}
