import Foundation
import Synchronization

/// Arms compared over seeds on one data set: whether EncodeNet helps, and against what.
///
/// Every step leaves its artifact in the folder and is skipped where that was made from the same settings, data and
/// earlier steps; training resumes at the step that was saved last. ``ExperimentRun`` is one seed, stage by stage, and the
/// module `Reports` adds `run`, which writes a report.
public struct Experiment: Sendable {
  /// Every setting.
  public var configuration: ExperimentConfiguration
  /// Arms of the caller's own beside the configuration's, of the steps that make the baseline and steps of its own; see
  /// ``Step``.
  public var arms: @Sendable (_ baseline: [any Step]) -> [Arm] = { _ in [] }
  /// Seconds between saves inside an epoch; each epoch is saved too.
  public var saveInterval = 20.0
  /// Whether to continue from a baseline that has not learnt; see ``LearningCheck``.
  public var force = false
  /// The ranks that run the experiment: each makes the same one, on the same data. Their groups share seeds, then arms; the folder must
  /// be seen by all where there are several groups.
  public var communicator: any Communicator = SingleProcess()
  /// The number of ranks that train a network together; nil for a group of ranks for each seed, as far as there are ranks.
  public var ranksPerRun: Int?
  /// Whether batch norms take the statistics of whole batches, over the ranks that train together.
  public var synchronizesBatchNorms = false
  /// Called with warnings while an experiment runs, such as that a network does not learn; by default it writes them to
  /// standard error.
  public var notice: @Sendable (String) -> Void = { writeNotice($0) }

  /// Called after the first epoch of each arm with a line of the time that is probably left.
  public var timeLeft: @Sendable (String) -> Void = { _ in }

  /// An experiment with these settings.
  public init(_ configuration: ExperimentConfiguration = .init()) { self.configuration = configuration }

  package enum Event {
    /// Every arm is planned, and nothing is trained yet; `keys` are those of the steps of each.
    case planned([ArmPlan], keys: [[String]], ExperimentRun)
    case began(seed: UInt64, arm: String)
    case epoch(seed: UInt64, stage: String, EpochReport)
    case scored(seed: UInt64, arm: String)
  }

  /// The run of the first seed, the results and the threads of each seed, and the cost of each arm's network.
  package typealias Results = (run: ExperimentRun, seeds: [SeedResult], threads: [Int], inference: [Inference])

  /// Runs what has not run yet; each seed has its folder, with each arm's weights as `A0.safetensors` and so on.
  ///
  /// - Returns: nil on all ranks but the first.
  package func results(
    on data: DatasetSplit, in store: ArtifactStore, shouldStop: @escaping @Sendable () -> Bool,
    model makeModel: SeedRun.Maker?, _ observe: @escaping @Sendable (Event) -> Void
  ) throws -> Results? {
    let seeds = configuration.seeds
    @Sendable func seedRun(
      _ seed: UInt64, _ ranks: any Communicator, _ shouldStop: @escaping @Sendable () -> Bool
    ) throws -> ExperimentRun {
      var run = try ExperimentRun(
        configuration, seed: seed, on: data, in: store.url("seed-\(seed)"), arms: arms, saveInterval: saveInterval,
        communicator: ranks, synchronizesBatchNorms: synchronizesBatchNorms, shouldStop: shouldStop,
        progress: { observe(.epoch(seed: seed, stage: $0, $1)) }, model: makeModel)
      (run.force, run.notice) = (force, notice)
      return run
    }
    // Every arm is checked before any is trained.
    let first = try seedRun(seeds[0], communicator) { false }
    let plans = try first.arms.map { try first.run.plan($0) }
    observe(.planned(plans, keys: try plans.map { try first.run.keys(of: $0.steps) }, first))
    try store.write(first.configuration, to: "configuration.json")

    if communicator.size > 1 {
      let found = try results(inGroupsOn: store, observe) { try seedRun($0, $1, shouldStop) }
      guard let found else { return nil }
      let alone = try ArtifactStore(store.folder)
      return (
        first, found, seeds.map { _ in Parallel.threadCount },
        try plans.map { try first.inference(of: $0.variation, savedIn: alone) }
      )
    }
    let found = Shared<[UInt64: SeedResult]>([:])
    let schedule = try schedule(store, data, makeModel)
    try schedule.run { seed, hasFailed in
      let run = try seedRun(seed, communicator) { shouldStop() || hasFailed() }
      let result = try throwingDataFaults { try run.result(observe) }
      found.value.withLock { $0[seed] = result }
    }
    let results = found.value.withLock { found in seeds.map { found[$0]! } }
    // Measured while nothing else runs.
    let inference = try plans.map { try first.inference(of: $0.variation, savedIn: store) }
    return (first, results, schedule.threads(of: seeds), inference)
  }

  /// The results of all seeds, each of which a group of ranks, or several, have run; nil on all ranks but the first.
  private func results(
    inGroupsOn store: ArtifactStore, _ observe: (Event) -> Void,
    _ seedRun: (_ seed: UInt64, _ ranks: any Communicator) throws -> ExperimentRun
  ) throws -> [SeedResult]? {
    let seeds = configuration.seeds
    let groups = try RankGroups(communicator, ranksPerRun: ranksPerRun, seeds: seeds.count)
    try groups.requireShared(store.folder)
    let sent = try groups.together(communicator) {
      try groups.ownSeeds.compactMap { index -> SentSeed? in
        let run = try seedRun(seeds[index], groups.group)
        try run.trainApart(groups)
        guard groups.numberInSeed == 0 else { return nil }
        return SentSeed(try throwingDataFaults { try run.result(observe) })
      }
    }
    let all = communicator.gathered(encoded(groups.group.isFirst ? sent ?? [] : [])).flatMap {
      decoded($0, [SentSeed].self).map(\.result)
    }
    return communicator.isFirst ? seeds.map { seed in all.first { $0.seed == seed }! } : nil
  }

  private func schedule(
    _ store: ArtifactStore, _ data: DatasetSplit, _ makeModel: SeedRun.Maker?
  ) throws -> SeedSchedule {
    let (c, cores) = (configuration, Parallel.threadCount)
    return try store.value("threads", key: fingerprint(of: c.seeds, cores)) {
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

/// The results of one arm of one seed.
package typealias ArmResult = (outcome: TestOutcome, budget: TrainingBudget, curves: LearningCurves, seconds: Double)
/// The results of one seed, its arms in the order of the run's.
package typealias SeedResult = (seed: UInt64, arms: [ArmResult], diagnostics: (SeedDiagnostics, Gallery)?)

extension ExperimentRun {
  /// The cost at inference of the network of that variation.
  fileprivate func inference(of variation: BlockVariation, savedIn store: ArtifactStore) throws -> Inference {
    let key = try fingerprint(of: run.data.fingerprint, configuration.modelChoice, variation)
    return try store.value("inference-\(variation.rawValue)", key: key) {
      Inference(of: try run.network(variation), imageShape: run.images.imageShape)
    } fits: {
      $0.isPossible
    }
  }

  /// Trains every arm, scores each once, and looks at what the conversion did.
  func result(_ observe: (Experiment.Event) -> Void) throws -> SeedResult {
    let seed = run.seed
    try run.share(arms.map { try run.plan($0) })
    let results = try arms.map { arm -> ArmResult in
      observe(.began(seed: seed, arm: arm.id))
      let trained = try run.trained(arm)
      let outcome = try outcome(trained)
      observe(.scored(seed: seed, arm: arm.id))
      return (outcome, trained.budget, trained.curves, trained.seconds)
    }
    return (seed, results, try diagnostics())
  }
}
