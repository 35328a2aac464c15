/// Stage S6: trains an encoder and a decoder to turn every image into its target.
///
/// ```swift
/// let (gcae, reports) = try ConversionTraining()(
///   encoder: copy.features, decoder: decoder, pairs: pairs, images: images, normalization: normalization,
///   baseline: baseline)
/// ```
///
/// AdamW with a cosine to 0 minimises, for each pair and times its weight,
///
///     squared error + perceptualWeight · perceptual term + classificationWeight · classification term
///
/// With the squared error alone, the paper's, the best output is the mean of the targets that the image may have, which
/// a classifier may take for anything; the other terms ask that the image be seen as its target is.
public struct ConversionTraining: Settings {
  /// Passes over the pairs.
  public var epochs = 20
  /// AdamW's first learning rate.
  public var learningRate = 1e-3
  /// Multiplies that rate for the encoder, which begins with trained weights; 0 leaves the encoder as it is, its batch
  /// norms too.
  public var encoderLearningRateScale = 0.1
  /// The share of the epochs in which the decoder learns alone before the encoder joins it; nil for none.
  ///
  /// What a decoder of random weights asks of a trained encoder may undo what it knows. Kumar et al.:
  /// "Fine-tuning can distort pretrained features and underperform out-of-distribution", 2022.
  public var decoderHeadStart: Double?
  /// The weight of the squared distance between the baseline's maps of the converted image and of its target, as a share of
  /// the target's squares.
  ///
  /// Johnson, Alahi, Fei-Fei: "Perceptual losses for real-time style transfer and super-resolution", 2016.
  public var perceptualWeight = 0.0
  /// The weight of the baseline's cross-entropy on the converted image.
  ///
  /// Alone it can be met by noise that nobody but the baseline reads: judge the images by another network.
  /// Odena, Olah, Shlens: "Conditional image synthesis with auxiliary classifier GANs", 2017.
  public var classificationWeight = 0.0
  /// The longer side of the converted images, nil for the input's size: large images are as well converted into small ones.
  public var targetSize: Int?
  /// Images in a batch; nil for 128, in an experiment for that of its classifiers.
  public var batchSize: Int?
  /// Decides the order of the images and their augmentation; in an experiment, whose arms share these, the decoder's weights.
  public var seed: UInt64 = 0

  /// The paper's: squared error.
  public init() {}

  public static let settings: [Setting<ConversionTraining>] = [
    Setting("epochs", \.epochs), Setting("learningRate", \.learningRate),
    Setting("encoderLearningRateScale", \.encoderLearningRateScale), Setting("decoderHeadStart", \.decoderHeadStart),
    Setting("perceptualWeight", \.perceptualWeight), Setting("classificationWeight", \.classificationWeight),
    Setting("targetSize", \.targetSize), Setting("batchSize", \.batchSize), Setting("seed", \.seed),
  ]

  /// Squared error and a perceptual term, at the learning rate that suits both: what experiments take by default.
  public static var withPerceptualTerm: ConversionTraining {
    var training = ConversionTraining()
    (training.perceptualWeight, training.learningRate) = (0.03, 3e-3)
    return training
  }

  /// Whether a frozen baseline takes part in the loss.
  public var needsBaseline: Bool { perceptualWeight > 0 || classificationWeight > 0 }

