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
  /// The gradients of a decoder of random weights may undo what a trained encoder knows. Kumar et al.:
  /// "Fine-tuning can distort pretrained features and underperform out-of-distribution", 2022.
  public var decoderHeadStart: Double?
  /// The weight of the squared distance between the baseline's maps of the converted image and of its target, as a share of
  /// the target's squares.
  ///
  /// Johnson, Alahi, Fei-Fei: "Perceptual losses for real-time style transfer and super-resolution", 2016.
  public var perceptualWeight = 0.0
  /// The weight of the baseline's cross-entropy on the converted image.
  ///
  /// Alone it can be met by noise that only the baseline reads: judge the images by another network.
  /// Odena, Olah, Shlens: "Conditional image synthesis with auxiliary classifier GANs", 2017.
  public var classificationWeight = 0.0
  /// The longer side of the converted images, at most that of the images; nil for at most ``usualTargetSize``.
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

  /// Checks the values.
  public func check() throws(ExperimentError) {
    func within(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(ExperimentError) {
      try requireWithin("conversion.\(name)", value, range)
    }
    try within("epochs", Double(epochs), 1...1e6)
    try within("learningRate", learningRate, 1e-9...1e3)
    try within("encoderLearningRateScale", encoderLearningRateScale, 0...1e3)
    if let decoderHeadStart { try within("decoderHeadStart", decoderHeadStart, 0...1) }
    try within("perceptualWeight", perceptualWeight, 0...1e6)
    try within("classificationWeight", classificationWeight, 0...1e6)
    if let targetSize { try within("targetSize", Double(targetSize), 1...4096) }
    if let batchSize { try requireCount("conversion.batchSize", batchSize, from: 2) }
  }

  /// The epochs of `epochs` in which the decoder learns alone.
  func epochsAlone(of epochs: Int) -> Int { Int(((decoderHeadStart ?? 0) * Double(epochs)).rounded()) }

  /// The longer side of converted images where nothing is said.
  ///
  /// Of 224 by 224 pixels a ResNet18's decoder has four times the multiply-adds of one of 64 by 64, a step on two cores took 1.4
  /// times as long, and the run 0.6 GB more; all representatives of 1,000 classes, which every converted image is compared with,
  /// take 3 GB and not 0.25. What tells a class from another is seen at 64 pixels. Images of at most 64 are converted at
  /// their size.
  public static let usualTargetSize = 64

  /// The shape of the converted images, for images of `imageShape`, `[height, width, channels]`.
  public func targetShape(for imageShape: Shape) -> Shape {
    let (longer, size) = (max(imageShape[0], imageShape[1]), targetSize ?? Self.usualTargetSize)
    guard size < longer else { return imageShape }
    return [max(1, imageShape[0] * size / longer), max(1, imageShape[1] * size / longer), imageShape[2]]
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

  /// Trains on given batches, saved and resumed by `trainer`.
  func train(
    encoder: any Layer, decoder: any Layer, pairs: ConversionPairs, inputs: Batches, targets: LabeledImages?,
    baseline: (any SplitClassifier)?, stage: String, key: String, _ trainer: StepTrainer
  ) throws -> (gcae: GeneralizedConvertingAutoencoder, reports: [EpochReport]) {
    let gcae = GeneralizedConvertingAutoencoder(encoder: encoder, decoder: decoder)
    let targetShape = targetShape(for: inputs.dataset.imageShape)
    try check(gcae, baseline, imageShape: inputs.dataset.imageShape)
    let batches = try ConversionBatches(inputs, pairs: pairs, targets: targets, targetShape: targetShape)

    // What is frozen keeps the statistics of its batch norms too; afterwards everything is as it was.
    let parameters = encoder.parameters + (baseline?.parameters ?? [])
    let wasTrainable = parameters.map(\.isTrainable)
    defer { for (parameter, was) in zip(parameters, wasTrainable) { parameter.isTrainable = was } }
    let loss = ConversionLoss(self, baseline: needsBaseline ? baseline : nil, batches, pairs, inputs)

    let schedule = Schedule.cosine(from: Scalar(learningRate), over: epochs * batches.batchCount)
    /// Trains the epochs `first..<last`, the decoder alone or both.
    func part(_ stage: String, _ first: Int, _ last: Int, trainsEncoder: Bool) throws -> [EpochReport] {
      guard first < last else { return [] }
      for (parameter, was) in zip(encoder.parameters, wasTrainable) { parameter.isTrainable = trainsEncoder && was }
      var start = TrainingPosition()
      (start.epoch, start.step) = (first, first * batches.batchCount)
      return try trainer(
        stage, key: key,
        Fit(
          gcae, to: batches, loss: { loss($0, $1) }, optimizer: optimizer(encoder, decoder), schedule: schedule,
          epochs: last, classifies: false, startingAt: start))
    }
    let alone = encoderLearningRateScale == 0 ? epochs : epochsAlone(of: epochs)
    // The name of the stage is that of what ends it.
    let reports =
      try part(alone < epochs ? "\(stage)-decoder" : stage, 0, alone, trainsEncoder: false)
      + part(stage, alone, epochs, trainsEncoder: true)
    return (gcae, reports)
  }

  /// An optimizer of what is trainable in `encoder`, at its own rate, and in what follows it.
  func optimizer(_ encoder: any Layer, _ decoder: any Layer) -> AdamW {
    func group(_ name: String, _ layer: any Layer, _ scale: Double) -> ParameterGroup {
      ParameterGroup(
        layer.namedParameters.filter(\.parameter.isTrainable).map { ("\(name).\($0.name)", $0.parameter) },
        learningRateScale: Scalar(scale))
    }
    return AdamW(
      [group("encoder", encoder, encoderLearningRateScale), group("decoder", decoder, 1)],
      learningRate: Scalar(learningRate))
  }

  /// Checks that the decoder makes targets, and that a baseline is given where it is needed, which shares nothing.
  private func check(
    _ gcae: GeneralizedConvertingAutoencoder, _ baseline: (any SplitClassifier)?, imageShape shape: Shape
  ) throws(ExperimentError) {
    let targetShape = targetShape(for: shape)
    let shown = LayerTrace.run(gcae, on: shape).output
    guard Array(shown.dimensions.dropFirst()) == targetShape.dimensions else {
      throw ExperimentError(
        "conversion: the decoder makes \(shown.dimensions.dropFirst()) of an image \(shape), its targets are "
          + "\(targetShape)")
    }
    guard needsBaseline else { return }
    guard let baseline else {
      throw ExperimentError("conversion: a perceptual or classification weight needs the baseline, and none is given")
    }
    // A frozen baseline would freeze what it shares.
    let fixed = Set(baseline.parameters.map(ObjectIdentifier.init))
    guard !gcae.parameters.contains(where: { fixed.contains(ObjectIdentifier($0)) }) else {
      throw ExperimentError(
        "conversion: the baseline shares parameters with the autoencoder: train a copy, loaded from its stateDictionary"
      )
    }
  }
}
