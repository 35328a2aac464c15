import Foundation

/// The version of this library.
public let libraryVersion = "0.1.0"

extension ExperimentReport {
  /// Puts together what the seeds found.
  init(
    _ configuration: ExperimentConfiguration, run: ExperimentRun, dataName: String, threads: [Int], seeds: [SeedResult],
    inference: [BlockVariation: Inference]
  ) throws {
    let plan = try run.experimentPlan()
    self.configuration = configuration
    classNames = run.training.classNames
    self.run = Run(
      library: libraryVersion, data: dataName, dataFingerprint: run.dataFingerprint,
      splitFingerprint: try stageKey(run.dataFingerprint, run.rows, run.validation, run.audit),
      training: run.rows.count,
      validation: run.validation.count, audit: run.audit.count, test: run.test.count,
      leaked: run.test.overlap(with: run.images),
      threads: threads, budget: plan.total, givenBaseline: configuration.baseline?.displayName)
    arms = configuration.arms.enumerated().map { index, arm in
      Arm(
        arm, seeds: seeds.map { ($0.seed, $0.arms[index], $0.arms[0].outcome) },
        isUnequal: !seeds[0].arms[index].budget.isEqual(to: plan.total), inference: inference[arm.finalArchitecture]!)
    }
    self.seeds = seeds.map { Seed(seed: $0.seed, diagnostics: $0.diagnostics?.0) }
    comparisons = Self.compared(configuration.arms, seeds)
    diagnosis = []
    diagnosis = diagnosed()
  }

  /// Which arms are compared, and the outcome.
  private static func compared(_ arms: [EncodeNet.Arm], _ seeds: [SeedResult]) -> [Comparison] {
    let ids = arms.map(\.id)
    func comparison(_ family: Comparison.Family, part: String? = nil, _ first: Int, _ second: Int) -> Comparison {
      func outcomes(_ index: Int) -> [TestOutcome] { seeds.map { $0.arms[index].outcome } }
      let (a, b) = (outcomes(first), outcomes(second))
      return Comparison(
        family, part: part, ids[first], ids[second], rightFirst: a.map(\.isRight), rightSecond: b.map(\.isRight),
        confusions: (a.map(\.confusion), b.map(\.confusion)))
    }
    // The subject is EncodeNet where it is there, else the last arm; the rival is continued training, else the first.
    let converting = arms.indices.filter { arms[$0].conversion == Conversion() && arms[$0].method == nil }
    guard arms.count > 1 else { return [] }
    let subject = ids.firstIndex(of: "A3") ?? converting.first ?? arms.count - 1
    let rival = ids.firstIndex(of: "A2").flatMap { $0 == subject ? nil : $0 } ?? (subject == 0 ? 1 : 0)
    var all = [comparison(.primary, subject, rival)]
    let subjects = converting.isEmpty ? [subject] : converting
    for first in subjects {
      for second in arms.indices where !subjects.contains(second) && (first, second) != (subject, rival) {
        // What a part is worth is asked below.
        if arms[second].conversion == nil { all.append(comparison(.alternatives, first, second)) }
      }
    }
    let parts = [
      ("conversion", "A3", "A2"), ("clustering", "A3", "A5"), ("the clusters' meaning", "A3", "A6"),
      ("entropy, against any image of the class", "A3", "A7"), ("entropy, against medoids", "A3", "A8"),
      ("representatives, against the image itself", "A3", "A9"), ("pixels", "A3", "A10"),
      ("representatives, against the mean image", "A3", "A11"), ("decoder", "A3", "A12"),
      ("the baseline's weights", "A3", "A14"), ("self-distillation beside it", "A15", "A3"),
      ("what the encoder learns", "A4", "A16"),
    ]
    for (part, first, second) in parts {
      if let first = ids.firstIndex(of: first), let second = ids.firstIndex(of: second) {
        all.append(comparison(.attribution, part: part, first, second))
      }
    }
    return Comparison.adjust(all)
  }

