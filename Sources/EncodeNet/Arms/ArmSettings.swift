/// The settings of an arm: what makes its steps; see ``ExperimentRun/arm(_:)``.
///
/// Arms of one seed have the same first weights, order of the images and augmentation, and those that begin at the baseline
/// share it. ``standard`` has those of the method; a JSON description names them or changes them:
/// ```json
/// "arms": ["A2", "A3", {"arm": "A2", "id": "wide-sam", "recipe": {"rho": 0.1}}]
/// ```
public struct ArmSettings: Settings {
  /// The weights that training begins with.
  public enum Start: String, Sendable, Codable, Hashable, CaseIterable {
    /// Random ones: a single cycle over the whole budget.
    case random
    /// The baseline's, whose cost counts: a warm restart over the rest of the budget.
    case baseline
  }

  /// Its name in reports and files: letters, digits, `-`, `_` and `.`.
  public var id = ""
  /// A description in a few words.
  public var name = ""
  /// Whether this is the baseline itself, which only the first part of the budget is spent on.
  public var isBaseline = false
  /// The weights that training begins with; of a conversion, those of its encoder.
  public var start = Start.baseline
  /// The variation of the network.
  public var architecture = BlockVariation.plain
  /// The conversion that the encoder is first trained for, nil for none.
  public var conversion: Conversion?
  /// The layers that are trained after a conversion.
  public var transfer = KnowledgeTransfer.Mode.headThenFineTune
  /// The recipe that the classifier is trained by.
  public var recipe = TrainingRecipe()
  /// The first learning rate, nil for the experiment's.
  public var learningRate: Double?

  /// An arm without a name.
  public init() {}

  /// An arm that trains on from the baseline.
  public init(_ id: String, _ name: String) { (self.id, self.name) = (id, name) }

  init(_ id: String, _ name: String, _ change: (inout ArmSettings) -> Void) {
    self.init(id, name)
    change(&self)
  }

  public static let settings: [Setting<ArmSettings>] = [
    Setting("id", \.id), Setting("name", \.name), Setting("isBaseline", \.isBaseline), Setting("start", \.start),
    Setting("architecture", \.architecture), Setting("conversion", \.conversion), Setting("transfer", \.transfer),
    Setting("recipe", \.recipe), Setting("learningRate", \.learningRate), Setting(readElsewhere: "arm"),
  ]

  /// A standard arm's id, or an object that changes the arm it names or describes one of its own.
  public init(from decoder: any Swift.Decoder) throws {
    if let id = try? decoder.singleValueContainer().decode(String.self) {
      self = try .named(id)
      return
    }
    let values = try decoder.container(keyedBy: SettingName.self)
    let id = try values.decodeIfPresent(String.self, forKey: SettingName("id"))
    if let base = try values.decodeIfPresent(String.self, forKey: SettingName("arm")) {
      self = try .named(base)
    } else if let id, values.contains(SettingName("name")) {
      // Version 0.1 told the baseline by its id.
      self.init()
      isBaseline = id == ArmSettings.baseline.id
    } else {
      throw SettingError(decoder.codingPath, " does not say which 'arm' it changes, nor an 'id' and a 'name'")
    }
    try merge(from: decoder)
  }

  /// Whether `other` is the same but for its id and name.
  package func isSameMethod(as other: ArmSettings) -> Bool {
    var same = other
    (same.id, same.name) = (id, name)
    return same == self
  }

  func check() throws(ExperimentError) {
    try Arm(id, name, []).check()
    guard architecture == .plain || (start == .random && conversion == nil) else {
      throw ExperimentError(
        "arm '\(id)': another architecture cannot take over the baseline's weights: its start must be random, and it has no conversion"
      )
    }
    guard architecture == .plain || recipe.distillation?.teacher != .peer else {
      throw ExperimentError("arm '\(id)': mutual learning works with the plain architecture")
    }
    if let learningRate { try requirePositive("arm '\(id)': learningRate", learningRate) }
    try recipe.check(id)
  }
}
