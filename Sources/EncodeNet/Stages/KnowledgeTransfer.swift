/// Stage S7: teaches a head to classify by what the converting encoder sees.
///
/// The learning rates fall to 0 by a cosine; SGD with Nesterov's momentum 0.9. The features of the frozen encoder are
/// found once, by its running statistics, so teaching the head takes little.
public struct KnowledgeTransfer: Sendable, Codable, Hashable {
  /// What is trained.
  public enum Mode: String, Sendable, Codable, Hashable, CaseIterable {
    /// The head alone: the paper's.
    case frozenEncoder
    /// The head, then encoder and head together at a low rate.
    case headThenFineTune
  }
  /// What is trained.
  public var mode: Mode
  /// Epochs of the head alone.
  public var headEpochs = 10
  /// The head's first learning rate.
  public var headLearningRate = 0.05
  /// Epochs of everything, in ``Mode/headThenFineTune``.
  public var fineTuneEpochs = 10
  /// The first learning rate of everything.
  public var fineTuneLearningRate = 0.01
  /// Images in a batch.
  public var batchSize = 128
  /// Of every weight.
  public var weightDecay = 5e-4
  /// Decides the order of the images.
  public var seed: UInt64 = 0

  /// The defaults in that mode.
  public init(_ mode: Mode = .frozenEncoder) { self.mode = mode }

  /// Teaches `model`, which may be cut where the encoder ended.
  ///
  /// - Parameters:
  ///   - images: The training images.
  ///   - augmentation: Of the fine-tuning; the frozen encoder sees the images as they are.
  /// - Returns: The reports of the head's epochs, then those of the fine-tuning.
  /// - Throws: A ``TrainingError`` where the loss stops being a number.
  public func callAsFunction(
    _ model: EncoderClassifier, _ images: LabeledImages, normalization: Normalization? = nil,
    augmentation: Augmentation? = nil
  ) throws -> [EpochReport] {
    let inOrder = Batches(of: images, size: batchSize, normalization: normalization)
    let shuffled = Batches(
      of: images, size: batchSize, shuffledBy: SplittableGenerator(seed: seed &+ 1), augmentation: augmentation,
      normalization: normalization, droppingLast: images.count % batchSize == 1)
    return try run(
      model, inOrder: inOrder, shuffled: shuffled, key: "", stage: "transfer", StageTrainer())
  }

  func run(
    _ model: EncoderClassifier, inOrder: Batches, shuffled: Batches, key: String, stage: String,
    _ trainer: StageTrainer
  ) throws -> [EpochReport] {
    let cached = TensorBatches(
      inputs: outputs(of: model.features, on: inOrder), labels: inOrder.dataset.labels, size: batchSize, seed: seed)
    var reports = try teach(
      model.classifier, cached, headEpochs, headLearningRate, key: key, stage: "\(stage)-head", trainer)
    guard mode == .headThenFineTune else { return reports }
    reports += try teach(
      model, shuffled, fineTuneEpochs, fineTuneLearningRate, key: key, stage: "\(stage)-all", trainer)
    return reports
  }

  private func teach(
    _ model: some Layer, _ batches: some BatchSource<Batch>, _ epochs: Int, _ rate: Double, key: String, stage: String,
    _ trainer: StageTrainer
  ) throws -> [EpochReport] {
    guard !model.parameters.isEmpty else { return [] }
    let optimizer = SGD(
      model, learningRate: Scalar(rate), momentum: 0.9, nesterov: true, weightDecay: Scalar(weightDecay))
    return try trainer(stage, key: try stageKey(key, self), model, optimizer) { start in
      Fit(
        model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
        schedule: .cosine(from: Scalar(rate), over: epochs * batches.batchCount), epochs: epochs, startingAt: start)
    }
  }
}
