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
  /// Where the model is cut for transfer, nil for its own choice.
  public var split: String?
  /// What the decoder sees of features that are a map, nil for what the model's head sees.
  public var decoderView: Decoder.View?
  /// Training images used, nil for all.
  public var subset: Int?
  /// Each decides the weights and the order of the images of a whole run; verdicts speak of what varies between them.
  public var seeds: [UInt64] = [0]
  /// Decides which images are used and which are kept for validation: the same ones whatever the seed.
  public var splitSeed: UInt64 = 0
  /// What is compared.
  public var arms: [Arm] = Arm.standard.filter { ["A0", "A1", "A2", "A3", "A4", "A16"].contains($0.id) }
  /// The share of the training images kept for validation.
  public var validationShare = 0.1
  /// As many of the training images that ``subset`` leaves unused are kept to judge conversion with: nothing trains on them,
  /// and nothing is chosen by them.
  public var auditImages = 10_000
  /// A trained classifier to begin with, nil to train the baseline; see ``beginning(with:)``.
  public var baseline: GivenBaseline?
  /// Epochs of the baseline, where it is trained, and of what judges it.
  public var epochs = 12
  /// The baseline's highest learning rate, nil for what suits the network and the batch size; see
  /// ``ModelChoice/learningRate(batchSize:)``.
  public var learningRate: Double?
  /// The first learning rate of what trains on from the baseline, such as A2: a warm restart; nil for a fifth of
  /// ``learningRate``.
  public var continuedLearningRate: Double?
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
  /// Stage S5.
  public var pairing = ConversionPairing()
  /// Stage S6. The perceptual term and the learning rate are those of `Docs/results`: with the squared error alone, converted
  /// photographs are mixtures that a classifier takes for anything.
  public var conversion = ConversionTraining.withPerceptualTerm
  /// The network that judges converted images beside the baseline: a model's name, "automatic" for one of another
  /// architecture, or "none". Its training is no part of any budget.
  public var judge = "automatic"
  /// Stage S7; the mode is the arm's.
  public var transfer = KnowledgeTransfer(.headThenFineTune)

  /// The defaults for small images.
  public init() {}

  /// The model that the command makes.
  public var modelChoice: ModelChoice {
    ModelChoice(model, shortcut: shortcut, widthMultiplier: widthMultiplier)
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
      var plain = given
      plain["arms"] = nil
      var merged = try merge(
        plain, into: all, path: "",
        optional: [
          "split", "decoderView", "subset", "baseline", "augmentation", "learningRate", "continuedLearningRate",
          "clustering.clustersPerClass", "pairing.softness", "conversion.targetSize", "conversion.batchSize",
          "conversion.decoderHeadStart",
          "transfer.fineTuneLearningRate",
        ])
      if let arms = given["arms"] { merged["arms"] = try self.arms(arms) }
      var configuration = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: merged))
      // Arms that nobody asked for need not be there.
      if given["arms"] == nil, let baseline = configuration.baseline {
        configuration = configuration.beginning(with: baseline)
      }
      try configuration.check()
      return configuration
    } catch let error as EncodeNetError {
      throw error
    } catch let DecodingError.typeMismatch(_, context), let DecodingError.dataCorrupted(context) {
      let name = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw EncodeNetError("the configuration's '\(name)' does not fit: \(context.debugDescription)")
    } catch let DecodingError.keyNotFound(key, context) {
      let name = (context.codingPath.map(\.stringValue) + [key.stringValue]).joined(separator: ".")
      throw EncodeNetError("the configuration lacks '\(name)'")
    } catch {
      throw EncodeNetError("the configuration cannot be read: \(error.localizedDescription)")
    }
  }

  /// Arms by their ids, or objects that change the arm they name.
  private static func arms(_ given: Any) throws -> [[String: Any]] {
    guard let list = given as? [Any] else { throw EncodeNetError("the configuration's 'arms' is not a list") }
    func object(_ value: some Encodable) throws -> [String: Any] {
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any] ?? [:]
    }
    return try list.enumerated().map { index, item in
      if let id = item as? String { return try object(Arm.named(id)) }
      guard var changes = item as? [String: Any] else {
        throw EncodeNetError("the configuration's 'arms.\(index)' is neither an arm's id nor an object")
      }
      var arm: [String: Any]
      if let base = changes.removeValue(forKey: "arm") as? String {
        arm = try object(Arm.named(base))
      } else if changes["id"] != nil, changes["name"] != nil {
        arm = try object(Arm("", ""))
      } else {
        throw EncodeNetError("the configuration's 'arms.\(index)' does not say which 'arm' it changes")
      }
      // What the arm has not may be given in part too.
      if arm["conversion"] == nil, changes["conversion"] is [String: Any] {
        arm["conversion"] = try object(Conversion())
      }
      if var recipe = arm["recipe"] as? [String: Any], recipe["teaching"] == nil,
        (changes["recipe"] as? [String: Any])?["teaching"] is [String: Any]
      {
        recipe["teaching"] = try object(Teaching(.baseline))
        arm["recipe"] = recipe
      }
      return try merge(
        changes, into: arm, path: "arms.\(index).",
        optional: Set(
          ["method", "learningRate", "recipe.mixing", "recipe.average", "recipe.sharpness", "recipe.teaching.teacher"]
            .map { "arms.\(index).\($0)" }))
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
    try pairing.check()
    try conversion.check()
    for (name, rate) in [
      ("learningRate", learningRate), ("continuedLearningRate", continuedLearningRate),
      ("transfer.fineTuneLearningRate", transfer.fineTuneLearningRate),
    ] {
      if let rate { try positive(name, rate) }
    }
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
    guard auditImages >= 0 else { throw EncodeNetError("auditImages is \(auditImages), it must not be negative") }
    if let subset, subset < 1 { throw EncodeNetError("subset is \(subset), it must be positive") }
    guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
      throw EncodeNetError("seeds is \(seeds): there must be at least one, and each once")
    }
    guard !arms.isEmpty else { throw EncodeNetError("there are no arms") }
    if let baseline {
      if let arm = arms.first(where: { $0.start == .random && !$0.isBaseline }) {
        throw EncodeNetError(
          "arm '\(arm.id)' begins from random weights: beside a given baseline, whose training nobody counted, there is no "
            + "such arm; A2 is the control")
      }
      guard baseline.kerasEpsilon >= 0, baseline.kerasEpsilon.isFinite else {
        throw EncodeNetError("baseline.kerasEpsilon is \(baseline.kerasEpsilon), it must not be negative")
      }
    }
    for arm in arms {
      try arm.check()
      guard arms.count(where: { $0.id == arm.id }) == 1 else { throw EncodeNetError("two arms are called '\(arm.id)'") }
    }
  }
}
