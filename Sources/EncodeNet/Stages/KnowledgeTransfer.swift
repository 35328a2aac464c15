/// Stage S7: trains a head to classify by the converting encoder's features.
///
/// The learning rates fall to 0 by a cosine; SGD with Nesterov's momentum 0.9. The features of the frozen encoder are
/// computed once, by its running statistics, so training the head takes little; those that do not fit
/// ``ImageFeatures/usualMemoryLimit`` are computed in each epoch.
public struct KnowledgeTransfer: Settings {
  /// The layers that are trained.
  public enum Mode: String, Sendable, Hashable, CaseIterable, Codable {
    /// The head alone: the paper's.
    case frozenEncoder
    /// The head, then encoder and head together at a low rate.
    case headThenFineTune
  }
  /// The layers that are trained.
  public var mode: Mode
  /// Epochs of the head alone.
  public var headEpochs = 10
  /// The head's first learning rate.
  public var headLearningRate = 0.05
  /// Epochs of everything, in ``Mode/headThenFineTune``.
  public var fineTuneEpochs = 10
  /// The first learning rate of everything; nil for 0.01, in an experiment for that of continued training, so that what
  /// restarts from the baseline restarts alike, whether it was converted or not.
  public var fineTuneLearningRate: Double?
  /// Images in a batch.
  public var batchSize = 128
  /// The weight decay of every weight.
  public var weightDecay = 5e-4
  /// Decides the order of the images.
  public var seed: UInt64 = 0

  /// The head alone.
  public init() { self.init(.frozenEncoder) }

  /// The defaults in that mode.
  public init(_ mode: Mode) { self.mode = mode }

  public static let settings: [Setting<KnowledgeTransfer>] = [
    Setting("mode", \.mode), Setting("headEpochs", \.headEpochs), Setting("headLearningRate", \.headLearningRate),
    Setting("fineTuneEpochs", \.fineTuneEpochs), Setting("fineTuneLearningRate", \.fineTuneLearningRate),
    Setting("batchSize", \.batchSize), Setting("weightDecay", \.weightDecay), Setting("seed", \.seed),
  ]

  /// Trains `model`, which may be cut where the encoder ended.
  ///
  /// - Parameters:
  ///   - images: The training images.
  ///   - augmentation: Of the fine-tuning; the frozen encoder sees the images as they are.
  /// - Returns: The reports of the head's epochs, then those of the fine-tuning.
  /// - Throws: A ``TrainingError`` where the loss becomes NaN or infinite.
  public func callAsFunction(
    _ model: EncoderClassifier, _ images: LabeledImages, normalization: Normalization? = nil,
    augmentation: Augmentation? = nil
  ) throws -> [EpochReport] {
    let inOrder = Batches(of: images, size: batchSize, normalization: normalization)
    let shuffled = Batches(
      of: images, size: batchSize, shuffledBy: SplittableGenerator(seed: seed, stream: "order"),
      augmentation: augmentation,
      normalization: normalization, droppingLast: images.count % batchSize == 1)
    let reports = try trainHead(of: model, inOrder: inOrder, key: "", stage: "head", StepTrainer())
    guard mode == .headThenFineTune else { return reports }
    return try reports
      + train(
        model, shuffled, fineTuneEpochs, fineTuneLearningRate ?? 0.01, key: "", stage: "fine-tuning", StepTrainer())
  }

  /// Whether the encoder's features of so many images are computed once: they must fit the memory for features.
  static func caches(_ images: Int, of encoder: any Layer, imageShape: Shape) -> Bool {
    // In double precision too, so that a budget does not depend on it.
    let bytes = LayerTrace.run(encoder, on: imageShape).output.count * MemoryLayout<Float>.stride
    return images <= ImageFeatures.usualMemoryLimit / bytes
  }

  /// Trains the head alone, on features that are computed once where they fit, else in each epoch.
  func trainHead(
    of model: EncoderClassifier, inOrder: Batches, key: String, stage: String, _ trainer: StepTrainer
  ) throws -> [EpochReport] {
    let images = inOrder.dataset
    guard Self.caches(images.count, of: model.features, imageShape: images.imageShape) else {
      let encoded = EncodedBatches(
        encoder: model.features,
        images: Batches(
          of: images, size: batchSize, shuffledBy: SplittableGenerator(seed: seed, stream: "order"),
          normalization: inOrder.normalization, droppingLast: images.count % batchSize == 1))
      return try train(model.classifier, encoded, headEpochs, headLearningRate, key: key, stage: stage, trainer)
    }
    let cached = TensorBatches(
      inputs: outputs(of: model.features, on: inOrder), labels: images.labels, size: batchSize, seed: seed)
    return try train(model.classifier, cached, headEpochs, headLearningRate, key: key, stage: stage, trainer)
  }

  private func train(
    _ model: some Layer, _ batches: some BatchSource<Batch>, _ epochs: Int, _ rate: Double, key: String, stage: String,
    _ trainer: StepTrainer
  ) throws -> [EpochReport] {
    guard !model.parameters.isEmpty else { return [] }
    let optimizer = SGD(
      model, learningRate: Scalar(rate), momentum: 0.9, nesterov: true, weightDecay: Scalar(weightDecay))
    return try trainer(
      stage, key: fingerprint(of: key, self),
      Fit(
        model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
        schedule: .cosine(from: Scalar(rate), over: epochs * batches.batchCount), epochs: epochs))
  }
}
