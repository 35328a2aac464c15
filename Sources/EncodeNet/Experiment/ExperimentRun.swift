import Foundation

/// One seed of an experiment in one folder: its stages and arms, each of which is run, or read back where the folder has it.
///
/// ```swift
/// let run = try ExperimentRun(configuration, on: data, in: folder) { LeNet5(classes: 10, using: &$0) }
/// let baseline = try run.baseline()
/// let clustering = try run.clustering(baseline)
/// let encodeNet = try run.trained(.named("A3"))
/// ```
public struct ExperimentRun {
  /// Makes a network with random weights, always the same for the same generator.
  public typealias Maker = @Sendable (inout SplittableGenerator) -> any SplitClassifier
  /// Trains an arm of the caller's own; see ``Arm/method``.
  public typealias Method = @Sendable (MethodContext) throws -> any SplitClassifier

  /// Every setting, also the rates that were left to the network.
  public let configuration: ExperimentConfiguration
  /// Whether to go on from a baseline that has not learnt; see ``LearningCheck``.
  public var force = false
  /// Called with what a person should know, such as that a network does not learn: by default written to standard error.
  public var notice: @Sendable (String) -> Void = { writeNotice($0) }
  /// Decides the weights and the order of the images.
  public let seed: UInt64
  /// The training images used, as indices.
  public let rows: [Int]
  /// Those kept for validation.
  public let validation: [Int]
  /// Those that nothing trains on or chooses by, to judge conversion with.
  public let audit: [Int]
  /// Of the images trained on, or of those that a given baseline was trained on; for all images and networks.
  public let normalization: Normalization
  /// All training images, those for validation among them.
  public let training: LabeledImages
  /// The test images, which each arm is scored on once.
  public let test: SealedTestSet
  let settings: ScoredSettings
  let store: StageStore
  let trainer: StageTrainer
  /// The images of ``rows``, which the networks are trained on: what the stages' indices are of.
  public let images: LabeledImages
  let makeModel: Maker?
  private let methods: [String: Method]
  private let given: (network: any SplitClassifier, names: OriginalNames?)?
  let dataFingerprint: String
  let dataKey: String
  private let baseKey: String
  let found = Found()

  /// What later stages would only find again.
  final class Found {
    var baseline: TrainedArm?
    var clustering: ClusteringStage?
    var judge: (any SplitClassifier)?
    /// What teachers' epochs took, by their stage.
    var tuition: [String: Double] = [:]
  }

  /// A run that has not begun, or goes on: everything is checked before the folder is touched.
  ///
  /// - Parameters:
  ///   - seed: nil for the configuration's first.
  ///   - folder: Made where there is none.
  ///   - methods: Those that arms name.
  ///   - saveInterval: Seconds between saves inside an epoch.
  ///   - shouldStop: Asked after each step: where it says so the state is saved, and the stage throws
  ///     ``TrainingError/interrupted(epoch:step:)``.
  ///   - progress: Called after each epoch with the name of its stage.
  ///   - makeModel: nil for the configuration's own model.
  public init(
    _ configuration: ExperimentConfiguration, seed: UInt64? = nil, on data: DatasetSplit, in folder: URL,
    methods: [String: Method] = [:], saveInterval: Double = 20,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: Maker? = nil
  ) throws {
    try self.init(
      configuration, seed: seed, on: data, sealed: SealedTestSet(data.test), in: folder, methods: methods,
      saveInterval: saveInterval, shouldStop: shouldStop, progress: progress, model: makeModel)
  }

