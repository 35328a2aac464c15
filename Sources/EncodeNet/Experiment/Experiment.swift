import Foundation
import Synchronization

/// Arms compared over seeds on one data set: whether EncodeNet helps, and against what.
///
/// ```swift
/// let report = try Experiment(configuration).run(on: data, in: folder)
/// print(report.text)
/// ```
/// Every stage leaves its artifact in the folder and is skipped where that was made from the same settings, data and
/// earlier stages; training goes on from the step that was saved last. ``ExperimentRun`` is one seed, stage by stage.
public struct Experiment: Sendable {
  /// Every setting.
  public var configuration: ExperimentConfiguration
  /// Methods of the caller's own, by the names that arms give; see ``Arm/method``.
  public var methods: [String: ExperimentRun.Method] = [:]
  /// Seconds between saves inside an epoch; each epoch is saved too.
  public var saveInterval = 20.0
  /// Whether to go on from a baseline that has not learnt; see ``LearningCheck``.
  public var force = false
  /// Called with what a person should know while an experiment runs, such as that a network does not learn: by default
  /// written to standard error.
  public var notice: @Sendable (String) -> Void = { writeNotice($0) }

  /// An experiment with these settings.
  public init(_ configuration: ExperimentConfiguration = .init()) { self.configuration = configuration }

  /// Runs what has not run yet, and writes `report.json`, `report.md` and `report.html`; each seed has its folder, with
  /// each arm's weights as `A0.safetensors` and so on.
  ///
  /// - Parameters:
  ///   - folder: Made where there is none.
  ///   - shouldStop: Asked after each step: where it says so all is saved, and ``TrainingError/interrupted(epoch:step:)`` thrown.
  ///   - progress: Called after each epoch with the name of its stage, from the thread of its seed.
  ///   - makeModel: Makes a model with random weights, always the same for the same generator; nil for the
  ///     configuration's own.
  /// - Throws: An ``EncodeNetError`` in one line, a ``TrainingError``, or a ``CheckpointError``.
  public func run(
    on data: DatasetSplit, in folder: URL, shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: ExperimentRun.Maker? = nil
  ) throws -> ExperimentReport {
    let c = configuration
    try c.check()
    let lock = try RunLock(folder)
    defer { withExtendedLifetime(lock) {} }
    let sealed = SealedTestSet(data.test)
    let store = try StageStore(folder)
    let log = RunLog(store, c)
    @Sendable func seedRun(
      _ seed: UInt64, _ shouldStop: @escaping @Sendable () -> Bool
    ) throws -> ExperimentRun {
      var run = try ExperimentRun(
        c, seed: seed, on: data, sealed: sealed, in: folder.appendingPathComponent("seed-\(seed)"), methods: methods,
        saveInterval: saveInterval, shouldStop: shouldStop,
        progress: { stage, report in
          log.epoch(seed, stage, report)
          let name = RunLog.shortened(stage)
          progress(c.seeds.count > 1 ? "seed \(seed) \(name)" : name, report)
        }, model: makeModel)
      (run.force, run.notice) = (force, notice)
      return run
    }
    // Every arm is checked before any is trained.
    let first = try seedRun(c.seeds[0]) { false }
    let settings = first.configuration
    let plan = try first.experimentPlan()
    for arm in c.arms { _ = try plan.plan(arm) }
    try log.begin(plan)
    try store.write(settings, to: "configuration.json")

    let results = Shared<[UInt64: SeedResult]>([:])
    let schedule = try schedule(store, data, makeModel)
    try schedule.run { seed, hasFailed in
      let run = try seedRun(seed) { shouldStop() || hasFailed() }
      let result = try run.result(log)
      results.value.withLock { $0[seed] = result }
    }
    let found = results.value.withLock { $0 }
    let seeds = c.seeds.map { found[$0]! }
    let report = try ExperimentReport(
      settings, run: first, dataName: data.name, threads: schedule.threads(of: c.seeds), seeds: seeds,
      inference: inference(store, first))
    try report.write(to: store, gallery: seeds[0].diagnostics?.1)
    try log.end()
    return report
  }

