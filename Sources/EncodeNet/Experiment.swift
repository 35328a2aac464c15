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
/// earlier stages; training goes on from the last whole epoch.
public struct Experiment: Sendable {
  /// Every setting.
  public var configuration: ExperimentConfiguration

  /// An experiment with these settings.
  public init(_ configuration: ExperimentConfiguration = .init()) { self.configuration = configuration }

  /// Runs what has not run yet, and writes `configuration.json`, `report.json`, `report.md` and `report.html`.
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
    try configuration.check()
    let store = try StageStore(folder)
    try store.write(configuration, to: "configuration.json")
    let (report, examples) = try withoutActuallyEscaping(makeModel) { makeModel in
      try ExperimentRun(configuration, data, StageTrainer(store: store, progress: progress), makeModel).report()
    }
    let figures = try StageStore(folder.appendingPathComponent("figures"))
    for figure in report.figures { try figures.write(figure.svg, to: "\(figure.name).svg") }
    try store.write(report, to: "report.json")
    try store.write(report.markdown, to: "report.md")
    try store.write(report.html(data, examples: examples), to: "report.html")
    return report
  }
}

/// One run of an experiment: the stages in order.
private struct ExperimentRun<Model: SplitClassifier> {
  let c: ExperimentConfiguration
  let data: DatasetSplit
  let trainer: StageTrainer
  let makeModel: (inout SplittableGenerator) -> Model
  let rows: [Int]
  let validation: [Int]
  /// The images of `rows`, which the networks are trained on.
  let images: LabeledImages
  let normalization: Normalization
  let fingerprint: String

  init(
    _ c: ExperimentConfiguration, _ data: DatasetSplit, _ trainer: StageTrainer,
    _ makeModel: @escaping (inout SplittableGenerator) -> Model
  ) throws {
    (self.c, self.data, self.trainer, self.makeModel) = (c, data, trainer, makeModel)
    let (rows, validation) = try data.divided(validationShare: c.validationShare, subset: c.subset, seed: c.seed)
    guard rows.count > 1 else { throw EncodeNetError("\(rows.count) training images: there must be at least 2") }
    (self.rows, self.validation, fingerprint) = (rows, validation, data.fingerprint)
    images = data.training.subset(rows)
    normalization = .computed(from: images)
  }

  // MARK: Images and models

  func inOrder(_ images: LabeledImages) -> Batches {
    Batches(of: images, size: c.batchSize, normalization: normalization)
  }
  /// In random order and augmented. Batch norm cannot train on a single image: such a last batch is left out.
  func shuffled(by seed: UInt64) -> Batches {
    Batches(
      of: images, size: c.batchSize, shuffledBy: SplittableGenerator(seed: seed), augmentation: c.augmentation,
      normalization: normalization, droppingLast: images.count % c.batchSize == 1)
  }

  /// Every arm begins from the same random weights.
  func model() -> Model {
    var generator = SplittableGenerator(seed: c.seed)
    return makeModel(&generator)
  }
  func copy(of other: Model) throws -> Model {
    let copy = model()
    try copy.load(other.stateDictionary)
    return copy
  }
  func parts(of model: Model) -> (features: any Layer, classifier: any Layer) {
    c.split.map { model.split(at: $0) } ?? (model.features, model.classifier)
  }

  // MARK: Stages

  func classify(_ stage: String, _ model: Model, epochs: Int, rate: Double, warmUp: Bool, key: String) throws
    -> LearningCurves
  {
    let batches = shuffled(by: c.seed)
    let steps = epochs * batches.batchCount
    let rising = warmUp ? steps / 20 : 0
    let optimizer = SGD(
      model, learningRate: Scalar(rate), momentum: 0.9, nesterov: true, weightDecay: Scalar(c.weightDecay))
    let held = validation.isEmpty ? nil : inOrder(data.training.subset(validation))
    return LearningCurves(
      try trainer(stage, key: key, model, optimizer) { start in
        Fit(
          model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
          schedule: .cosine(from: Scalar(rate), over: steps - rising).warmedUp(over: rising), validating: held,
          epochs: epochs, startingAt: start)
      })
  }

  func convert(_ gcae: GeneralizedConvertingAutoencoder, _ pairs: ConversionPairs, key: String) throws
    -> LearningCurves
  {
    let target = Dictionary(uniqueKeysWithValues: pairs.pairs.map { ($0.input, $0.target) })
    let batches = ConversionBatches(
      inputs: shuffled(by: c.seed), images: data.training, targets: rows.map { target[$0]! })
    func group(_ name: String, _ layer: any Layer, _ scale: Double) -> ParameterGroup {
      ParameterGroup(
        layer.namedParameters.map { ("\(name).\($0.name)", $0.parameter) }, learningRateScale: Scalar(scale))
    }
    let optimizer = AdamW(
      [group("encoder", gcae.encoder, c.encoderLearningRateScale), group("decoder", gcae.decoder, 1)],
      learningRate: Scalar(c.conversionLearningRate))
    let schedule = Schedule.cosine(
      from: Scalar(c.conversionLearningRate), over: c.conversionEpochs * batches.batchCount)
    return LearningCurves(
      try trainer("gcae", key: key, gcae, optimizer) { start in
        Fit(
          gcae, to: batches, loss: { meanSquaredError($0, $1.targets!) }, optimizer: optimizer, schedule: schedule,
          epochs: c.conversionEpochs, classifies: false, startingAt: start)
      })
  }

