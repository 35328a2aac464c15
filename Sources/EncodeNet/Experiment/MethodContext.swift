/// What a method of the caller's own may use to train an arm; test images are not among it.
///
/// ```swift
/// let methods: [String: ExperimentRun.Method] = [
///   "plain": { context in
///     let model = context.model
///     try context.train(model, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, learningRate: 0.02)
///     return model
///   }
/// ]
/// ```
public final class MethodContext {
  /// The arm that is trained.
  public let arm: Arm
  /// Epochs of plain training that the budget leaves.
  public let epochs: Int
  /// The network to train: the baseline's weights, or random ones, as the arm says.
  public let model: any SplitClassifier
  private let run: ExperimentRun
  private let key: String
  private(set) var reports: [EpochReport] = []
  private(set) var trained = 0

  init(run: ExperimentRun, arm: Arm, epochs: Int, start: any SplitClassifier, key: String) {
    (self.run, self.arm, self.epochs, model, self.key) = (run, arm, epochs, start, key)
  }

  /// The seed of the run.
  public var seed: UInt64 { run.seed }
  /// The images to train on.
  public var images: LabeledImages { run.images }
  /// The images to choose settings by, nil where none are kept.
  public var validation: ValidationSet? { run.validationSet }
  /// Another network with random weights: those of every arm of the seed, or those that a stream of another name gives.
  public func makeModel(stream: String = "weights") throws -> any SplitClassifier { try run.model(stream: stream) }

  /// Trains `model`, saved and resumed as every stage is; what it costs is counted.
  ///
  /// - Parameters:
  ///   - images: To train on instead of ``images``: made from those, never test images.
  ///   - epochs: nil for all that the budget leaves.
  ///   - learningRate: The first of a cosine to 0.
  /// - Throws: For images that are test images.
  public func train(
    _ model: any SplitClassifier, on images: LabeledImages? = nil,
    loss: @escaping (_ logits: Tensor, _ batch: Batch) -> Tensor, epochs: Int? = nil, learningRate: Double
  ) throws {
    if let images { try refuseTestImages(in: images) }
    let epochs = epochs ?? self.epochs
    let learner = Wrapped(model)
    let batches = run.shuffled(by: "later order", images)
    let optimizer = SGD(
      learner, learningRate: Scalar(learningRate), momentum: 0.9, nesterov: true,
      weightDecay: Scalar(run.configuration.weightDecay))
    reports += try run.trainer(
      "\(arm.id)-\(trained)", key: stageKey(key, epochs, learningRate, images?.fingerprint), learner, optimizer
    ) { start, shouldStop, onStep in
      Fit(
        learner, to: batches, loss: loss, optimizer: optimizer,
        schedule: .cosine(from: Scalar(learningRate), over: epochs * batches.batchCount), epochs: epochs,
        startingAt: start, shouldStop: shouldStop, onStep: onStep)
    }
    trained += epochs
  }

  private func refuseTestImages(in images: LabeledImages) throws(EncodeNetError) {
    let known = Set(run.training.imageFingerprints)
    let peeked = images.imageFingerprints.filter { !known.contains($0) }
    let count = run.test.count(among: peeked)
    guard count == 0 else {
      throw EncodeNetError(
        "\(count) of the \(images.count) images it trains on are test images: an arm may not look at them")
    }
  }
}

private final class Wrapped: Layer {
  let model: any SplitClassifier
  init(_ model: any SplitClassifier) { self.model = model }
  func callAsFunction(_ x: Tensor) -> Tensor { model(x) }
}
