import Foundation

/// Every setting of an experiment; the defaults suit small images such as the digits.
public struct ExperimentConfiguration: Sendable, Codable, Hashable {
  /// Where the command finds the images; see ``DataSource``.
  public var data = "digits"
  /// What the report calls the model, and the command makes; see ``ModelChoice``.
  public var model = "resnet20"
  /// Of a ResNet that the command makes.
  public var shortcut = ResNet.Shortcut.identity
  /// Multiplies the number of channels of a model that the command makes.
  public var widthMultiplier = 1.0
  /// Where the model is cut, nil for its own choice.
  public var split: String?
  /// Training images used, nil for all.
  public var subset: Int?
  /// Decides the weights, the split and the order of the images.
  public var seed: UInt64 = 0
  /// The share of the training images kept for validation.
  public var validationShare = 0.1
  /// Epochs of the baseline.
  public var epochs = 12
  /// The baseline's highest learning rate.
  public var learningRate = 0.1
  /// The first learning rate of the continued training (A2): a warm restart.
  public var continuedLearningRate = 0.01
  /// Images in a batch.
  public var batchSize = 32
  /// Of every weight of a classifier.
  public var weightDecay = 5e-4
  /// Of the images that a network trains on.
  public var augmentation: Augmentation?
  /// Stage S2.
  public var clustering = IntraclassClustering()
  /// Stage S3.
  public var entropy = PredictionEntropy()
  /// Stage S4.
  public var selection = RepresentativeSelection()
  /// Epochs of the autoencoder.
  public var conversionEpochs = 20
  /// The autoencoder's first learning rate.
  public var conversionLearningRate = 1e-3
  /// Multiplies that rate for the encoder.
  public var encoderLearningRateScale = 0.1
  /// Stage S7, of the arms A3 and A4, whose modes are given.
  public var transfer = KnowledgeTransfer(.headThenFineTune)

  /// The defaults for small images.
  public init() {}

  /// The model that the command makes.
  public var modelChoice: ModelChoice {
    ModelChoice(model, shortcut: shortcut, widthMultiplier: widthMultiplier)
  }

  /// Settings for CIFAR: longer training, larger batches, crops and flips.
  public static var cifar: ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.epochs = 60
    configuration.batchSize = 128
    configuration.conversionEpochs = 12
    configuration.transfer.fineTuneEpochs = 20
    configuration.augmentation = .randomCrop(padding: 4) + .horizontalFlip
    return configuration
  }

  /// Settings that suit the images of `source`.
  public static func defaults(for source: DataSource) -> ExperimentConfiguration {
    switch source {
    case .cifar10, .cifar100: .cifar
    case .digits, .synthetic, .mnist, .folder: .init()
    }
  }

  /// The source of the images that a JSON object of settings names, nil where it names none.
  public static func data(inJSON json: Data) throws(EncodeNetError) -> String? {
    struct Source: Decodable { var data: String? }
    do { return try JSONDecoder().decode(Source.self, from: json).data } catch {
      throw EncodeNetError("the configuration is no JSON object, or its 'data' no text")
    }
  }

  /// `base` with the settings of a JSON object, which may leave any out, also inside the stages.
  ///
  /// - Throws: For what is not JSON, an unknown setting, or a value that does not fit, with its name.
  public static func decoded(
    from json: Data, over base: ExperimentConfiguration = .init()
  ) throws(EncodeNetError) -> ExperimentConfiguration {
    do {
      guard let given = try JSONSerialization.jsonObject(with: json) as? [String: Any],
        let all = try JSONSerialization.jsonObject(with: JSONEncoder().encode(base)) as? [String: Any]
      else { throw EncodeNetError("the configuration is not a JSON object") }
      let merged = try merge(
        given, into: all, path: "", optional: ["split", "subset", "augmentation", "clustering.clustersPerClass"])
      let configuration = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: merged))
      try configuration.check()
      return configuration
    } catch let error as EncodeNetError {
      throw error
    } catch let DecodingError.typeMismatch(_, context), let DecodingError.dataCorrupted(context) {
      let name = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw EncodeNetError("the configuration's '\(name)' does not fit: \(context.debugDescription)")
    } catch {
      throw EncodeNetError("the configuration cannot be read: \(error.localizedDescription)")
    }
  }

  private static func merge(
    _ given: [String: Any], into base: [String: Any], path: String, optional: Set<String>
  ) throws(EncodeNetError) -> [String: Any] {
    var result = base
    for (name, value) in given {
      let full = path + name
      if optional.contains(full) {
        result[name] = value
      } else if let inner = base[name] as? [String: Any], let value = value as? [String: Any] {
        result[name] = try merge(value, into: inner, path: full + ".", optional: optional)
      } else if base[name] != nil {
        result[name] = value
      } else {
        throw EncodeNetError(
          "the configuration has no setting '\(full)'; there are \(base.keys.sorted().joined(separator: ", "))")
      }
    }
    return result
  }

  /// Checks what types do not.
  public func check() throws(EncodeNetError) {
    func positive(_ name: String, _ value: Double) throws(EncodeNetError) {
      guard value > 0, value.isFinite else { throw EncodeNetError("\(name) is \(value), it must be positive") }
    }
    try positive("epochs", Double(epochs))
    try positive("conversionEpochs", Double(conversionEpochs))
    try positive("learningRate", learningRate)
    try positive("continuedLearningRate", continuedLearningRate)
    try positive("conversionLearningRate", conversionLearningRate)
    try positive("entropy.temperature", entropy.temperature)
    try positive("transfer.headEpochs", Double(transfer.headEpochs))
    try positive("transfer.fineTuneEpochs", Double(transfer.fineTuneEpochs))
    try positive("clustering.restarts", Double(clustering.restarts))
    try positive("clustering.dimensions", Double(clustering.dimensions))
    guard batchSize > 1, transfer.batchSize > 1 else {
      throw EncodeNetError("a batch has \(min(batchSize, transfer.batchSize)) images, batch norm needs at least 2")
    }
    guard (0..<1).contains(validationShare) else {
      throw EncodeNetError("validationShare is \(validationShare), it must be at least 0 and below 1")
    }
    if let subset, subset < 1 { throw EncodeNetError("subset is \(subset), it must be positive") }
  }
}
