import Foundation

/// The whole method on one data set: a baseline, its clusters, representatives, the autoencoder, the transfer, and the
/// arms that a gain must be compared with.
///
/// ```swift
/// let report = try Experiment(configuration).run(on: data, in: folder) { generator in
///   ResNet(depth: 20, classes: 10, using: &generator)
/// }
/// ```
/// Every stage leaves its artifact in the folder and is skipped where that was made from the same settings, data and
/// earlier stages; training goes on from the last whole epoch. ``ExperimentRun`` has the stages one by one.
public struct Experiment: Sendable {
  /// Every setting.
  public var configuration: ExperimentConfiguration

  /// An experiment with these settings.
  public init(_ configuration: ExperimentConfiguration = .init()) { self.configuration = configuration }

  /// Runs what has not run yet, and writes `configuration.json`, `report.json`, `report.md`, `report.html`, and each arm's
  /// weights as `A0.safetensors` and so on.
  ///
  /// - Parameters:
  ///   - folder: Made where there is none.
  ///   - makeModel: Makes a model with random weights, always the same for the same generator.
  ///   - progress: Called after each epoch with the name of its stage.
  /// - Throws: An ``EncodeNetError`` in one line, a ``TrainingError``, or a ``CheckpointError``.
  public func run<Model: SplitClassifier>(
    on data: DatasetSplit, in folder: URL,
    progress: @escaping (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: (inout SplittableGenerator) -> Model
  ) throws -> ExperimentReport {
    try withoutActuallyEscaping(makeModel) { makeModel in
      try ExperimentRun(configuration, on: data, in: folder, progress: progress, model: makeModel).report()
    }
  }
}

extension ExperimentRun {
  /// Runs all stages and all arms, looks at the test images once for each, and writes the report.
  public func report() throws -> ExperimentReport {
    let base = try baseline()
    let clustering = try clustering(base)
    let conversion = try conversion(base, clustering)
    let tuned = try transferred(.headThenFineTune, conversion)
    let frozen = try transferred(.frozenEncoder, conversion)

    // The controls may cost what A3 did.
    let baseBudget = TrainingBudget().training("baseline", configuration.epochs)
    let frozenBudget =
      baseBudget.forward("features and entropies")
      .converting(
        "autoencoder", configuration.conversionEpochs, encoder: conversion.encoderCost, decoder: conversion.decoderCost
      )
      .forward("cached features")
    let tunedBudget = frozenBudget.training("fine-tuning", configuration.transfer.fineTuneEpochs)
    let extra = max(1, Int((tunedBudget.total - baseBudget.total).rounded()))
    let oneCycle = try oneCycle(epochs: configuration.epochs + extra)
    let continued = try continued(base, epochs: extra)

    let plans: [(TrainedArm<Model>, TrainingBudget)] = [
      (base, baseBudget),
      (oneCycle, TrainingBudget().training("one cycle", configuration.epochs + extra)),
      (continued, baseBudget.training("continued", extra)), (tuned, tunedBudget), (frozen, frozenBudget),
    ]
    let allKey = try stageKey(data.fingerprint, configuration)
    let arms = try plans.map { arm, budget in
      try store.value("evaluation-\(arm.id)", key: allKey) {
        measure(arm, budget, isUnequal: !budget.isEqual(to: tunedBudget))
      }
    }
    var curves = Dictionary(uniqueKeysWithValues: plans.map { ($0.0.id, $0.0.curves) })
    curves["gcae"] = conversion.curves
    var report = ExperimentReport(
      data: data.name, dataFingerprint: data.fingerprint,
      counts: [rows.count, validation.count, data.test.labels.count], configuration: configuration,
      classNames: data.classNames, arms: arms, comparisons: comparisons(arms), clusters: clustering.clusters,
      representatives: clustering.representatives,
      meanEntropies: [clustering.certainty.meanEntropy, conversion.certainty.meanEntropy],
      entropiesBefore: clustering.certainty.entropies, entropiesAfter: conversion.certainty.entropies, curves: curves,
      diagnosis: [])
    report.diagnosis = report.diagnosed()
    try write(report, examples: examples(of: clustering, conversion))
    return report
  }

  private func comparisons(_ arms: [ExperimentReport.Arm]) -> [ExperimentReport.Comparison] {
    let right = arms.map { arm in zip(arm.predictions, data.test.labels).map { $0 == $1 } }
    return [3, 4].flatMap { first in
      [0, 1, 2].map { second in
        let counts = PairedComparison(right[first], right[second])
        return ExperimentReport.Comparison(
          first: arms[first].id, second: arms[second].id, counts: counts, difference: counts.difference,
          interval: [counts.interval.lowerBound, counts.interval.upperBound], p: counts.p, verdict: "inconclusive")
      }
    }
  }

  /// The first two images of each class, in the order of the training set.
  private func examples(of clustering: ClusteringStage, _ conversion: ConversionStage<Model>) -> [ConvertedImages] {
    let position = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
    let targets = Dictionary(uniqueKeysWithValues: clustering.pairs.pairs.map { ($0.input, $0.target) })
    return data.classNames.indices.flatMap { label in
      rows.filter { data.training.labels[$0] == label }.prefix(2).map { index in
        ConvertedImages(index: index, target: targets[index]!, output: conversion.shown[position[index]!])
      }
    }
  }

  private func write(_ report: ExperimentReport, examples: [ConvertedImages]) throws {
    let figures = try StageStore(store.url("figures"))
    for figure in report.figures { try figures.write(figure.svg, to: "\(figure.name).svg") }
    try store.write(report, to: "report.json")
    try store.write(report.markdown, to: "report.md")
    try store.write(report.html(data, examples: examples), to: "report.html")
  }

  /// Looks at the test images, once.
  private func measure(
    _ arm: TrainedArm<Model>, _ budget: TrainingBudget, isUnequal: Bool
  ) -> ExperimentReport.Arm {
    let model = arm.model
    let evaluation = tested(model)
    let summary = ModelSummary(of: model, input: data.imageShape)
    func latency(_ count: Int) -> Double {
      let images = Tensor.zeros(Shape([count] + data.imageShape.dimensions))
      let clock = ContinuousClock()
      return model.evaluating {
        _ = model(images)
        return (0..<5).map { _ in clock.measure { _ = model(images) } / .milliseconds(1) }.sorted()[2]
      }
    }
    return ExperimentReport.Arm(
      id: arm.id, name: arm.name, correct: evaluation.correct, total: evaluation.count,
      parameters: summary.parameters, multiplyAdds: summary.multiplyAdds, latency1: latency(1),
      latency128: latency(128), budget: budget, isUnequal: isUnequal, predictions: evaluation.predictions,
      confusion: evaluation.confusion)
  }
}