  /// Checks what types do not.
  public func check() throws(ExperimentError) {
    func within(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(ExperimentError) {
      guard range.contains(value) else {
        throw ExperimentError("conversion.\(name) is \(value), it must be in \(range)")
      }
    }
    try within("epochs", Double(epochs), 1...1e6)
    try within("learningRate", learningRate, 1e-9...1e3)
    try within("encoderLearningRateScale", encoderLearningRateScale, 0...1e3)
    if let decoderHeadStart { try within("decoderHeadStart", decoderHeadStart, 0...1) }
    try within("perceptualWeight", perceptualWeight, 0...1e6)
    try within("classificationWeight", classificationWeight, 0...1e6)
    if let targetSize { try within("targetSize", Double(targetSize), 1...4096) }
    if let batchSize, batchSize < 2 {
      throw ExperimentError("conversion.batchSize is \(batchSize), batch norm needs at least 2")
    }
  }

  /// The epochs of `epochs` in which the decoder learns alone.
  func epochsAlone(of epochs: Int) -> Int { Int(((decoderHeadStart ?? 0) * Double(epochs)).rounded()) }

  /// The shape of the converted images, for images of `imageShape`, `[height, width, channels]`.
  public func targetShape(for imageShape: Shape) -> Shape {
    let longer = max(imageShape[0], imageShape[1])
    guard let targetSize, targetSize < longer else { return imageShape }
    return [
      max(1, imageShape[0] * targetSize / longer), max(1, imageShape[1] * targetSize / longer), imageShape[2],
    ]
  }

  /// Trains `encoder` and `decoder`, in place.
  ///
  /// - Parameters:
  ///   - encoder: Maps images to features.
  ///   - decoder: Maps features to images of ``targetShape(for:)``, in 0...1.
  ///   - pairs: One for each of `images`.
  ///   - images: The images trained on.
  ///   - targets: The images that the pairs' targets are of, nil for `images`.
  ///   - augmentation: Of the inputs; a target stays as it is.
  ///   - normalization: Of the encoder's and the baseline's input.
  ///   - baseline: A trained classifier that sees the converted images where a weight says so; it is frozen meanwhile, and
  ///     shares no parameters with the encoder.
  ///   - progress: Called after each epoch.
  /// - Returns: Both as one autoencoder, and the reports of its epochs.
  /// - Throws: Where pairs do not fit the images, shapes do not fit, a baseline is needed and not given, or training stops.
  public func callAsFunction(
    encoder: any Layer, decoder: any Layer, pairs: ConversionPairs, images: LabeledImages,
    targets: LabeledImages? = nil, augmentation: Augmentation? = nil, normalization: Normalization? = nil,
    baseline: (any SplitClassifier)? = nil, progress: @escaping @Sendable (EpochReport) -> Void = { _ in }
  ) throws -> (gcae: GeneralizedConvertingAutoencoder, reports: [EpochReport]) {
    try check()
    let size = batchSize ?? 128
    let inputs = Batches(
      of: images, size: size, shuffledBy: SplittableGenerator(seed: seed, stream: "order"),
      augmentation: augmentation, normalization: normalization, droppingLast: images.count % size == 1)
    return try train(
      encoder: encoder, decoder: decoder, pairs: pairs, inputs: inputs, targets: targets, baseline: baseline,
      stage: "conversion", key: "", StepTrainer(progress: { _, report in progress(report) }))
  }

  /// The same on given batches, saved and resumed by `trainer`.
  func train(
    encoder: any Layer, decoder: any Layer, pairs: ConversionPairs, inputs: Batches, targets: LabeledImages?,
    baseline: (any SplitClassifier)?, stage: String, key: String, _ trainer: StepTrainer
  ) throws -> (gcae: GeneralizedConvertingAutoencoder, reports: [EpochReport]) {
    let gcae = GeneralizedConvertingAutoencoder(encoder: encoder, decoder: decoder)
    let shape = inputs.dataset.imageShape
    let targetShape = targetShape(for: shape)
    let shown = LayerTrace.run(gcae, on: shape).output
    guard Array(shown.dimensions.dropFirst()) == targetShape.dimensions else {
      throw ExperimentError(
        "conversion: the decoder makes \(shown.dimensions.dropFirst()) of an image \(shape), its targets are "
          + "\(targetShape)")
    }
    if needsBaseline, baseline == nil {
      throw ExperimentError("conversion: a perceptual or classification weight needs the baseline, and none is given")
    }
    // A frozen baseline would freeze what it shares.
    if needsBaseline, let baseline {
      let fixed = Set(baseline.parameters.map(ObjectIdentifier.init))
      guard !gcae.parameters.contains(where: { fixed.contains(ObjectIdentifier($0)) }) else {
        throw ExperimentError(
          "conversion: the baseline shares parameters with the autoencoder: train a copy, loaded from its stateDictionary"
        )
      }
    }
    let batches = try ConversionBatches(inputs, pairs: pairs, targets: targets, targetShape: targetShape)

    // What is frozen keeps the statistics of its batch norms too; afterwards everything is as it was.
    let parameters = encoder.parameters + (baseline?.parameters ?? [])
    let wasTrainable = parameters.map(\.isTrainable)
    defer { for (parameter, was) in zip(parameters, wasTrainable) { parameter.isTrainable = was } }
    let loss = ConversionLoss(self, baseline: needsBaseline ? baseline : nil, batches, pairs, inputs)

    func group(_ name: String, _ layer: any Layer, _ scale: Double) -> ParameterGroup {
      ParameterGroup(
        layer.namedParameters.filter(\.parameter.isTrainable).map { ("\(name).\($0.name)", $0.parameter) },
        learningRateScale: Scalar(scale))
    }
    let schedule = Schedule.cosine(from: Scalar(learningRate), over: epochs * batches.batchCount)
    /// Trains the epochs `first..<last`, the decoder alone or both.
    func part(_ stage: String, _ first: Int, _ last: Int, trainsEncoder: Bool) throws -> [EpochReport] {
      guard first < last else { return [] }
      for (parameter, was) in zip(encoder.parameters, wasTrainable) { parameter.isTrainable = trainsEncoder && was }
      let optimizer = AdamW(
        [group("encoder", encoder, encoderLearningRateScale), group("decoder", decoder, 1)],
        learningRate: Scalar(learningRate))
      return try trainer(stage, key: key, gcae, optimizer) { start, shouldStop, onStep in
        var start = start
        if start.step == 0 { (start.epoch, start.step) = (first, first * batches.batchCount) }
        return Fit(
          gcae, to: batches, loss: { loss($0, $1) }, optimizer: optimizer, schedule: schedule, epochs: last,
          classifies: false, startingAt: start, shouldStop: shouldStop, onStep: onStep)
      }
    }
    let alone = encoderLearningRateScale == 0 ? epochs : epochsAlone(of: epochs)
    // The name of the stage is that of what ends it.
    let reports =
      try part(alone < epochs ? "\(stage)-decoder" : stage, 0, alone, trainsEncoder: false)
      + part(stage, alone, epochs, trainsEncoder: true)
    return (gcae, reports)
  }
}

/// The loss of converted images: squared error, and how a frozen baseline sees them.
struct ConversionLoss {
  private let options: ConversionTraining
  private let baseline: FrozenView?
  /// The places of targets in ``cachedMaps``.
  private let places: [Int: Int]
  /// The baseline's maps of every target, where they are few enough to keep; else they are found batch by batch.
  private let cachedMaps: [Tensor]

