import Foundation

/// Trains networks for the steps of a run: watched, and where there is a store also saved now and then, and resumed.
///
/// Several ranks train together; the first of them saves.
package struct StepTrainer {
  var store: ArtifactStore?
  private let interval: Double
  private let progress: @Sendable (_ stage: String, _ report: EpochReport) -> Void
  private let shouldStop: @Sendable () -> Bool
  let communicator: any Communicator
  let synchronizesBatchNorms: Bool
  /// The keys of the trainings so far by their names, which name their files.
  private let keys = Shared<[String: String]>([:])

  /// - Parameters:
  ///   - interval: Seconds between saves inside an epoch.
  ///   - shouldStop: Asked after each step: where it says so the state is saved and the stage throws
  ///     ``TrainingError/interrupted(epoch:step:)``.
  package init(
    interval: Double = 20, communicator: any Communicator = SingleProcess(), synchronizesBatchNorms: Bool = false,
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    (self.interval, self.progress, self.shouldStop) = (interval, progress, shouldStop)
    (self.communicator, self.synchronizesBatchNorms) = (communicator, synchronizesBatchNorms)
  }

  /// Trains what is left of the epochs of `fit`.
  ///
  /// - Parameters:
  ///   - average: Saved and resumed with the rest.
  ///   - stage: A name of its own: the name of its files.
  ///   - afterEpoch: Called after each epoch, before it is saved.
  package func callAsFunction<Model: Layer, Source: BatchSource>(
    _ stage: String, key: String, _ fit: Fit<Model, Source>, average: WeightAverage? = nil,
    afterEpoch: (EpochReport) -> Void = { _ in }
  ) throws -> [EpochReport] {
    // Nothing is trained on what was made of an image that could not be read.
    if let problem = DataFaults.pending { throw ExperimentError(problem) }
    let other = keys.value.withLock { keys in
      defer { keys[stage] = key }
      return keys[stage].flatMap { $0 == key ? nil : $0 }
    }
    guard other == nil else {
      throw ExperimentError(
        "two trainings of this run are called '\(stage)', and each would replace what the other saves: give them names")
    }
    var run = fit
    (run.communicator, run.synchronizesBatchNorms) = (communicator, synchronizesBatchNorms)
    let (model, optimizer) = (run.model, run.optimizer)
    var reports = try resume(&run, stage, key: key, average: average)
    let clock = ContinuousClock()
    var (lastSave, failure): (ContinuousClock.Instant, (any Error)?) = (clock.now, nil)
    func save(_ position: TrainingPosition, _ reports: [EpochReport]) throws {
      guard let store, communicator.isFirst else { return }
      // A non-finite state must not replace one that can be resumed.
      if let name = model.firstNonFinite {
        throw TrainingError.nonFiniteParameter(epoch: position.epoch, step: position.step, name: name)
      }
      try store.states(stage).save(
        TrainingCheckpoint(
          model, optimizer, average: average, at: position, reports: reports, key: key, ranks: communicator.size))
      lastSave = clock.now
    }
    var curves = CurveFiles(stage, store, isFirst: communicator.isFirst)
    run.shouldStop = { failure != nil || shouldStop() }
    run.onStep = { step in
      guard (clock.now - lastSave) / .seconds(1) > interval else { return }
      do { try save(step.position, reports) } catch { failure = error }
    }
    while let report = run.next() {
      if let failure { throw failure }
      if case .interrupted = report.stopped { try save(run.position, reports) }
      try report.check()
      reports.append(report)
      afterEpoch(report)
      try save(run.position, reports)
      curves.write(reports)
      progress(stage, report)
    }
    if communicator.isFirst { store?.states(stage).removeOlder() }
    return reports
  }

  /// Restores what the store has of a run, and gives the reports of its epochs. The first rank's state becomes that of all as the run
  /// begins, but for an average that the run does not know.
  private func resume<Model: Layer, Source: BatchSource>(
    _ run: inout Fit<Model, Source>, _ stage: String, key: String, average: WeightAverage?
  ) throws -> [EpochReport] {
    var reports: [EpochReport] = []
    if let saved = try store?.state(stage, key: key) {
      try saved.restore(run.model, run.optimizer, average: average)
      (run.position, reports) = (saved.position, saved.reports)
      if saved.ranks != communicator.size, saved.position.epoch < run.epochs {
        writeNotice(
          "\(stage): was trained on \(saved.ranks) rank\(saved.ranks == 1 ? "" : "s") and resumes on \(communicator.size): at the "
            + "same image, but not bit for bit with the same weights")
      }
    }
    guard communicator.size > 1 else { return reports }
    reports = decoded(communicator.broadcast(encoded(reports)), [EpochReport].self)
    if let average {
      let state = communicator.broadcast(average.state)
      if !communicator.isFirst { try average.load(state) }
    }
    return reports
  }
}

/// Writes the learning curves of a stage, as CSV and for TensorBoard. A failure stops nothing, and is told once.
private struct CurveFiles {
  private let stage: String
  private let store: ArtifactStore?
  private let isFirst: Bool
  private var events: EventLog?
  private var isIncomplete = false

  init(_ stage: String, _ store: ArtifactStore?, isFirst: Bool) {
    (self.stage, self.store, self.isFirst) = (stage, store, isFirst)
  }

  /// Adds the last of `reports`.
  mutating func write(_ reports: [EpochReport]) {
    guard let store, let last = reports.last else { return }
    do {
      try store.write(LearningCurves(reports).csv, to: "\(stage).csv")
      guard isFirst else { return }
      let log = try events ?? EventLog(in: store.url("events").appendingPathComponent(stage))
      events = log
      try log.append(last)
    } catch {
      if !isIncomplete { writeNotice("\(stage): its learning curves are incomplete: \(error)") }
      isIncomplete = true
    }
  }
}
