import Foundation

extension Experiment {
  /// Runs what has not run yet, and writes `report.json`, `report.md` and `report.html`; each seed has its folder, with
  /// each arm's weights as `A0.safetensors` and so on.
  ///
  /// ```swift
  /// let report = try Experiment(configuration).run(on: data, in: folder)
  /// print(report.text)
  /// ```
  /// On several ranks all call it, the first writes, and all get the report.
  /// - Parameters:
  ///   - folder: Made where there is none.
  ///   - shouldStop: Asked after each step: where it says so all is saved, and ``TrainingError/interrupted(epoch:step:)`` thrown.
  ///   - progress: Called after each epoch with the name of its stage, from the thread of its seed.
  ///   - makeModel: Makes a model with random weights, always the same for the same generator; nil for the
  ///     configuration's own.
  /// - Throws: An ``ExperimentError`` in one line, a ``TrainingError``, or a ``CheckpointError``.
  public func run(
    on data: DatasetSplit, in folder: URL, shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: SeedRun.Maker? = nil
  ) throws -> ExperimentReport {
    try configuration.check()
    let lock = communicator.isFirst ? try RunLock(folder) : nil
    defer { withExtendedLifetime(lock) {} }
    let store = try ArtifactStore(folder, for: communicator)
    let (log, hasSeeds) = (RunLog(store, configuration), configuration.seeds.count > 1)
    let results = try results(on: data, in: store, shouldStop: shouldStop, model: makeModel) { event in
      log.observe(event)
      if case .epoch(let seed, let stage, let report) = event {
        let name = RunLog.shortened(stage)
        progress(hasSeeds ? "seed \(seed) \(name)" : name, report)
        if let line = log.timeLeft(of: seed) { timeLeft(line) }
      }
    }
    let report = try results.map { try ExperimentReport($0) }
    if let results, let report {
      try report.write(to: store, gallery: results.seeds[0].diagnostics?.1)
      log.write(isEnd: true)
    }
    guard communicator.size > 1 else { return report! }
    return decoded(communicator.broadcast(encoded(report)), ExperimentReport.self)
  }
}

extension ExperimentReport {
  init(_ results: Experiment.Results) throws {
    let (run, seeds) = (results.run, results.seeds)
    let (data, total) = (run.data, run.budget ?? 0)
    configuration = run.configuration
    classNames = run.images.classNames
    self.run = Run(
      library: libraryVersion, data: data.name, dataFingerprint: data.fingerprint,
      splitFingerprint: try fingerprint(of: data.fingerprint, data.rows, data.validation, data.audit),
      training: data.rows.count, validation: data.validationCount,
      hasOwnValidation: data.givenValidation == nil ? nil : true,
      audit: data.audit.count, test: data.test.count, leaked: data.test.overlap(with: data.images),
      threads: results.threads, budget: total, givenBaseline: configuration.baseline?.displayName)
    arms = run.arms.enumerated().map { index, arm in
      Arm(
        arm, seeds: seeds.map { ($0.seed, $0.arms[index], $0.arms[0].outcome) },
        isUnequal: !seeds[0].arms[index].budget.isEqual(to: total),
        inference: results.inference[index])
    }
    self.seeds = seeds.map { Seed(seed: $0.seed, diagnostics: $0.diagnostics?.0) }
    comparisons = Self.compared(run, seeds)
    diagnosis = []
    diagnosis = diagnosed()
  }

  private static func compared(_ run: ExperimentRun, _ seeds: [SeedResult]) -> [Comparison] {
    let (settings, ids) = (run.configuration.arms, run.arms.map(\.id))
    func comparison(_ family: Comparison.Family, part: String? = nil, _ first: Int, _ second: Int) -> Comparison {
      func outcomes(_ index: Int) -> [TestOutcome] { seeds.map { $0.arms[index].outcome } }
      let (a, b) = (outcomes(first), outcomes(second))
      return Comparison(
        family, part: part, ids[first], ids[second], rightFirst: a.map(\.isRight), rightSecond: b.map(\.isRight),
        confusions: (a.map(\.confusion), b.map(\.confusion)))
    }
    func index(of arm: ArmSettings) -> Int? { settings.firstIndex { $0.isSameMethod(as: arm) } }
    // The subject is EncodeNet where it is there, else the last arm; the rival is continued training, else the first.
    let converting = settings.indices.filter { settings[$0].conversion == Conversion() }
    guard ids.count > 1 else { return [] }
    let subject = index(of: .encodeNet) ?? converting.first ?? ids.count - 1
    let rival = index(of: .continued).flatMap { $0 == subject ? nil : $0 } ?? (subject == 0 ? 1 : 0)
    var all = [comparison(.primary, subject, rival)]
    let subjects = converting.isEmpty ? [subject] : converting
    for first in subjects {
      for second in ids.indices where !subjects.contains(second) && (first, second) != (subject, rival) {
        // What a part is worth is asked below.
        let isPart = settings.indices.contains(second) && settings[second].conversion != nil
        if !isPart { all.append(comparison(.alternatives, first, second)) }
      }
    }
    for (part, first, second) in ArmSettings.parts {
      if let first = index(of: first), let second = index(of: second) {
        all.append(comparison(.attribution, part: part, first, second))
      }
    }
    return Comparison.adjust(all)
  }