  init(
    _ options: ConversionTraining, baseline: (any SplitClassifier)?, _ batches: ConversionBatches,
    _ pairs: ConversionPairs, _ inputs: Batches
  ) {
    self.options = options
    let shape = inputs.dataset.imageShape
    self.baseline = baseline.map { FrozenView($0, normalization: inputs.normalization, imageShape: shape) }
    let targets = Set(pairs.pairs.map(\.target)).sorted()
    guard options.perceptualWeight > 0, let baseline, let view = self.baseline,
      pairs.pairs.allSatisfy(\.mixture.isEmpty),
      Self.caches(targets.count, of: baseline, imageShape: shape)
    else {
      (places, cachedMaps) = ([:], [])
      return
    }
    places = Dictionary(uniqueKeysWithValues: zip(targets, 0...))
    let parts = stride(from: 0, to: targets.count, by: 64).map { start in
      let part = targets[start..<min(start + 64, targets.count)]
      return view(batches.targets(of: part.map { .init(input: 0, target: $0) })).maps.map(\.detached)
    }
    cachedMaps = parts.isEmpty ? [] : parts[0].indices.map { map in Tensor.concatenated(parts.map { $0[map] }) }
  }

  /// Whether the baseline's maps of so many targets are kept: where they take no more than 256 MiB.
  static func caches(_ targets: Int, of baseline: any SplitClassifier, imageShape: Shape) -> Bool {
    let (trace, _) = LayerTrace.run(baseline, on: imageShape)
    // Of every layer: those kept, the last of each size, are fewer.
    let scalars = trace.events.reduce(0) { $0 + $1.output.count }
    return targets * scalars * MemoryLayout<Scalar>.stride <= 256 << 20
  }

