import Foundation

/// One seed of an experiment in one folder: its stages and arms, each of which is run, or read back where the folder has it.
///
/// ```swift
/// let run = try ExperimentRun(configuration, on: data, in: folder) { LeNet5(classes: 10, using: &$0) }
/// let baseline = try run.baseline()
/// let clustering = try run.clustering()
/// let encodeNet = try run.trained(.named("A3"))
/// ```
@dynamicMemberLookup
public struct ExperimentRun {
  /// Every setting, also the rates that were left to the network.
  public let configuration: ExperimentConfiguration
  /// The images, networks and random streams of this seed.
  public private(set) var run: SeedRun
  /// The arms of the configuration, then those of the caller's own.
  public let arms: [Arm]
  private let recorded: RecordedSettings

  public subscript<Value>(dynamicMember place: KeyPath<SeedRun, Value>) -> Value { run[keyPath: place] }
  public subscript<Value>(dynamicMember place: WritableKeyPath<SeedRun, Value>) -> Value {
    get { run[keyPath: place] }
    set { run[keyPath: place] = newValue }
  }

  /// A run that has not begun, or resumes: everything is checked before the folder is touched.
  ///
  /// - Parameters:
  ///   - seed: nil for the configuration's first.
  ///   - folder: Made where there is none.
  ///   - arms: Arms of the caller's own beside the configuration's, made of the baseline's steps.
  ///   - saveInterval: Seconds between saves inside an epoch.
  ///   - shouldStop: Asked after each step: where it says so the state is saved, and the stage throws
  ///     ``TrainingError/interrupted(epoch:step:)``.
  ///   - communicator: The ranks that train together: each makes the same run, and the first alone touches the folder.
  ///   - synchronizesBatchNorms: Whether batch norms take the statistics of whole batches, over all ranks.
  ///   - progress: Called after each epoch with the name of its stage.
  ///   - makeModel: nil for the configuration's own model.
  public init(
    _ configuration: ExperimentConfiguration, seed: UInt64? = nil, on data: DatasetSplit, in folder: URL,
    arms: (_ baseline: [any Step]) -> [Arm] = { _ in [] }, saveInterval: Double = 20,
    communicator: any Communicator = SingleProcess(), synchronizesBatchNorms: Bool = false,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: SeedRun.Maker? = nil
  ) throws {
    try configuration.check()
    let seed = seed ?? configuration.seeds[0]
    var generator = SplittableGenerator(seed: seed, stream: "weights")
    let network =
      try makeModel?(&generator)
      ?? configuration.modelChoice.make(
        classes: data.classNames.count, inputShape: data.imageShape, using: &generator)
    try configuration.check(network, isOfTheLibrary: makeModel == nil)
    var c = configuration
    c.run = c.run.withRates(for: makeModel == nil ? nil : network)
    c.transfer.fineTuneLearningRate = c.transfer.fineTuneLearningRate ?? c.continuedLearningRate
    let given = try c.baseline.map { try UseGivenBaseline.loading($0, into: network, for: data.training) }
    let baseline: [any Step] = given.map { [$0.step] } ?? [c.baselineTraining]
    let images = try ExperimentData(data, c.run, normalization: given?.normalization)
    try c.clustering.check(labels: images.images.labels, names: data.classNames)
    self.arms = c.arms.map { c.arm($0, baseline: baseline) } + arms(baseline)
    guard !self.arms.isEmpty else { throw ExperimentError("there are no arms") }
    for arm in self.arms {
      try arm.check()
      guard self.arms.count(where: { $0.id == arm.id }) == 1 else {
        throw ExperimentError("two arms are called '\(arm.id)'")
      }
    }
    self.configuration = c
    recorded = try RecordedSettings(c, arms: self.arms, images, given: given?.step)
    if communicator.isFirst {
      try refuseOtherVersions(in: folder)
      try recorded.check(in: folder)
    }
    run = try SeedRun(
      c.run, seed: seed, data: images, baseline: baseline, in: folder,
      trainer: StepTrainer(
        interval: saveInterval, communicator: communicator, synchronizesBatchNorms: synchronizesBatchNorms,
        progress: progress, shouldStop: shouldStop), network: makeModel)
    try run.store.write(["version": runVersion], to: "version.json")
    try recorded.begin(in: run.store)
    let reference = try run.plan(c.reference(baseline: baseline))
    run.budget = reference.budget.total
    // Every stage begins with these.
    try run.share(reference.steps.through(Cluster.self))
    _ = try judgeChoice()
  }

  // MARK: Arms

  /// The arm that those settings describe.
  public func arm(_ settings: ArmSettings) -> Arm { configuration.arm(settings, baseline: run.baselineSteps) }

  /// An arm, with all that it needs before.
  public func trained(_ arm: ArmSettings) throws -> TrainedArm { try run.trained(self.arm(arm)) }

  /// Stage S0, the arm A0.
  public func baseline() throws -> TrainedArm {
    try trained(configuration.arms.first(where: \.isBaseline) ?? .baseline)
  }

