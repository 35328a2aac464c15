/// The autoencoder that the step S6 trained.
public struct ConversionStage {
  /// The autoencoder, nil where the encoder learnt sub-classes instead.
  public let gcae: GeneralizedConvertingAutoencoder?
  /// The learning curves.
  public let curves: LearningCurves
  /// The epochs planned.
  let epochs: Int
  let key: String
}

/// Stages S5 and S6: pairs, and the Generalized Converting Autoencoder trained on them, or a control in its place.
///
/// Leaves a ``ConversionStage``, and a network whose feature layers are the autoencoder's encoder and whose head is still the
/// baseline's.
public struct Convert: Step {
  let conversion: Conversion
  let start: ArmSettings.Start
  let split: String?
  let view: Decoder.View?
  let pairing: ConversionPairing
  let selection: RepresentativeSelection
  let training: ConversionTraining
  var epochs: Epochs
  /// The largest number of targets of a class, for the cost.
  let targetsPerClass: Int

  /// The step with those settings, after a ``Cluster`` step.
  ///
  /// - Parameters:
  ///   - start: The origin of the encoder's weights.
  ///   - split: The last feature layer, nil for the network's own.
  ///   - view: The part of a feature map that the decoder sees, nil for what the model's head sees.
  ///   - selection: For targets that are not the clusters' own.
  ///   - targetsPerClass: The largest number of clusters of a class, for the cost.
  public init(
    _ conversion: Conversion = .init(), from start: ArmSettings.Start = .baseline, split: String? = nil,
    view: Decoder.View? = nil, pairing: ConversionPairing = .init(), selection: RepresentativeSelection = .init(),
    training: ConversionTraining = .withPerceptualTerm, epochs: Epochs, targetsPerClass: Int = 8
  ) {
    (self.conversion, self.start, self.split, self.view) = (conversion, start, split, view)
    (self.pairing, self.selection, self.training) = (pairing, selection, training)
    (self.epochs, self.targetsPerClass) = (epochs, targetsPerClass)
  }

  // MARK: Budget

  public func planned(in plan: inout ArmPlan) throws -> Convert {
    let run = plan.run
    let plain = try run.network()
    let encoder = run.forwardCost("encoder") { autoencoder(of: plain, run).encoder }
    let decoder = run.forwardCost("autoencoder") { autoencoder(of: plain, run) } - encoder
    let isSubclass = conversion.target == .subclass
    let baseline = isSubclass ? 0 : baselineShare(of: plain, run)
    func charged(_ budget: TrainingBudget, _ epochs: Int, trainsEncoder: Bool) -> TrainingBudget {
      budget.converting(
        "conversion", epochs, encoder: encoder, decoder: isSubclass ? 0 : decoder, baseline: baseline,
        alone: epochsAlone(of: epochs, trainsEncoder: trainsEncoder))
    }
    // The mean over all epochs, which do not cost the same where the decoder learns alone at first. An encoder that is not
    // trained costs less, and gets as many epochs as one that is, for the sake of its decoder.
    let empty = TrainingBudget(multiplyAdds: try run.forwardCost(), images: run.images.count)
    func cost(_ trainsEncoder: Bool) -> Double { charged(empty, 100, trainsEncoder: trainsEncoder).total / 100 }
    var step = self
    let count = plan.count(epochs, costPerEpoch: cost(true))
    step.epochs = .count(count)
    plan.budget = charged(plan.budget, count, trainsEncoder: conversion.trainsEncoder)
    plan.epochCosts["conversion"] = cost(conversion.trainsEncoder)
    return step
  }

  /// The cost of the frozen baseline beside the autoencoder, as a share of training it: forward and backward through the
  /// converted image, and forward through its target where there are too many targets to cache their features.
  private func baselineShare(of network: any SplitClassifier, _ run: SeedRun) -> Double {
    guard training.needsBaseline else { return 0 }
    let isMixed = conversion.target == .representative && pairing.softness != nil
    let count = conversion.target == .input ? run.data.training.count : run.images.classCount * targetsPerClass
    let isCached = ConversionLoss.caches(count, of: network, imageShape: run.images.imageShape)
    return training.perceptualWeight > 0 && (isMixed || !isCached) ? 1 : 2.0 / 3
  }

  /// The epochs of these in which the encoder is not trained.
  private func epochsAlone(of epochs: Int, trainsEncoder: Bool) -> Int {
    guard trainsEncoder, start == .random || training.encoderLearningRateScale > 0 else { return epochs }
    // Where the encoder learns sub-classes there is no decoder to wait for.
    return conversion.target == .subclass ? 0 : training.epochsAlone(of: epochs)
  }

  // MARK: Training

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    guard case .count(let epochs) = epochs else { preconditionFailure("Convert: the epochs are not settled") }
    guard let clustering = state[ClusteringStage.self] else {
      throw ExperimentError("a conversion needs clusters: put a Cluster step before it")
    }
    let baseline = state.network
    if start == .random {
      state.network = try run.network(stream: "other weights")
      try state.network.parts(at: split).classifier.load(baseline.parts(at: split).classifier.stateDictionary)
    } else {
      state.network = try run.copy(of: baseline)
    }
    let stage = training(epochs, run)
    var generator = SplittableGenerator(seed: run.seed("decoder", stage.seed))
    let (pairs, targets) = try pairs(clustering, run)
    let name = "conversion-\(state.key)"
    func inputs(_ images: LabeledImages) -> Batches { run.shuffled(by: "later order", images, size: stage.batchSize) }
    var gcae: GeneralizedConvertingAutoencoder?
    let reports: [EpochReport]
    if conversion.target == .subclass {
      let whole = SubclassClassifier(
        encoder: state.network.parts(at: split).features, features: clustering.features.width,
        classes: clustering.clusters.count, using: &generator)
      reports = try whole.train(
        on: inputs(run.images.labeled(pairs.pairs.map(\.target), classes: clustering.clusters.count)), stage,
        name: name,
        key: state.key, run.trainer)
    } else {
      let untrained = autoencoder(of: state.network, run, using: &generator)
      (gcae, reports) = try stage.train(
        encoder: untrained.encoder, decoder: untrained.decoder, pairs: pairs, inputs: inputs(run.images),
        targets: targets,
        baseline: stage.needsBaseline ? baseline : nil, stage: name, key: state.key, run.trainer)
    }
    state[ConversionStage.self] = ConversionStage(
      gcae: gcae, curves: LearningCurves(reports), epochs: epochs, key: state.key)
    state.reports = []
    state.seconds += reports.seconds
  }

  /// The settings of the training as the arm asks for them.
  private func training(_ epochs: Int, _ run: SeedRun) -> ConversionTraining {
    var stage = training
    stage.epochs = epochs
    if start == .random { stage.encoderLearningRateScale = 1 }
    if !conversion.trainsEncoder { stage.encoderLearningRateScale = 0 }
    stage.batchSize = stage.batchSize ?? run.settings.batchSize
    return stage
  }

  /// An autoencoder of the network's feature layers, with a decoder of random weights.
  private func autoencoder(
    of network: any SplitClassifier, _ run: SeedRun, using generator: inout SplittableGenerator
  ) -> GeneralizedConvertingAutoencoder {
    let shape = run.images.imageShape
    return GeneralizedConvertingAutoencoder(
      of: network, at: split, view: view, imageShape: shape, targetShape: training.targetShape(for: shape),
      using: &generator)
  }
  private func autoencoder(of network: any SplitClassifier, _ run: SeedRun) -> GeneralizedConvertingAutoencoder {
    var generator = SplittableGenerator(seed: 0)
    return autoencoder(of: network, run, using: &generator)
  }
}
