import Layers

/// Trains a model: a sequence of epochs, each trained as it is asked for.
///
/// ```swift
/// for epoch in Fit(model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer, epochs: 60) {
///   print(epoch.loss)
///   try epoch.check()
/// }
/// ```
///
/// Stopping early is `break`. Each step is `valueWithGradient`, then `optimizer.update`: copy it to change it. Copies of a `Fit`, such as
/// that of a `for` loop, are one run: ``position`` is that of the run, so each epoch of the loop can be saved.
///
/// The model is in training mode in each epoch and in the mode it had before between them.
///
/// Several processes train one model where each makes the same `Fit` with a ``Communicator`` of all: of every batch each takes its
/// ``Shard``, and all have the same weights after each step, those of one process up to rounding where the model has no batch norm. The
/// loss must be a mean over the images of a batch. What a run begins with is that of the first rank, which alone should save it.
///
/// A NaN or infinite loss ends the sequence before it can reach the weights: the last report says so in
/// ``EpochReport/stopped``, which ``EpochReport/check()`` throws; ``run(_:)`` does the whole loop and throws.
public struct Fit<Model: Layer, Source: BatchSource>: Sequence, IteratorProtocol {
  /// A single scalar for the model's output and the batch it came from.
  public typealias Loss = (_ output: Tensor, _ batch: Source.Batch) -> Tensor

  /// The model that is trained.
  public let model: Model
  /// The number of epochs of the run, those before a resumption included.
  public let epochs: Int
  /// The position of the run.
  public package(set) var position: TrainingPosition {
    get { run.position }
    nonmutating set { run.position = newValue }
  }

  /// What all copies share.
  final class Run {
    var position: TrainingPosition
    var hasEnded = false
    var lastLoss = 0.0
    /// Whether a step has shown that the optimizer changes the model.
    var isChecked = false
    /// nil in one process, and before the first epoch.
    var ranks: Ranks?
    init(_ position: TrainingPosition) { self.position = position }
  }
  let run: Run
  let source: Source
  let loss: Loss
  package let optimizer: any Optimizer
  let schedule: Schedule?
  let validation: (any BatchSource<Source.Batch>)?
  let average: WeightAverage?
  let clipping: Scalar?
  let sharpness: Scalar?
  let classifies: Bool
  let metrics: [String: Metric<Source.Batch>]
  package var shouldStop: (() -> Bool)?
  package var onStep: ((StepReport) -> Void)?
  package var communicator: any Communicator
  package var synchronizesBatchNorms: Bool
  /// The number of scalars of a message of gradients.
  package var bucketSize = GradientBuckets.usualSize

  /// Prepares a run, and trains nothing.
  ///
  /// - Parameters:
  ///   - source: The batches of each epoch.
  ///   - schedule: The learning rate for each step of the run, counted from 0; nil leaves the optimizer's alone.
  ///   - validation: Evaluated after each epoch, with the averaged weights where there is an average.
  ///   - average: Updated after each step.
  ///   - clipping: The largest norm of all gradients together, nil for any.
  ///   - classifies: Whether the outputs are logits `[batch, classes]`, of which accuracy is measured where they have
  ///     that shape and the batch has labels.
  ///   - metrics: Further means over a batch, by name, of training and validation batches.
  ///   - start: The position to resume at, with the model and the optimizer as they were there; see ``TrainingCheckpoint``.
  ///   - sharpness: The radius of sharpness-aware minimization, nil for the plain gradient; see
  ///     ``valueWithSharpnessAwareGradient(of:rho:_:)``.
  ///   - shouldStop: Asked after each step: where it says so, the run stops there as ``TrainingError/interrupted(epoch:step:)``,
  ///     and can be resumed at ``position``.
  ///   - communicator: The ranks that train together. `shouldStop` may say so on any of them, and all stop at the same step;
  ///     `onStep` is called on each.
  ///   - synchronizesBatchNorms: Whether batch norms take the statistics of the whole batch, over all ranks, and not of each rank's
  ///     images.
  ///   - onStep: Called after each step.
  /// - Precondition: No two parameters or buffers of the model have one name.
  public init(
    _ model: Model, to source: Source, loss: @escaping Loss, optimizer: any Optimizer, schedule: Schedule? = nil,
    validating validation: (any BatchSource<Source.Batch>)? = nil, epochs: Int, average: WeightAverage? = nil,
    clipping: Scalar? = nil, sharpness: Scalar? = nil, classifies: Bool = true,
    metrics: [String: Metric<Source.Batch>] = [:],
    startingAt start: TrainingPosition = TrainingPosition(), communicator: any Communicator = SingleProcess(),
    synchronizesBatchNorms: Bool = false, shouldStop: (() -> Bool)? = nil, onStep: ((StepReport) -> Void)? = nil
  ) {
    if let name = model.firstNameOfTwo {
      fatalError(
        "Fit: two tensors of \(type(of: model)) are named '\(name)', as names are in snake case and those of subclasses are not "
          + "apart; neither could be saved, rename a property")
    }
    (self.model, self.source, self.loss, self.optimizer) = (model, source, loss, optimizer)
    (self.schedule, self.validation, self.epochs, self.average) = (schedule, validation, epochs, average)
    (self.clipping, self.sharpness, self.classifies, self.metrics) = (clipping, sharpness, classifies, metrics)
    (self.communicator, self.synchronizesBatchNorms) = (communicator, synchronizesBatchNorms)
    (self.shouldStop, self.onStep, run) = (shouldStop, onStep, Run(start))
  }

