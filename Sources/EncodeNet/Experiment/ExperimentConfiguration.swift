import Foundation

/// Every setting of an experiment; the defaults suit small images such as the digits.
///
/// Settings that hold for any method are in ``RunSettings``; in Swift and in JSON they are members of this type too.
@dynamicMemberLookup
public struct ExperimentConfiguration: Settings {
  /// The settings that hold for any method.
  public var run = RunSettings()
  /// The split of the model for transfer, nil for its default.
  public var split: String?
  /// The part of a feature map that the decoder sees, nil for what the model's head sees.
  public var decoderView: Decoder.View?
  /// The arms that are compared.
  public var arms: [ArmSettings] = ArmSettings.standard.filter {
    ["A0", "A1", "A2", "A3", "A4", "A16"].contains($0.id)
  }
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

  public static let settings: [Setting<ExperimentConfiguration>] =
    RunSettings.settings.map { $0.inside(\.run) } + stages
  private static let stages: [Setting<ExperimentConfiguration>] = [
    Setting("split", \.split), Setting("decoderView", \.decoderView), Setting("arms", \.arms, schema: armsSchema),
    Setting("clustering", \.clustering), Setting("entropy", \.entropy), Setting("selection", \.selection),
    Setting("pairing", \.pairing), Setting("conversion", \.conversion), Setting("judge", \.judge),
    Setting("transfer", \.transfer),
  ]
  private static let armsSchema =
    #"{"type": "array", "items": {"anyOf": [{"type": "string"}, \#(ArmSettings.schema)]}}"#

  public subscript<Value>(dynamicMember place: WritableKeyPath<RunSettings, Value>) -> Value {
    get { run[keyPath: place] }
    set { run[keyPath: place] = newValue }
  }
  public subscript<Value>(dynamicMember place: KeyPath<RunSettings, Value>) -> Value { run[keyPath: place] }

  /// `base` with the settings of a JSON object, which may leave any out, also inside the stages.
  ///
  /// - Throws: For what is not JSON, an unknown setting, or a value that does not fit, with its path.
  public static func decoded(
    from json: Data, over base: ExperimentConfiguration = .init()
  ) throws(ExperimentError) -> ExperimentConfiguration {
    var configuration = try base.merging(json)
    // Arms of the defaults may be left out.
    if let baseline = configuration.baseline, !names(in: json).contains("arms") {
      configuration = configuration.beginning(with: baseline)
    }
    guard !configuration.arms.isEmpty else { throw ExperimentError("there are no arms") }
    try configuration.check()
    return configuration
  }

  /// The settings that a JSON object names.
  public static func names(in json: Data) -> Set<String> { Set(members(ofJSON: json).keys) }

  /// The source of the images that a JSON object of settings names, nil where it names none.
  public static func data(inJSON json: Data) throws(ExperimentError) -> String? {
    struct Source: Decodable { var data: String? }
    let outline = try JSONOutline(configuration: json)
    do { return try JSONDecoder().decode(Source.self, from: json).data } catch { throw outline.located(error) }
  }

  /// A JSON schema of a configuration, any of whose settings may be left out.
  public static var schemaDocument: String {
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": \"A configuration of EncodeNet\", "
      + schema.dropFirst()
  }

  /// These settings with a trained baseline to begin with, and without the arms that would train one.
  public func beginning(with baseline: GivenBaseline) -> ExperimentConfiguration {
    var settings = self
    settings.baseline = baseline
    settings.arms.removeAll { $0.start == .random && !$0.isBaseline }
    return settings
  }

  /// Checks the values.
  public func check() throws(ExperimentError) {
    try run.check()
    try pairing.check()
    try conversion.check()
    if let rate = transfer.fineTuneLearningRate { try requirePositive("transfer.fineTuneLearningRate", rate) }
    try requirePositive("entropy.temperature", entropy.temperature)
    try requireCount("transfer.headEpochs", transfer.headEpochs)
    try requireCount("transfer.fineTuneEpochs", transfer.fineTuneEpochs)
    try requireCount("clustering.restarts", clustering.restarts)
    try requireCount("clustering.dimensions", clustering.dimensions)
    if let memory = clustering.featureMemory { try requireWithin("clustering.featureMemory", Double(memory), 1...1e6) }
    // Batch norm needs two images.
    try requireCount("transfer.batchSize", transfer.batchSize, from: 2)
    if run.baseline != nil, let arm = arms.first(where: { $0.start == .random && !$0.isBaseline }) {
      throw ExperimentError(
        "arm '\(arm.id)' begins from random weights: beside a given baseline, whose training is not counted, there is no "
          + "such arm; A2 is the control")
    }
    for arm in arms {
      try arm.check()
      guard arms.count(where: { $0.id == arm.id }) == 1 else {
        throw ExperimentError("two arms are called '\(arm.id)'")
      }
    }
  }
}