  func write(to store: ArtifactStore, gallery: Gallery?) throws {
    // A thousand classes are some ten thousand lines otherwise.
    try store.write(self, to: "report.json", isCompact: classNames.count > ConfusionMatrix.mostDenseClasses)
    try store.write(markdown, to: "report.md")
    try store.write(html(gallery), to: "report.html")
    let figures = try ArtifactStore(store.url("figures"))
    for figure in self.figures { try figures.write(figure.svg, to: "\(figure.name).svg") }
    if let sheet = gallery?.sheet() { try writeAtomically(sheet, to: figures.url("conversions.png")) }
  }

  /// Reads the report in `folder` and regenerates its Markdown and HTML, without data or models.
  ///
  /// - Parameter notice: Called with a warning where the folder cannot be written to; nil for standard error.
  /// - Throws: Where there is no report of this version.
  public static func rebuilt(
    in folder: URL, notice: ((String) -> Void)? = nil
  ) throws -> ExperimentReport {
    let store = try ArtifactStore(existing: folder)
    let file = store.url("report.json")
    guard let json = try? Data(contentsOf: file) else {
      throw ExperimentError("\(file.path): there is no report: 'encodenet compare' and 'encodenet run' write one")
    }
    if let version = members(ofJSON: json)["version"] as? Int, !(3...Self.version).contains(version) {
      throw ExperimentError(
        "\(file.path): the report has version \(version), this library reads versions 3 to \(Self.version)")
    }
    let report: ExperimentReport
    do { report = try JSONDecoder().decode(ExperimentReport.self, from: json) } catch {
      throw ExperimentError(
        "\(file.path): the report cannot be read: \(problem(inDecoding: error)): write it anew by the command that wrote it"
      )
    }
    do { try report.check() } catch { throw ExperimentError("\(file.path): \(error)") }
    let seed = report.seeds.first.map { "seed-\($0.seed)" } ?? ""
    let gallery: Gallery? = try ArtifactStore(existing: folder.appendingPathComponent(seed)).last("gallery")
    do { try report.write(to: store, gallery: gallery) } catch {
      (notice ?? { writeNotice($0) })("\(folder.path): the report's pages are as they were: \(error)")
    }
    return report
  }
}

extension ExperimentReport.Arm {
  init(
    _ arm: Arm, seeds: [(seed: UInt64, result: ArmResult, first: TestOutcome)], isUnequal: Bool,
    inference: Inference
  ) {
    let outcomes = seeds.map(\.result.outcome)
    (id, name) = (arm.id, arm.name)
    accuracies = outcomes.map(\.accuracy)
    let statistics = PairedDifferences(accuracies)
    (self.mean, std) = (statistics.mean, statistics.std)
    (top5, loss) = (outcomes.mean { $0.summary.topK ?? 0 }, outcomes.mean(of: \.summary.loss))
    calibrationError = outcomes.mean { $0.summary.calibrationError ?? 0 }
    entropy = outcomes.mean { $0.entropies.mean { $0 } }
    robustness = Dictionary(
      uniqueKeysWithValues: Corruption.allCases.map { corruption in
        (corruption.rawValue, outcomes.mean { $0.robustness[corruption.rawValue] ?? 0 })
      })
    quartiles = (0..<4).map { quartile in
      seeds.mean { seed in
        let entropies = seed.first.entropies
        let order = entropies.indices.sorted { (entropies[$0], $0) < (entropies[$1], $1) }
        let images = order[order.count * quartile / 4..<order.count * (quartile + 1) / 4]
        return images.mean { seed.result.outcome.isRight[$0] ? 1 : 0 }
      }
    }
    confusion = outcomes.dropFirst().reduce(outcomes[0].confusion) { $0 + $1.confusion }
    reliability = outcomes[0].reliability.indices.map { bin in
      let bins = outcomes.map { $0.reliability[bin] }
      let count = bins.reduce(0) { $0 + $1.count }
      func weighted(_ value: (ReliabilityBin) -> Double) -> Double {
        bins.reduce(0) { $0 + value($1) * Double($1.count) } / Double(max(count, 1))
      }
      return ReliabilityBin(count: count, confidence: weighted(\.confidence), accuracy: weighted(\.accuracy))
    }
    budget = seeds[0].result.budget
    self.isUnequal = isUnequal
    seconds = seeds.mean(of: \.result.seconds)
    self.inference = inference
    curves = seeds.map {
      .init(seed: $0.seed, loss: $0.result.curves.loss, validation: $0.result.curves.validationAccuracy)
    }
  }
}