  /// Prepares a run of a model whose type is known only when the program runs; see the other initializer.
  public init(
    _ model: any Layer, to source: Source, loss: @escaping Loss, optimizer: any Optimizer, schedule: Schedule? = nil,
    validating validation: (any BatchSource<Source.Batch>)? = nil, epochs: Int, average: WeightAverage? = nil,
    clipping: Scalar? = nil, sharpness: Scalar? = nil, classifies: Bool = true,
    metrics: [String: Metric<Source.Batch>] = [:],
    startingAt start: TrainingPosition = TrainingPosition(), communicator: any Communicator = SingleProcess(),
    synchronizesBatchNorms: Bool = false, shouldStop: (() -> Bool)? = nil, onStep: ((StepReport) -> Void)? = nil
  ) where Model == AnyLayer {
    self.init(
      AnyLayer(model), to: source, loss: loss, optimizer: optimizer, schedule: schedule, validating: validation,
      epochs: epochs, average: average, clipping: clipping, sharpness: sharpness, classifies: classifies,
      metrics: metrics, startingAt: start, communicator: communicator, synchronizesBatchNorms: synchronizesBatchNorms,
      shouldStop: shouldStop, onStep: onStep)
  }

  /// Trains one epoch, or what is left of it; nil after the last one or once training has stopped.
  public mutating func next() -> EpochReport? {
    guard !run.hasEnded else { return nil }
    let disagreement = joinRanks()
    guard disagreement != nil || position.epoch < epochs else { return nil }
    let epoch = position.epoch
    let clock = ContinuousClock()
    let (start, imagesBefore) = (clock.now, position.images)
    func seconds() -> Double { (clock.now - start) / .seconds(1) }
    func rate() -> Double { Double(position.images - imagesBefore) / Swift.max(seconds(), 1e-9) }

    let stopped =
      disagreement
      ?? model.training {
        steps(of: epoch) {
          onStep?(
            StepReport(
              position: position, loss: run.lastLoss, learningRate: Double(optimizer.learningRate),
              batchesPerEpoch: source.batchCount, epochs: epochs, seconds: seconds(), imagesPerSecond: rate()))
        }
      }
    var report = EpochReport(
      epoch: epoch, step: position.step,
      loss: position.lossSum / Double(Swift.max(position.images - (position.leftOut ?? 0), 1)),
      accuracy: position.classified > 0 ? Double(position.correct) / Double(position.classified) : nil,
      learningRate: Double(optimizer.learningRate), seconds: seconds(), imagesPerSecond: rate(),
      metrics: position.metricMeans(of: metrics.keys), isBest: false,
      stopped: stopped)
    if let validation, stopped == nil {
      do { report.validation = try validated(on: validation) } catch { report.stopped = error }
    }
    if report.stopped != nil {
      run.hasEnded = true
      return report
    }
    let measure = report.validation.map { $0.top1.map { -$0 } ?? $0.loss } ?? report.loss
    report.isBest = measure < (position.best ?? .infinity)
    let best = report.isBest ? measure : position.best
    let step = position.step
    position = TrainingPosition()
    (position.epoch, position.step, position.best) = (epoch + 1, step, best)
    return report
  }

  /// Trains all epochs that are left, and gives their reports.
  ///
  /// - Parameter body: Called with each report as it comes; false ends the run.
  /// - Throws: The reason that training stopped early.
  @discardableResult
  public mutating func run(_ body: (EpochReport) -> Bool = { _ in true }) throws(TrainingError) -> [EpochReport] {
    var reports: [EpochReport] = []
    while let report = next() {
      reports.append(report)
      let continues = body(report)
      try report.check()
      guard continues else { break }
    }
    return reports
  }
}

extension EpochReport {
  /// Throws the reason that training stopped early, where it did.
  public func check() throws(TrainingError) { if let stopped { throw stopped } }
}

extension Module {
  /// Runs `body` in training mode and puts each layer back into the mode it was in.
  func training<R>(_ body: () -> R) -> R {
    var modes: [(any TrainingAware, Bool)] = []
    if let itself = self as? any TrainingAware { modes.append((itself, itself.isTraining)) }
    visit { _, part in if let layer = part as? any TrainingAware { modes.append((layer, layer.isTraining)) } }
    defer { for (layer, mode) in modes { layer.isTraining = mode } }
    train()
    return body()
  }
}