  /// The mean over the batch, each image times its pair's weight.
  func callAsFunction(_ shown: Tensor, _ batch: ConversionBatch) -> Tensor {
    let weights = batch.pairs.map { Scalar($0.weight) }
    func mean(_ errors: Tensor) -> Tensor {
      let perImage = errors.flattenedRows.mean(alongAxes: [1])
      return (perImage * Tensor(weights, shape: [weights.count])).mean()
    }
    let isPlain = weights.allSatisfy { $0 == 1 }
    var loss = isPlain ? meanSquaredError(shown, batch.targets) : mean(square(shown - batch.targets))
    guard let baseline else { return loss }
    let seen = baseline(shown)
    if options.perceptualWeight > 0 {
      let targets =
        places.isEmpty
        ? baseline(batch.targets).maps.map(\.detached)
        : cachedMaps.map { $0.gathering(batch.pairs.map { places[$0.target]! }) }
      var distance = Tensor(0)
      for (map, target) in zip(seen.maps, targets) {
        // As a share of the target's own squares, so that maps of any layer and network count alike.
        distance = distance + mean(square(map - target)) * (1 / max(square(target).mean().item, 1e-12))
      }
      loss = loss + distance * Scalar(options.perceptualWeight / Double(max(targets.count, 1)))
    }
    if options.classificationWeight > 0 {
      let entropies = logSoftmax(seen.logits, axis: -1) * Tensor.oneHot(batch.labels, classes: seen.logits.shape[1])
      let perImage = -entropies.sum(alongAxes: [1]).unsqueezed(at: 1)
      loss = loss + mean(perImage) * Scalar(options.classificationWeight)
    }
    return loss
  }
}

/// A trained classifier that looks at images in 0...1 and never changes.
struct FrozenView {
  private let network: any SplitClassifier
  private let normalization: Normalization?
  private let imageShape: Shape

  init(_ network: any SplitClassifier, normalization: Normalization?, imageShape: Shape) {
    (self.network, self.normalization, self.imageShape) = (network, normalization, imageShape)
    network.freeze()
  }

  /// The logits, and the maps that distances are taken between.
  func callAsFunction(_ images: Tensor) -> (maps: [Tensor], logits: Tensor) {
    let sized =
      images.shape[1] == imageShape[0] && images.shape[2] == imageShape[1]
      ? images : resized2d(images, height: imageShape[0], width: imageShape[1])
    return network.evaluating { network.viewed(normalization?(sized) ?? sized) }
  }
}

extension SplitClassifier {
  /// The logits, and the last map of each size on the way, with the features that the network ends with.
  fileprivate func viewed(_ images: Tensor) -> (maps: [Tensor], logits: Tensor) {
    guard let staged = self as? any StagedClassifier else {
      let features = features(images)
      return ([features], classifier(features))
    }
    var (x, maps) = (images, [Tensor]())
    for (_, layer) in staged.stages.dropLast() {
      x = layer(x)
      if let last = maps.last, last.shape.dimensions.dropFirst().dropLast() == x.shape.dimensions.dropFirst().dropLast()
      {
        maps.removeLast()
      }
      maps.append(x)
    }
    return (maps, staged.stages.last?.layer(x) ?? x)
  }
}