  func report() throws -> (ExperimentReport, [ConvertedImages]) {
    let store = trainer.store!
    var curves: [String: LearningCurves] = [:]
    let base = model()
    if let split = c.split, !base.splits.contains(split) {
      throw EncodeNetError("the model has no split '\(split)'; there are \(base.splits.joined(separator: ", "))")
    }
    // S0
    let dataKey = try stageKey(
      fingerprint, c.model, c.subset, c.seed, c.validationShare, c.batchSize, c.weightDecay, c.augmentation)
    let baseKey = try stageKey(dataKey, c.epochs, c.learningRate)
    curves["A0"] = try classify("A0", base, epochs: c.epochs, rate: c.learningRate, warmUp: true, key: baseKey)

    // S2 to S5, on the training images as they are, in their order
    let (inOrder, labels) = (inOrder(images), images.labels)
    let features = outputs(of: parts(of: base).features, on: inOrder)
    let pooled = features.averagedOverSpace
    let certainty = c.entropy(outputs(of: base, on: inOrder), labels: labels)
    let clusterKey = try stageKey(baseKey, c.split, c.clustering)
    let clusters = try store.value("clusters", key: clusterKey) {
      try c.clustering(pooled, labels: labels, names: data.classNames)
    }
    let chosenKey = try stageKey(clusterKey, c.entropy, c.selection)
    let chosen = try store.value("representatives", key: chosenKey) {
      c.selection(clusters, features: pooled, certainty: certainty)
    }
    let inSet = clusters.at(rows)
    let pairs = ConversionPairs(inSet, chosen.at(rows))

    // S6
    let converted = try copy(of: base)
    var generator = SplittableGenerator(seed: c.seed &+ 1)
    let gcae = GeneralizedConvertingAutoencoder(
      of: converted, at: c.split, imageShape: data.imageShape, using: &generator)
    let gcaeKey = try stageKey(
      chosenKey, c.conversionEpochs, c.conversionLearningRate, c.encoderLearningRateScale)
    curves["gcae"] = try convert(gcae, pairs, key: gcaeKey)
    let shown = outputs(of: gcae, on: inOrder)
    let after = c.entropy(
      outputs(
        of: base,
        on: TensorBatches(inputs: normalization(shown), labels: labels, size: c.batchSize)), labels: labels)

    // S7, each arm from the converted encoder and the baseline's head
    func transferred(_ arm: String, _ mode: KnowledgeTransfer.Mode) throws -> Model {
      let arrived = try copy(of: converted)
      let parts = parts(of: arrived)
      var transfer = c.transfer
      (transfer.mode, transfer.seed) = (mode, c.transfer.seed &+ c.seed)
      let reports = try transfer.run(
        EncoderClassifier(encoder: parts.features, head: parts.classifier), inOrder: inOrder,
        shuffled: shuffled(by: transfer.seed &+ 1), key: gcaeKey, stage: arm, trainer)
      // The head's epochs and those of everything count on.
      curves[arm] = LearningCurves(
        reports.enumerated().map { index, report in
          var report = report
          report.epoch = index
          return report
        })
      return arrived
    }
    let fineTuned = try transferred("A3", .headThenFineTune)
    let frozen = try transferred("A4", .frozenEncoder)

    // Budgets, and the controls with what A3 cost
    let encoderCost = ModelSummary(of: gcae.encoder, input: data.imageShape).multiplyAdds
    let wholeCost = ModelSummary(of: gcae, input: data.imageShape).multiplyAdds
    let baseBudget = TrainingBudget().training("baseline", c.epochs)
    let frozenBudget =
      baseBudget.forward("features and entropies")
      .converting("autoencoder", c.conversionEpochs, encoder: encoderCost, decoder: wholeCost - encoderCost)
      .forward("cached features")
    let tunedBudget = frozenBudget.training("fine-tuning", c.transfer.fineTuneEpochs)
    let extra = max(1, Int((tunedBudget.total - baseBudget.total).rounded()))
    let oneCycle = model()
    curves["A1"] = try classify(
      "A1", oneCycle, epochs: c.epochs + extra, rate: c.learningRate, warmUp: true,
      key: try stageKey(dataKey, c.epochs + extra, c.learningRate))
    let continued = try copy(of: base)
    curves["A2"] = try classify(
      "A2", continued, epochs: extra, rate: c.continuedLearningRate, warmUp: false,
      key: try stageKey(baseKey, extra, c.continuedLearningRate))

    let plans: [(String, String, Model, TrainingBudget)] = [
      ("A0", "baseline", base, baseBudget),
      ("A1", "baseline in one cycle", oneCycle, TrainingBudget().training("one cycle", c.epochs + extra)),
      ("A2", "continued training", continued, baseBudget.training("continued", extra)),
      ("A3", "EncodeNet, fine-tuned", fineTuned, tunedBudget),
      ("A4", "EncodeNet, encoder frozen", frozen, frozenBudget),
    ]
    let allKey = try stageKey(fingerprint, c)
    let arms = try plans.map { id, name, model, budget in
      try store.value("evaluation-\(id)", key: allKey) {
        measure(id, name, model, budget, isUnequal: !budget.isEqual(to: tunedBudget))
      }
    }
    let right = arms.map { arm in zip(arm.predictions, data.test.labels).map { $0 == $1 } }
    let comparisons = [3, 4].flatMap { first in
      [0, 1, 2].map { second in
        let counts = PairedComparison(right[first], right[second])
        return ExperimentReport.Comparison(
          first: arms[first].id, second: arms[second].id, counts: counts, difference: counts.difference,
          interval: [counts.interval.lowerBound, counts.interval.upperBound], p: counts.p, verdict: "inconclusive")
      }
    }
    var report = ExperimentReport(
      data: data.name, dataFingerprint: fingerprint, counts: [rows.count, validation.count, data.test.labels.count],
      configuration: c, classNames: data.classNames, arms: arms, comparisons: comparisons, clusters: inSet,
      representatives: chosen.at(rows), meanEntropies: [certainty.meanEntropy, after.meanEntropy],
      entropiesBefore: certainty.entropies, entropiesAfter: after.entropies, curves: curves, diagnosis: [])
    report.diagnosis = report.diagnosed()
    // The first two images of each class, in the order of the training set.
    let position = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
    let targets = Dictionary(uniqueKeysWithValues: pairs.pairs.map { ($0.input, $0.target) })
    let examples = data.classNames.indices.flatMap { label in
      rows.filter { data.training.labels[$0] == label }.prefix(2).map { index in
        ConvertedImages(index: index, target: targets[index]!, output: shown[position[index]!])
      }
    }
    return (report, examples)
  }