  init(
    _ configuration: ExperimentConfiguration, seed: UInt64? = nil, on data: DatasetSplit, sealed: SealedTestSet,
    in folder: URL, methods: [String: Method] = [:], saveInterval: Double = 20,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in },
    model makeModel: Maker? = nil
  ) throws {
    try configuration.check()
    let seed = seed ?? configuration.seeds[0]
    func network() throws -> any SplitClassifier {
      var generator = SplittableGenerator(seed: seed, stream: "weights")
      return try makeModel?(&generator)
        ?? configuration.modelChoice.make(
          classes: data.classNames.count, inputShape: data.imageShape, using: &generator)
    }
    let c = configuration.withRates(for: try makeModel == nil ? nil : network())
    (self.configuration, self.seed, self.makeModel, self.methods) = (c, seed, makeModel, methods)
    (training, test, dataFingerprint) = (data.training, sealed, data.fingerprint)
    (rows, validation, audit) = try data.divided(
      validationShare: c.validationShare, subset: c.subset, audit: c.auditImages, seed: c.splitSeed)
    guard rows.count > 1 else { throw EncodeNetError("\(rows.count) training images: there must be at least 2") }
    images = data.training.subset(rows)
    try c.clustering.check(labels: images.labels, names: data.classNames)
    if let baseline = c.baseline {
      let model = try network()
      let (normalization, names) = try baseline.load(into: model, for: data.training)
      (self.normalization, given) = (normalization, (model, names))
    } else {
      (normalization, given) = (.computed(from: images), nil)
    }
    let dataKey = try stageKey(
      "streams by name", dataFingerprint, c.model, c.shortcut, c.widthMultiplier, c.subset, c.splitSeed,
      c.validationShare, c.batchSize,
      c.weightDecay, c.augmentation, seed)
    if let given {
      self.dataKey = try stageKey(dataKey, normalization)
      baseKey = try stageKey(dataKey, normalization, weightsFingerprint(given.network))
    } else {
      self.dataKey = dataKey
      baseKey = try stageKey(dataKey, c.epochs, c.learningRate!)
    }
    settings = try ScoredSettings(
      c, seed: seed, data: dataFingerprint, baseline: given.map { weightsFingerprint($0.network) },
      normalization: normalization)
    try settings.check(c.arms, in: folder)
    store = try StageStore(folder)
    trainer = StageTrainer(store: store, interval: saveInterval, progress: progress, shouldStop: shouldStop)
    for arm in c.arms {
      if let method = arm.method, methods[method] == nil {
        throw EncodeNetError("arm '\(arm.id)': there is no method '\(method)' among \(methods.keys.sorted())")
      }
      guard makeModel == nil || arm.architecture == .plain else {
        throw EncodeNetError("arm '\(arm.id)': only the library's own networks have another architecture")
      }
    }
    let splits = try model().splits
    if let split = c.split, !splits.contains(split) {
      throw EncodeNetError("the model has no split '\(split)'; there are \(splits.joined(separator: ", "))")
    }
    _ = try judgeChoice()
  }

  // MARK: Images and models

  func inOrder(_ images: LabeledImages) -> Batches {
    Batches(of: images, size: configuration.batchSize, normalization: normalization)
  }
  /// In random order and augmented. Batch norm cannot train on a single image: such a last batch is left out.
  ///
  /// - Parameter stream: "order" for a first cycle; "later order" for what trains on from the baseline.
  func shuffled(
    by stream: String, _ images: LabeledImages? = nil, mixing: Mixing? = nil, size: Int? = nil
  ) -> Batches {
    let (images, size) = (images ?? self.images, size ?? configuration.batchSize)
    return Batches(
      of: images, size: size, shuffledBy: generator(stream),
      augmentation: configuration.augmentation, mixing: mixing, normalization: normalization,
      droppingLast: images.count % size == 1)
  }

  // MARK: Random streams

  /// The stream called `name` of this run's seed; see ``SplittableGenerator/init(seed:stream:)``. Arms share the streams of
  /// what they have in common, so that they differ in nothing else.
  func generator(_ stream: String) -> SplittableGenerator { SplittableGenerator(seed: seed, stream: stream) }
  /// The seed of the stream called `name`, for a stage that has a seed of its own in the configuration.
  func seed(_ stream: String, _ own: UInt64 = 0) -> UInt64 { SplittableGenerator.seed(seed ^ own, stream: stream) }
  /// The representatives are chosen by this.
  var selection: RepresentativeSelection {
    var selection = configuration.selection
    selection.seed = seed("representatives", selection.seed)
    return selection
  }

  /// The images kept for validation, nil where there are none.
  public var validationSet: ValidationSet? {
    validation.isEmpty ? nil : ValidationSet(inOrder(training.subset(validation)))
  }

  /// Every arm begins from the same random weights.
  func model(_ architecture: BlockVariation = .plain, stream: String = "weights") throws -> any SplitClassifier {
    var generator = generator(stream)
    if let makeModel { return makeModel(&generator) }
    var choice = configuration.modelChoice
    choice.variation = architecture
    return try choice.make(classes: training.classCount, inputShape: training.imageShape, using: &generator)
  }
  func copy(of other: any SplitClassifier) throws -> any SplitClassifier {
    let copy = try model()
    try copy.load(other.stateDictionary)
    return copy
  }
  func parts(of model: any SplitClassifier) -> (features: any Layer, classifier: any Layer) {
    configuration.split.map { model.split(at: $0) } ?? (model.features, model.classifier)
  }

  /// An autoencoder of the model's feature layers, with a decoder of random weights.
  func autoencoder(
    of model: any SplitClassifier, using generator: inout SplittableGenerator
  ) -> GeneralizedConvertingAutoencoder {
    GeneralizedConvertingAutoencoder(
      of: model, at: configuration.split, view: configuration.decoderView, imageShape: images.imageShape,
      targetShape: configuration.conversion.targetShape(for: images.imageShape), using: &generator)
  }

  // MARK: Budget

  func plan(_ arm: Arm) throws -> ExperimentPlan.ArmPlan { try experimentPlan().plan(arm) }

  func experimentPlan() throws -> ExperimentPlan {
    let shape = training.imageShape
    func cost(_ layer: any Layer) -> Int { ModelSummary(of: layer, input: shape).multiplyAdds }
    let plain = try model()
    var generator = SplittableGenerator(seed: 0)
    let gcae = autoencoder(of: plain, using: &generator)
    let (classifier, encoder) = (cost(plain), cost(gcae.encoder))
    return ExperimentPlan(
      configuration: configuration, images: rows.count,
      costs: .init(
        classifier: classifier, encoder: encoder, decoder: cost(gcae) - encoder,
        architecture: { try $0 == .plain ? classifier : cost(model($0)) },
        cachesTargets: { [configuration, training] target in
          let count =
            target == .input ? training.count : training.classCount * configuration.clustering.mostClusters
          return ConversionLoss.caches(count, of: plain, imageShape: shape)
        },
        teacher: { teacher in
          switch teacher {
          case .nobody, .peer: nil
          case .baseline: classifier
          case .model(let choice):
            cost(try choice.make(classes: training.classCount, inputShape: shape, using: &generator))
          case .weights(let path): cost(try savedTeacher(path).network)
          }
        }))
  }

  // MARK: Classifiers

  var baselineArm: Arm { configuration.arms.first(where: \.isBaseline) ?? Arm.standard[0] }

  /// Stage S0, the arm A0.
  public func baseline() throws -> TrainedArm {
    if let known = found.baseline { return known }
    let baseline = try made(baselineArm)
    found.baseline = baseline
    return baseline
  }

  /// An arm, with all that it needs before.
  public func trained(_ arm: Arm) throws -> TrainedArm { try arm.isBaseline ? baseline() : made(arm) }

  private func made(_ arm: Arm) throws -> TrainedArm {
    let plan = try plan(arm)
    if arm.isBaseline, let given, let baseline = configuration.baseline {
      try check(given.network, baseline, key: baseKey)
      return try finished(arm, given.network, [], plan.budget, before: 0)
    }
    if let name = arm.method { return try trained(arm, by: methods[name]!, plan) }
    if arm.conversion != nil { return try transferred(arm, plan) }
    let rate = arm.learningRate
    switch arm.start {
    case .random:
      let model = try model(arm.architecture)
      // A teacher that is the baseline must be there first.
      let base = try arm.recipe.teaching?.teacher == .baseline ? baseline() : nil
      let key = base?.key ?? dataKey
      let before = base?.seconds ?? 0
      let reports = try train(
        arm.id, model, arm.recipe, epochs: plan.epochs, rate: rate ?? configuration.learningRate!, isFirst: true,
        key: arm.isBaseline ? baseKey : stageKey(key, arm.architecture))
      guard arm.architecture == .asymmetricBranches else {
        return try finished(arm, model, reports, plan.budget, before: before)
      }
      let folded = try self.model()
      foldBranches(of: model, into: folded)
      return try finished(arm, folded, reports, plan.budget, before: before)
    case .baseline:
      let base = try baseline()
      let model = try copy(of: base.model)
      let reports = try train(
        arm.id, model, arm.recipe, epochs: plan.epochs, rate: rate ?? configuration.continuedLearningRate!,
        isFirst: false, key: base.key)
      return try finished(arm, model, reports, plan.budget, before: base.seconds)
    }
  }

  /// Saves the weights of an arm with all that it takes to use them.
  ///
  /// - Parameter before: What the epochs of everything that it was made from took.
  private func finished(
    _ arm: Arm, _ model: any SplitClassifier, _ reports: [EpochReport], _ budget: TrainingBudget, before: Double
  ) throws -> TrainedArm {
    let file = store.url("\(arm.id).safetensors")
    var choice = configuration.modelChoice
    choice.variation = arm.finalArchitecture
    try SavedClassifier(
      model: choice, imageShape: training.imageShape, classNames: training.classNames, normalization: normalization,
      origin: given?.names
    ).save(model, to: file)
    // The epochs of several stages count on.
    let curves = LearningCurves(
      reports.enumerated().map { index, report in
        var report = report
        report.epoch = index
        return report
      })
    var seconds = before + curves.seconds
    if case .model(let choice) = arm.recipe.teaching?.teacher { seconds += found.tuition["\(choice)"] ?? 0 }
    return TrainedArm(
      arm: arm, model: model, curves: curves, weights: file, budget: budget, seconds: seconds,
      key: try stageKey(baseKey, arm))
  }

  // MARK: The caller's own methods

  private func trained(_ arm: Arm, by method: Method, _ plan: ExperimentPlan.ArmPlan) throws -> TrainedArm {
    let base = try arm.start == .baseline ? baseline() : nil
    let context = MethodContext(
      run: self, arm: arm, epochs: plan.epochs, start: try base.map { try copy(of: $0.model) } ?? model(),
      key: try stageKey(base?.key ?? dataKey, arm))
    let model: any SplitClassifier
    do { model = try method(context) } catch let error as EncodeNetError {
      throw EncodeNetError("arm '\(arm.id)': \(error)")
    }
    var budget = plan.budget
    if context.trained != plan.epochs {
      budget = try experimentPlan().spent(before: arm).training("training", context.trained)
    }
    return try finished(arm, model, context.reports, budget, before: base?.seconds ?? 0)
  }

  // MARK: Stages

  /// Stages S2 to S4, on the images trained on as they are: clusters, entropies and representatives.
  public func clustering(_ baseline: TrainedArm) throws -> ClusteringStage {
    if let known = found.clustering, known.baseline == baseline.key { return known }
    let (batches, features) = (inOrder(images), parts(of: baseline.model).features)
    let pooled = outputs(of: features, on: batches) { $0.averagedOverSpace }
    let certainty = configuration.entropy(outputs(of: baseline.model, on: batches), labels: images.labels)
    var clustering = configuration.clustering
    clustering.seed = seed("clusters", clustering.seed)
    let clusterKey = try stageKey(baseline.key, configuration.split, clustering)
    let clusters = try store.value("clusters", key: clusterKey) {
      try clustering(pooled, labels: images.labels, names: training.classNames)
    } fits: {
      $0.fits(labels: images.labels)
    }
    let key = try stageKey(clusterKey, configuration.entropy, selection)
    let representatives = try store.value("representatives", key: key) {
      selection(clusters, features: pooled, certainty: certainty, images: images)
    } fits: {
      $0.fits(clusters)
    }
    let stage = ClusteringStage(
      clusters: clusters, representatives: representatives, certainty: certainty, features: pooled,
      baseline: baseline.key, key: key)
    found.clustering = stage
    return stage
  }

  /// Stages S5 and S6: pairs, and the Generalized Converting Autoencoder trained on them, or a control in its place.
  public func conversion(
    _ baseline: TrainedArm, _ clustering: ClusteringStage, to conversion: Conversion = Conversion(), epochs: Int? = nil,
    from start: Arm.Start = .baseline
  ) throws -> ConversionStage {
    let stage = conversionTraining(conversion, epochs: epochs, from: start)
    let model = try start == .baseline ? copy(of: baseline.model) : model(stream: "other weights")
    if start == .random { try parts(of: model).classifier.load(parts(of: baseline.model).classifier.stateDictionary) }
    var generator = SplittableGenerator(seed: seed("decoder", stage.seed))
    let (pairs, targets) = try pairs(conversion, clustering)
    let key = try stageKey(
      clustering.key, conversion, start, stage, configuration.pairing, configuration.decoderView)
    let (name, inputs) = ("conversion-\(key)", shuffled(by: "later order", size: stage.batchSize))
    if conversion.target == .subclass {
      let whole = SubclassClassifier(
        encoder: parts(of: model).features, features: clustering.features.shape[1], classes: clustering.clusters.count,
        using: &generator)
      let reports = try train(whole, on: SubclassBatches(inputs: inputs, pairs: pairs), stage, name: name, key: key)
      return ConversionStage(gcae: nil, model: model, curves: LearningCurves(reports), key: key)
    }
    let untrained = autoencoder(of: model, using: &generator)
    let (gcae, reports) = try stage.train(
      encoder: untrained.encoder, decoder: untrained.decoder, pairs: pairs, inputs: inputs, targets: targets,
      baseline: stage.needsBaseline ? copy(of: baseline.model) : nil, stage: name, key: key, trainer)
    return ConversionStage(gcae: gcae, model: model, curves: LearningCurves(reports), key: key)
  }

  /// The conversion that `arm` is made from, as its budget has it.
  ///
  /// - Throws: For an arm without a conversion.
  public func conversion(_ arm: Arm) throws -> ConversionStage {
    guard let conversion = arm.conversion else { throw EncodeNetError("arm '\(arm.id)' has no conversion") }
    let base = try baseline()
    return try self.conversion(
      base, clustering(base), to: conversion, epochs: plan(arm).conversionEpochs, from: arm.start)
  }

  /// Stage S6 as an arm asks for it.
  private func conversionTraining(_ conversion: Conversion, epochs: Int?, from start: Arm.Start) -> ConversionTraining {
    var stage = configuration.conversion
    if let epochs { stage.epochs = epochs }
    if start == .random { stage.encoderLearningRateScale = 1 }
    if !conversion.trainsEncoder { stage.encoderLearningRateScale = 0 }
    stage.batchSize = stage.batchSize ?? configuration.batchSize
    return stage
  }

  private func train(
    _ whole: SubclassClassifier, on batches: SubclassBatches, _ stage: ConversionTraining, name: String, key: String
  ) throws -> [EpochReport] {
    // An encoder of scale 0 keeps its batch norms' statistics too.
    if stage.encoderLearningRateScale == 0 { whole.encoder.freeze() }
    defer { whole.encoder.unfreeze() }
    let optimizer = AdamW(
      [
        ParameterGroup(
          whole.encoder.namedParameters.map { ("encoder.\($0.name)", $0.parameter) },
          learningRateScale: Scalar(stage.encoderLearningRateScale)),
        ParameterGroup(whole.head.namedParameters.map { ("decoder.\($0.name)", $0.parameter) }),
      ], learningRate: Scalar(stage.learningRate))
    return try trainer(name, key: key, whole, optimizer) { start, shouldStop, onStep in
      Fit(
        whole, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
        schedule: .cosine(from: Scalar(stage.learningRate), over: stage.epochs * batches.batchCount),
        epochs: stage.epochs, startingAt: start, shouldStop: shouldStop, onStep: onStep)
    }
  }

  /// Stage S7 from the converted encoder and the baseline's head.
  private func transferred(_ arm: Arm, _ plan: ExperimentPlan.ArmPlan) throws -> TrainedArm {
    let base = try baseline()
    let converted = try conversion(arm)
    let model = converted.model
    let parts = parts(of: model)
    var transfer = configuration.transfer
    (transfer.mode, transfer.seed) = (arm.transfer, seed("head", transfer.seed))
    var reports = try transfer.teachHead(
      of: EncoderClassifier(encoder: parts.features, head: parts.classifier), inOrder: inOrder(images),
      key: converted.key, stage: "\(arm.id)-head", trainer)
    if arm.transfer == .headThenFineTune {
      reports += try train(
        arm.id, model, arm.recipe, epochs: plan.epochs, rate: arm.learningRate ?? transfer.fineTuneLearningRate!,
        isFirst: false, key: stageKey(converted.key, transfer))
    }
    return try finished(arm, model, reports, plan.budget, before: base.seconds + converted.seconds)
  }
}

/// An encoder that learns to which cluster an image belongs, with no decoder.
final class SubclassClassifier: Layer {
  let encoder: any Layer
  let head: Linear

  init(encoder: any Layer, features: Int, classes: Int, using generator: inout SplittableGenerator) {
    (self.encoder, head) = (encoder, Linear(features, classes, using: &generator))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { head(encoder(x).averagedOverSpace) }
}
