/// The settings of an experiment that hold for any method: its images, its network, and how classifiers are trained.
public struct RunSettings: Settings {
  /// The source of the images for the command; see ``DataSource``.
  public var data = "digits"
  /// How the command reads their files.
  public var images = ImageOptions()
  /// The model that the command makes, and its name in the report; see ``ModelChoice``.
  public var model = "resnet20"
  /// The shortcuts of a ResNet that the command makes.
  public var shortcut = ResNet.Shortcut.identity
  /// Multiplies the number of channels of a model that the command makes.
  public var widthMultiplier = 1.0
  /// Training images used, nil for all.
  public var subset: Int?
  /// Each decides the weights and the order of the images of a whole run; verdicts speak of what varies between them.
  public var seeds: [UInt64] = [0]
  /// Decides which images are used and which are validation images: the same for all seeds.
  public var splitSeed: UInt64 = 0
  /// The share of the training images that is held out for validation, where the set has no validation images of its own.
  public var validationShare = 0.1
  /// The largest number of audit images, which are drawn from the training images that ``subset`` leaves unused. Nothing
  /// trains on them, and nothing is chosen by them.
  public var auditImages = 10_000
  /// A trained classifier to begin with, nil to train the baseline.
  public var baseline: GivenBaseline?
  /// Epochs of the baseline, where it is trained, and of what judges it.
  public var epochs = 12
  /// The baseline's highest learning rate, nil for what suits the network and the batch size; see
  /// ``ModelChoice/learningRate(batchSize:)``.
  public var learningRate: Double?
  /// The first learning rate of what trains on from the baseline: a warm restart; nil for a fifth of ``learningRate``.
  public var continuedLearningRate: Double?
  /// Images in a batch.
  public var batchSize = 32
  /// The weight decay of every weight of a classifier.
  public var weightDecay = 5e-4
  /// The augmentation of the images that a network trains on.
  public var augmentation: Augmentation?

  /// The defaults for small images.
  public init() {}

  public static let settings: [Setting<RunSettings>] = [
    Setting("data", \.data), Setting("images", \.images), Setting("model", \.model), Setting("shortcut", \.shortcut),
    Setting("widthMultiplier", \.widthMultiplier), Setting("subset", \.subset), Setting("seeds", \.seeds),
    Setting("splitSeed", \.splitSeed), Setting("validationShare", \.validationShare),
    Setting("auditImages", \.auditImages), Setting("baseline", \.baseline), Setting("epochs", \.epochs),
    Setting("learningRate", \.learningRate), Setting("continuedLearningRate", \.continuedLearningRate),
    Setting("batchSize", \.batchSize), Setting("weightDecay", \.weightDecay),
    Setting("augmentation", \.augmentation, schema: Augmentation.schema),
  ]

  /// The model that the command makes.
  public var modelChoice: ModelChoice { ModelChoice(model, shortcut: shortcut, widthMultiplier: widthMultiplier) }

  /// Checks the values.
  public func check() throws(ExperimentError) {
    try requireCount("epochs", epochs)
    if let learningRate { try requirePositive("learningRate", learningRate) }
    if let continuedLearningRate { try requirePositive("continuedLearningRate", continuedLearningRate) }
    // Batch norm needs two images.
    try requireCount("batchSize", batchSize, from: 2)
    try requireWithin("weightDecay", weightDecay, 0...1e3)
    guard (0..<1).contains(validationShare) else {
      throw ExperimentError("validationShare is \(validationShare), it must be at least 0 and below 1")
    }
    guard auditImages >= 0 else { throw ExperimentError("auditImages is \(auditImages), it must not be negative") }
    if let subset, subset < 1 { throw ExperimentError("subset is \(subset), it must be positive") }
    guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
      throw ExperimentError("seeds is \(seeds): there must be at least one, and each once")
    }
    if baseline?.weights.isEmpty == true {
      throw ExperimentError("baseline.weights is missing: give a file of weights")
    }
    if let baseline, !(baseline.kerasEpsilon >= 0 && baseline.kerasEpsilon.isFinite) {
      throw ExperimentError("baseline.kerasEpsilon is \(baseline.kerasEpsilon), it must not be negative")
    }
  }
}

/// Checks that a setting is positive.
package func requirePositive(_ name: String, _ value: Double) throws(ExperimentError) {
  guard value > 0, value.isFinite else {
    let text = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    throw ExperimentError("\(name) is \(text), it must be positive")
  }
}

/// Checks that a setting counts something, in a range whose products fit in an `Int`.
package func requireCount(_ name: String, _ value: Int, from least: Int = 1) throws(ExperimentError) {
  let range = least...1_000_000
  guard range.contains(value) else {
    throw ExperimentError("\(name) is \(value), it must be from \(range.lowerBound) to \(range.upperBound)")
  }
}

/// Checks that a setting is in a range.
package func requireWithin(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(ExperimentError) {
  guard range.contains(value) else { throw ExperimentError("\(name) is \(value), it must be in \(range)") }
}