  /// Looks at the test images, once.
  func measure(_ id: String, _ name: String, _ model: Model, _ budget: TrainingBudget, isUnequal: Bool)
    -> ExperimentReport.Arm
  {
    let evaluation = evaluate(model, on: inOrder(data.test).epoch(0))
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
      id: id, name: name, correct: evaluation.correct, total: evaluation.count, parameters: summary.parameters,
      multiplyAdds: summary.multiplyAdds, latency1: latency(1), latency128: latency(128), budget: budget,
      isUnequal: isUnequal, predictions: evaluation.predictions, confusion: evaluation.confusion)
  }
}

extension DatasetSplit {
  /// The training images in two: the same share of each class, drawn by `seed`, is for validation.
  fileprivate func divided(validationShare: Double, subset: Int?, seed: UInt64) throws(EncodeNetError) -> (
    training: [Int], validation: [Int]
  ) {
    do {
      let used = try training.stratified(min(subset ?? training.count, training.count), seed: seed)
      let all = training.subset(used)
      let held = try all.stratified(Int((Double(all.count) * validationShare).rounded()), seed: seed)
      let isHeld = Set(held)
      let kept = used.indices.filter { !isHeld.contains($0) }
      let counts = kept.reduce(into: [Int](repeating: 0, count: classNames.count)) { $0[all.labels[$1]] += 1 }
      if let label = counts.firstIndex(of: 0) {
        throw EncodeNetError(
          "\(name): class '\(classNames[label])' has no image left to train on of the \(used.count) used: "
            + "use a larger subset or a smaller validation share")
      }
      return (kept.map { used[$0] }, held.map { used[$0] })
    } catch let error as EncodeNetError { throw error } catch { throw EncodeNetError("\(error)") }
  }
}

extension Clusters {
  /// The same clusters of the images that `rows` names.
  fileprivate func at(_ rows: [Int]) -> Clusters {
    var result = self
    for index in classes.indices {
      result.classes[index].clusters = classes[index].clusters.map { $0.map { rows[$0] } }
    }
    return result
  }
}

extension Representatives {
  /// The same representatives among the images that `rows` names.
  fileprivate func at(_ rows: [Int]) -> Representatives {
    Representatives(classes: classes.map { $0.map { rows[$0] } }, saturation: saturation)
  }
}