  /// What each network costs at inference, measured while nothing else runs.
  private func inference(_ store: StageStore, _ run: ExperimentRun) throws
    -> [BlockVariation: ExperimentReport.Inference]
  {
    var found: [BlockVariation: ExperimentReport.Inference] = [:]
    for architecture in Set(configuration.arms.map(\.finalArchitecture)).sorted(by: { $0.rawValue < $1.rawValue }) {
      let key = try stageKey(run.dataFingerprint, configuration.modelChoice, architecture)
      found[architecture] = try store.value("inference-\(architecture.rawValue)", key: key) {
        let model = try run.model(architecture)
        let shape = run.training.imageShape
        let summary = ModelSummary(of: model, input: shape)
        func latency(_ count: Int) -> Double {
          let images = Tensor.zeros(Shape([count] + shape.dimensions))
          let clock = ContinuousClock()
          return model.evaluating {
            _ = model(images)
            return (0..<9).map { _ in clock.measure { _ = model(images) } / .milliseconds(1) }.sorted()[4]
          }
        }
        return .init(
          parameters: summary.parameters, multiplyAdds: summary.multiplyAdds, latency1: latency(1),
          latency128: latency(128))
      } fits: {
        $0.isPossible
      }
    }
    return found
  }

  private func schedule(
    _ store: StageStore, _ data: DatasetSplit, _ makeModel: ExperimentRun.Maker?
  ) throws -> SeedSchedule {
    let (c, cores) = (configuration, Parallel.threadCount)
    return try store.value("threads", key: stageKey(c.seeds, cores)) {
      try SeedSchedule(fastestFor: c.seeds, cores: cores) {
        var generator = SplittableGenerator(seed: 0)
        let model =
          try makeModel?(&generator)
          ?? c.modelChoice.make(classes: data.classNames.count, inputShape: data.imageShape, using: &generator)
        let rows = Array(data.training.labels.indices.prefix(c.batchSize))
        let (images, labels) = (data.training.tensor(at: rows), rows.map { data.training.labels[$0] })
        func step(_ model: some SplitClassifier) -> () -> Void {
          let optimizer = SGD(model, learningRate: 0)
          return {
            optimizer.update(
              with: valueWithGradient(of: model) { softmaxCrossEntropy($0(images), labels: labels) }.gradients)
          }
        }
        return step(model)
      }
    } fits: {
      $0.fits(c.seeds, cores: cores)
    }
  }
}

/// What one seed found.
struct SeedResult: Sendable {
  struct Arm: Sendable {
    let id: String
    let outcome: TestOutcome
    let budget: TrainingBudget
    let curves: LearningCurves
    let seconds: Double
  }
  let seed: UInt64
  let arms: [Arm]
  let diagnostics: (SeedDiagnostics, Gallery)?
}

extension ExperimentRun {
  /// Trains every arm, scores each once, and looks at what the conversion did.
  func result(_ log: RunLog) throws -> SeedResult {
    var arms: [SeedResult.Arm] = []
    for arm in configuration.arms {
      log.begun(seed, arm.id)
      let trained = try trained(arm)
      let outcome = try outcome(trained)
      arms.append(
        .init(id: arm.id, outcome: outcome, budget: trained.budget, curves: trained.curves, seconds: trained.seconds))
      log.scored(seed, arm.id, outcome.accuracy)
    }
    return SeedResult(seed: seed, arms: arms, diagnostics: try diagnostics())
  }

  /// What an arm makes of the test images: found once for its weights, and never for others in the same folder.
  ///
  /// - Throws: Where the folder has the arm's score with other weights, or a damaged one that may have been of others: looking
  ///   again would be choosing by test images.
  public func outcome(_ trained: TrainedArm) throws -> TestOutcome {
    let name = "test-\(trained.arm.id)"
    let key = try stageKey(dataFingerprint, trained.arm.id)
    let classes = training.classCount
    let outcome = try store.value(
      name, key: key,
      refused: ", and nothing else tells with which weights arm '\(trained.arm.id)' was scored on the test images: "
        + "remove the folder \(store.folder.path) to train and score this seed anew"
    ) {
      test.outcome(of: trained.model) { inOrder($0) }
    } fits: {
      $0.fits(images: test.count, classes: classes)
    }
    guard outcome.fingerprint == weightsFingerprint(trained.model) else {
      throw EncodeNetError(
        "\(store.url("\(name).json").path): arm '\(trained.arm.id)' was scored on the test images before, with other weights: "
          + "another look would be choosing by test images, use another folder")
    }
    try settings.add(trained.arm, in: store)
    return outcome
  }
}