  /// Writes the report in its three forms, and its figures.
  func write(to store: StageStore, gallery: Gallery?) throws {
    try store.write(self, to: "report.json")
    try store.write(markdown, to: "report.md")
    try store.write(html(gallery), to: "report.html")
    let figures = try StageStore(store.url("figures"))
    for figure in self.figures { try figures.write(figure.svg, to: "\(figure.name).svg") }
    if let sheet = gallery?.sheet() { try writeAtomically(sheet, to: figures.url("conversions.png")) }
  }

  /// Reads the report in `folder` and writes its Markdown and HTML anew, without data or models.
  ///
  /// - Throws: Where there is no report of this version.
  public static func rebuilt(in folder: URL) throws -> ExperimentReport {
    let store = try StageStore(existing: folder)
    let file = store.url("report.json")
    guard let json = try? Data(contentsOf: file) else {
      throw EncodeNetError("\(file.path): there is no report: 'encodenet compare' and 'encodenet run' write one")
    }
    struct Label: Decodable { var version: Int }
    if let version = (try? JSONDecoder().decode(Label.self, from: json))?.version, version != 3 {
      throw EncodeNetError("\(file.path): the report has version \(version), this library reads version 3")
    }
    let report: ExperimentReport
    do { report = try JSONDecoder().decode(ExperimentReport.self, from: json) } catch {
      throw EncodeNetError("\(file.path): this is no report of version 3: \(error)")
    }
    do { try report.check() } catch { throw EncodeNetError("\(file.path): \(error)") }
    let seed = report.seeds.first.map { "seed-\($0.seed)" } ?? ""
    try report.write(to: store, gallery: StageStore(existing: folder.appendingPathComponent(seed)).last("gallery"))
    return report
  }
}

extension ExperimentReport.Arm {
  init(
    _ arm: Arm, seeds: [(seed: UInt64, own: SeedResult.Arm, first: TestOutcome)], isUnequal: Bool,
    inference: ExperimentReport.Inference
  ) {
    let outcomes = seeds.map(\.own.outcome)
    let n = Double(seeds.count)
    func mean(_ value: (TestOutcome) -> Double) -> Double { outcomes.reduce(0) { $0 + value($1) } / n }
    (id, name) = (arm.id, arm.name)
    accuracies = outcomes.map(\.accuracy)
    let statistics = PairedDifferences(accuracies)
    (self.mean, deviation) = (statistics.mean, statistics.deviation)
    (top5, loss) = (mean { $0.summary.topK ?? 0 }, mean { $0.summary.loss })
    (calibrationError, entropy) = (
      mean { $0.summary.calibrationError ?? 0 }, mean { $0.entropies.reduce(0, +) / Double(max($0.entropies.count, 1)) }
    )
    robustness = Dictionary(
      uniqueKeysWithValues: Damage.allCases.map { damage in
        (damage.rawValue, mean { $0.robustness[damage.rawValue] ?? 0 })
      })
    quarters = (0..<4).map { quarter in
      seeds.reduce(0) { sum, seed in
        let order = seed.first.entropies.indices.sorted {
          (seed.first.entropies[$0], $0) < (seed.first.entropies[$1], $1)
        }
        let images = order[order.count * quarter / 4..<order.count * (quarter + 1) / 4]
        return sum + Double(images.count { seed.own.outcome.isRight[$0] }) / Double(max(images.count, 1))
      } / n
    }
    confusion = outcomes.dropFirst().reduce(outcomes[0].confusion) { sum, next in
      zip(sum, next.confusion).map { zip($0, $1).map { $0 + $1 } }
    }
    reliability = outcomes[0].reliability.indices.map { bin in
      let bins = outcomes.map { $0.reliability[bin] }
      let count = bins.reduce(0) { $0 + $1.count }
      func weighted(_ value: (ReliabilityBin) -> Double) -> Double {
        bins.reduce(0) { $0 + value($1) * Double($1.count) } / Double(max(count, 1))
      }
      return ReliabilityBin(count: count, confidence: weighted(\.confidence), accuracy: weighted(\.accuracy))
    }
    budget = seeds[0].own.budget
    self.isUnequal = isUnequal
    seconds = seeds.reduce(0) { $0 + $1.own.seconds } / n
    self.inference = inference
    curves = seeds.map {
      .init(seed: $0.seed, loss: $0.own.curves.loss, validation: $0.own.curves.validationAccuracy)
    }
  }
}