  /// Scores an arm on the test images; see ``SeedRun/outcome(_:)``.
  public func outcome(_ trained: TrainedArm) throws -> TestOutcome {
    let outcome = try run.outcome(trained)
    try recorded.score(trained.id, in: run.store)
    return outcome
  }

  // MARK: Stages

  /// Stages S2 to S4 on the baseline: clusters, entropies and representatives.
  public func clustering() throws -> ClusteringStage {
    let steps = try run.plan(arm(.encodeNet)).steps
    return try run.state(after: steps.through(Cluster.self))[ClusteringStage.self]!
  }

  /// Stages S5 and S6 with the epochs of the settings.
  public func conversion() throws -> ConversionStage {
    let steps = configuration.reference(baseline: run.baselineSteps).steps
    return try run.state(after: steps.through(Convert.self))[ConversionStage.self]!
  }

  /// Stages S5 and S6 as `arm` has them: pairs, and the Generalized Converting Autoencoder trained on them, or a control in
  /// its place; nil for an arm without a conversion.
  public func conversion(_ arm: ArmSettings) throws -> ConversionStage? {
    guard arm.conversion != nil else { return nil }
    return try run.state(after: run.plan(self.arm(arm)).steps.through(Convert.self))[ConversionStage.self]
  }
}

extension [any Step] {
  /// The steps up to the first of that type.
  fileprivate func through<S: Step>(_ type: S.Type) -> [any Step] {
    Array(prefix((firstIndex { $0 is S } ?? count - 1) + 1))
  }
}

extension ExperimentConfiguration {
  /// Checks that the settings fit the network.
  fileprivate func check(_ network: any SplitClassifier, isOfTheLibrary: Bool) throws(ExperimentError) {
    if let split, !network.splits.contains(split) {
      throw ExperimentError("the model has no split '\(split)'; there are \(network.splits.joined(separator: ", "))")
    }
    if !isOfTheLibrary, let arm = arms.first(where: { $0.architecture != .plain }) {
      throw ExperimentError("arm '\(arm.id)': only the library's own networks have another architecture")
    }
  }
}

/// The version of what a run leaves in its folder.
private let runVersion = 4

/// Refuses the folder of a run that another version has begun: its training states cannot be resumed. Version 0.1 wrote no number.
private func refuseOtherVersions(in folder: URL) throws {
  let marker = folder.appendingPathComponent("version.json")
  guard FileManager.default.fileExists(atPath: folder.path) else { return }
  let other: String
  do {
    if FileManager.default.fileExists(atPath: marker.path) {
      let found = members(ofJSON: try Data(contentsOf: marker))["version"] as? Int
      guard found != runVersion else { return }
      other = found.map { $0 > runVersion ? "a later version" : "an earlier version" } ?? "another version"
    } else {
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      guard files.contains(where: { $0.hasSuffix(".state.safetensors") || $0.hasPrefix("test-") }) else { return }
      other = "an earlier version"
    }
  } catch { throw ExperimentError("\(folder.path): the folder cannot be read: \(error.localizedDescription)") }
  throw ExperimentError(
    "\(folder.path): the run was begun by \(other), whose states this one cannot resume: finish it with that "
      + "version, or use another folder; nothing was changed, and 'encodenet report' still reads a finished one")
}

extension RecordedSettings {
  /// The settings that decide what each arm becomes.
  fileprivate init(
    _ configuration: ExperimentConfiguration, arms: [Arm], _ data: ExperimentData,
    given: UseGivenBaseline?
  ) throws {
    // Where the data and the weights are is of no consequence, nor is what looks at conversion afterwards; how images are read shows
    // in the fingerprint of the data.
    var flat = try Self.flattened(configuration)
    let ignored: Set = ["data", "images", "seeds", "arms", "judge", "auditImages", "baseline"]
    for key in flat.keys where ignored.contains(key.prefix { $0 != "." }.description) { flat[key] = nil }
    flat["the data"] = data.fingerprint
    if let given {
      flat.merge(try Self.flattened(given, under: "the given baseline's weights")) { $1 }
      flat.merge(try Self.flattened(data.normalization, under: "normalization")) { $1 }
    }
    // Nothing else decides what the baseline becomes.
    let shared = Set(RunSettings.settings.map(\.name)).subtracting(["continuedLearningRate"])
    let baselines = flat.filter {
      let name = $0.key.prefix { $0 != "." }.description
      return shared.contains(name) || name.hasPrefix("the ") || name == "normalization"
    }
    var all: [String: Paths] = [:]
    // The baseline is trained also where no arm is the baseline alone.
    let hasBaseline = configuration.arms.contains(where: \.isBaseline)
    for arm in configuration.arms + (hasBaseline ? [] : [.baseline]) {
      let settings = try Self.flattened(arm, under: "arms.\(arm.id)")
      all[arm.id] = (arm.isBaseline ? baselines : flat).merging(settings) { $1 }
    }
    for arm in arms where all[arm.id] == nil {
      let steps = try arm.steps.enumerated().map { try Self.flattened($1, under: "arms.\(arm.id).steps.\($0)") }
      all[arm.id] = steps.reduce(flat) { $0.merging($1) { $1 } }
    }
    self.init(all)
  }
}
