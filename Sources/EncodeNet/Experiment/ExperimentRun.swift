import Foundation

/// The stages of an experiment in one folder, each of which is run, or read back where the folder has it.
///
/// ```swift
/// let run = try ExperimentRun(configuration, on: data, in: folder) { LeNet5(classes: 10, using: &$0) }
/// let baseline = try run.baseline()
/// let clustering = try run.clustering(baseline)
/// ```
public struct ExperimentRun<Model: SplitClassifier> {
  /// Every setting.
  public let configuration: ExperimentConfiguration
  /// The images.
  public let data: DatasetSplit
  /// The training images used, as indices.
  public let rows: [Int]
  /// Those kept for validation.
  public let validation: [Int]
  /// Of the images trained on, for all images.
  public let normalization: Normalization
  let store: StageStore
  let trainer: StageTrainer
  private let makeModel: (inout SplittableGenerator) -> Model
  /// The images of `rows`, which the networks are trained on.
  private let images: LabeledImages
  private let baseKey: String
  private let dataKey: String

  /// An experiment that has not begun, or goes on: everything is checked before the folder is touched.
  ///
  /// - Parameters:
  ///   - folder: Made where there is none.
  ///   - progress: Called after each epoch with the name of its stage.
  ///   - makeModel: Makes a model with random weights, always the same for the same generator.
  public init(
    _ configuration: ExperimentConfiguration, on data: DatasetSplit, in folder: URL,
    progress: @escaping (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: @escaping (inout SplittableGenerator) -> Model
  ) throws {
    let c = configuration
    try c.check()
    (self.configuration, self.data, self.makeModel) = (c, data, makeModel)
    (rows, validation) = try data.divided(validationShare: c.validationShare, subset: c.subset, seed: c.seed)
    guard rows.count > 1 else { throw EncodeNetError("\(rows.count) training images: there must be at least 2") }
    images = data.training.subset(rows)
    try c.clustering.check(labels: images.labels, names: data.classNames)
    normalization = .computed(from: images)
    dataKey = try stageKey(
      data.fingerprint, c.model, c.shortcut, c.widthMultiplier, c.subset, c.seed, c.validationShare, c.batchSize,
      c.weightDecay, c.augmentation)
    baseKey = try stageKey(dataKey, c.epochs, c.learningRate)
    if let split = c.split {
      var generator = SplittableGenerator(seed: c.seed)
      let splits = makeModel(&generator).splits
      guard splits.contains(split) else {
        throw EncodeNetError("the model has no split '\(split)'; there are \(splits.joined(separator: ", "))")
      }
    }
    store = try StageStore(folder)
    trainer = StageTrainer(store: store, progress: progress)
    try store.write(c, to: "configuration.json")
  }

  // MARK: Images and models

  private func inOrder(_ images: LabeledImages) -> Batches {
    Batches(of: images, size: configuration.batchSize, normalization: normalization)
  }
  /// In random order and augmented. Batch norm cannot train on a single image: such a last batch is left out.
  private func shuffled(by seed: UInt64) -> Batches {
    Batches(
      of: images, size: configuration.batchSize, shuffledBy: SplittableGenerator(seed: seed),
      augmentation: configuration.augmentation, normalization: normalization,
      droppingLast: images.count % configuration.batchSize == 1)
  }

  /// Every arm begins from the same random weights.
  private func model() -> Model {
    var generator = SplittableGenerator(seed: configuration.seed)
    return makeModel(&generator)
  }
  private func copy(of other: Model) throws -> Model {
    let copy = model()
    try copy.load(other.stateDictionary)
    return copy
  }
  private func parts(of model: Model) -> (features: any Layer, classifier: any Layer) {
    configuration.split.map { model.split(at: $0) } ?? (model.features, model.classifier)
  }

  /// What `model` says of the test images.
  public func tested(_ model: Model) -> Evaluation { evaluate(model, on: inOrder(data.test)) }

  /// Saves the weights of an arm with all that it takes to use them.
  private func finished(_ id: String, _ name: String, _ model: Model, _ curves: LearningCurves) throws
    -> TrainedArm<Model>
  {
    let file = store.url("\(id).safetensors")
    try SavedClassifier(
      model: configuration.modelChoice, imageShape: data.imageShape, classNames: data.classNames,
      normalization: normalization
    ).save(model, to: file)
    return TrainedArm(id: id, name: name, model: model, curves: curves, weights: file)
  }

  // MARK: Classifiers

  private func trained(
    _ id: String, _ name: String, _ model: Model, epochs: Int, rate: Double, warmUp: Bool, key: String
  ) throws -> TrainedArm<Model> {
    let batches = shuffled(by: configuration.seed)
    let steps = epochs * batches.batchCount
    let rising = warmUp ? steps / 20 : 0
    let optimizer = SGD(
      model, learningRate: Scalar(rate), momentum: 0.9, nesterov: true, weightDecay: Scalar(configuration.weightDecay))
    let held = validation.isEmpty ? nil : inOrder(data.training.subset(validation))
    let reports = try trainer(id, key: key, model, optimizer) { start in
      Fit(
        model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
        schedule: .cosine(from: Scalar(rate), over: steps - rising).warmedUp(over: rising), validating: held,
        epochs: epochs, startingAt: start)
    }
    return try finished(id, name, model, LearningCurves(reports))
  }

  /// Stage S0, the arm A0.
  public func baseline() throws -> TrainedArm<Model> {
    try trained(
      "A0", "baseline", model(), epochs: configuration.epochs, rate: configuration.learningRate, warmUp: true,
      key: baseKey)
  }

  /// The arm A1: the baseline's training with more epochs.
  public func oneCycle(epochs: Int) throws -> TrainedArm<Model> {
    try trained(
      "A1", "baseline in one cycle", model(), epochs: epochs, rate: configuration.learningRate, warmUp: true,
      key: stageKey(dataKey, epochs, configuration.learningRate))
  }

  /// The arm A2: the baseline trained on.
  public func continued(_ baseline: TrainedArm<Model>, epochs: Int) throws -> TrainedArm<Model> {
    let rate = configuration.continuedLearningRate
    return try trained(
      "A2", "continued training", copy(of: baseline.model), epochs: epochs, rate: rate, warmUp: false,
      key: stageKey(baseKey, epochs, rate))
  }

  // MARK: Stages

  /// Stages S2 to S5, on the training images as they are: clusters, entropies, representatives and pairs.
  public func clustering(_ baseline: TrainedArm<Model>) throws -> ClusteringStage {
    let (batches, features) = (inOrder(images), parts(of: baseline.model).features)
    let pooled = outputs(of: features, on: batches) { $0.averagedOverSpace }
    let certainty = configuration.entropy(outputs(of: baseline.model, on: batches), labels: images.labels)
    let clusterKey = try stageKey(baseKey, configuration.split, configuration.clustering)
    let clusters = try store.value("clusters", key: clusterKey) {
      try configuration.clustering(pooled, labels: images.labels, names: data.classNames)
    }
    let key = try stageKey(clusterKey, configuration.entropy, configuration.selection)
    let representatives = try store.value("representatives", key: key) {
      configuration.selection(clusters, features: pooled, certainty: certainty)
    }
    return ClusteringStage(
      clusters: clusters.at(rows), representatives: representatives.at(rows), certainty: certainty, key: key)
  }

  /// Stage S6: the Generalized Converting Autoencoder, and what it makes of the training images.
  public func conversion(
    _ baseline: TrainedArm<Model>, _ clustering: ClusteringStage
  ) throws -> ConversionStage<Model> {
    let c = configuration
    let model = try copy(of: baseline.model)
    var generator = SplittableGenerator(seed: c.seed &+ 1)
    let gcae = GeneralizedConvertingAutoencoder(
      of: model, at: c.split, imageShape: data.imageShape, using: &generator)
    let key = try stageKey(
      clustering.key, c.conversionEpochs, c.conversionLearningRate, c.encoderLearningRateScale)

    let target = Dictionary(uniqueKeysWithValues: clustering.pairs.pairs.map { ($0.input, $0.target) })
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
    let reports = try trainer("gcae", key: key, gcae, optimizer) { start in
      Fit(
        gcae, to: batches, loss: { meanSquaredError($0, $1.targets!) }, optimizer: optimizer, schedule: schedule,
        epochs: c.conversionEpochs, classifies: false, startingAt: start)
    }
    let shown = outputs(of: gcae, on: inOrder(images))
    let after = outputs(
      of: baseline.model,
      on: TensorBatches(inputs: normalization(shown), labels: images.labels, size: c.batchSize))
    let encoderCost = ModelSummary(of: gcae.encoder, input: data.imageShape).multiplyAdds
    return ConversionStage(
      gcae: gcae, model: model, curves: LearningCurves(reports), shown: shown,
      certainty: c.entropy(after, labels: images.labels), encoderCost: encoderCost,
      decoderCost: ModelSummary(of: gcae, input: data.imageShape).multiplyAdds - encoderCost, key: key)
  }

  /// Stage S7 from the converted encoder and the baseline's head: the arm A3 where everything is fine-tuned, else A4.
  public func transferred(
    _ mode: KnowledgeTransfer.Mode, _ conversion: ConversionStage<Model>
  ) throws -> TrainedArm<Model> {
    let (id, name) =
      switch mode {
      case .headThenFineTune: ("A3", "EncodeNet, fine-tuned")
      case .frozenEncoder: ("A4", "EncodeNet, encoder frozen")
      }
    let model = try copy(of: conversion.model)
    let parts = parts(of: model)
    var transfer = configuration.transfer
    (transfer.mode, transfer.seed) = (mode, transfer.seed &+ configuration.seed)
    let reports = try transfer.run(
      EncoderClassifier(encoder: parts.features, head: parts.classifier), inOrder: inOrder(images),
      shuffled: shuffled(by: transfer.seed &+ 1), key: conversion.key, stage: id, trainer)
    // The head's epochs and those of everything count on.
    let curves = LearningCurves(
      reports.enumerated().map { index, report in
        var report = report
        report.epoch = index
        return report
      })
    return try finished(id, name, model, curves)
  }
}
