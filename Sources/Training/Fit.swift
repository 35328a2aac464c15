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
  private final class Run {
    var position: TrainingPosition
    var hasEnded = false
    var lastLoss = 0.0
    /// Whether a step has shown that the optimizer changes the model.
    var isChecked = false
    init(_ position: TrainingPosition) { self.position = position }
  }
  private let run: Run
  private let source: Source
  private let loss: Loss
  package let optimizer: any Optimizer
  private let schedule: Schedule?
  private let validation: (any BatchSource<Source.Batch>)?
  private let average: WeightAverage?
  private let clipping: Scalar?
  private let sharpness: Scalar?
  private let classifies: Bool
  private let metrics: [String: Metric<Source.Batch>]
  package var shouldStop: (() -> Bool)?
  package var onStep: ((StepReport) -> Void)?

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
  ///   - onStep: Called after each step.
  /// - Precondition: No two parameters or buffers of the model have one name.
  public init(
    _ model: Model, to source: Source, loss: @escaping Loss, optimizer: any Optimizer, schedule: Schedule? = nil,
    validating validation: (any BatchSource<Source.Batch>)? = nil, epochs: Int, average: WeightAverage? = nil,
    clipping: Scalar? = nil, sharpness: Scalar? = nil, classifies: Bool = true,
    metrics: [String: Metric<Source.Batch>] = [:],
    startingAt start: TrainingPosition = TrainingPosition(), shouldStop: (() -> Bool)? = nil,
    onStep: ((StepReport) -> Void)? = nil
  ) {
    if let name = model.firstNameOfTwo {
      fatalError(
        "Fit: two tensors of \(type(of: model)) are named '\(name)', as names are in snake case and those of subclasses are not "
          + "apart; neither could be saved, rename a property")
    }
    (self.model, self.source, self.loss, self.optimizer) = (model, source, loss, optimizer)
    (self.schedule, self.validation, self.epochs, self.average) = (schedule, validation, epochs, average)
    (self.clipping, self.sharpness, self.classifies, self.metrics) = (clipping, sharpness, classifies, metrics)
    (self.shouldStop, self.onStep, run) = (shouldStop, onStep, Run(start))
  }

  /// Prepares a run of a model whose type is known only when the program runs; see the other initializer.
  public init(
    _ model: any Layer, to source: Source, loss: @escaping Loss, optimizer: any Optimizer, schedule: Schedule? = nil,
    validating validation: (any BatchSource<Source.Batch>)? = nil, epochs: Int, average: WeightAverage? = nil,
    clipping: Scalar? = nil, sharpness: Scalar? = nil, classifies: Bool = true,
    metrics: [String: Metric<Source.Batch>] = [:],
    startingAt start: TrainingPosition = TrainingPosition(), shouldStop: (() -> Bool)? = nil,
    onStep: ((StepReport) -> Void)? = nil
  ) where Model == AnyLayer {
    self.init(
      AnyLayer(model), to: source, loss: loss, optimizer: optimizer, schedule: schedule, validating: validation,
      epochs: epochs, average: average, clipping: clipping, sharpness: sharpness, classifies: classifies,
      metrics: metrics, startingAt: start, shouldStop: shouldStop, onStep: onStep)
  }

  /// Trains one epoch, or what is left of it; nil after the last one or once training has stopped.
  public mutating func next() -> EpochReport? {
    guard !run.hasEnded, position.epoch < epochs else { return nil }
    let epoch = position.epoch
    let clock = ContinuousClock()
    let (start, imagesBefore) = (clock.now, position.images)
    func seconds() -> Double { (clock.now - start) / .seconds(1) }
    func rate() -> Double { Double(position.images - imagesBefore) / Swift.max(seconds(), 1e-9) }

    let stopped = model.training { () -> TrainingError? in
      let faults = DataFaults()
      var batches = source.epoch(epoch, from: position.batch).makeIterator()
      while let batch = faults.collecting({ batches.next() }) {
        if let problem = faults.first {
          return .invalidBatch(epoch: epoch, batch: position.batch, problem: problem)
        }
        if let error = take(batch) { return error }
        onStep?(
          StepReport(
            position: position, loss: run.lastLoss, learningRate: Double(optimizer.learningRate),
            batchesPerEpoch: source.batchCount, epochs: epochs, seconds: seconds(), imagesPerSecond: rate()))
        // A whole epoch ends as usual; the next one stops after its first step.
        if position.batch < source.batchCount, shouldStop?() == true {
          return .interrupted(epoch: epoch, step: position.step)
        }
      }
      guard position.images > 0 else { return .emptyEpoch(epoch) }
      return model.firstNonFinite.map { .nonFiniteParameter(epoch: epoch, step: position.step, name: $0) }
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

  private func take(_ batch: Source.Batch) -> TrainingError? {
    if let schedule { optimizer.learningRate = schedule(position.step) }
    var output: Tensor?
    func invalid(_ problem: String) -> TrainingError {
      .invalidBatch(epoch: position.epoch, batch: position.batch, problem: problem)
    }
    func batchLoss(_ model: Model) throws(TrainingError) -> Tensor {
      let prediction = model(batch.images)
      output = output ?? prediction.detached
      if classifies, let problem = batch.labelProblem(with: prediction) { throw invalid(problem) }
      return loss(prediction, batch)
    }
    let faults = DataFaults()
    let (value, gradients): (Tensor, Gradients)
    do {
      (value, gradients) = try faults.collecting { () throws(TrainingError) in
        if let sharpness { return try valueWithSharpnessAwareGradient(of: model, rho: sharpness, batchLoss) }
        return try valueWithGradient(of: model, batchLoss)
      }
    } catch { return error }
    if let problem = faults.first { return invalid(problem) }
    guard value.item.isFinite, gradients.anomaly == nil else {
      let cause = gradients.anomaly.map { "first in \($0)" } ?? cause(batch)
      return .nonFiniteLoss(epoch: position.epoch, step: position.step, value: "\(value.item)", cause: cause)
    }
    if let error = idleness(gradients) { return error }
    optimizer.update(with: clipping.map(gradients.clipped(toNorm:)) ?? gradients)
    average?.update()

    let images = batch.images.shape[0]
    run.lastLoss = Double(value.item)
    let counted = classifies ? output.map(batch.countedImages) ?? images : images
    position.lossSum += run.lastLoss * Double(counted)
    position.images += images
    if counted < images { position.leftOut = (position.leftOut ?? 0) + images - counted }
    if let output {
      for (name, metric) in metrics { position.add(metric(output, batch), of: name, images: images) }
    }
    if classifies, let output, batch.hasLogits(output) {
      position.correct += zip(output.argmax(), batch.labels).count { $0 == $1 }
      position.classified += batch.labels.count { $0 >= 0 }
    }
    position.batch += 1
    position.step += 1
    return nil
  }

  /// Why the first step of a run changes nothing, nil where it changes the model, and after that step.
  ///
  /// A model without parameters may only be measured.
  private func idleness(_ gradients: Gradients) -> TrainingError? {
    if run.isChecked { return nil }
    run.isChecked = true
    let parameters = model.parameters
    if model is InferenceModel { return .everythingFrozen }
    if parameters.isEmpty { return optimizer.groups.allSatisfy(\.parameters.isEmpty) ? nil : .optimizerOfAnotherModel }
    if !parameters.contains(where: \.isTrainable) { return .everythingFrozen }
    if !parameters.contains(where: { gradients[$0] != nil }) { return .lossIgnoresModel }
    let changes = optimizer.groups.contains { $0.parameters.contains { gradients[$0.parameter] != nil } }
    return changes ? nil : .optimizerOfAnotherModel
  }

  /// The first non-finite value, as far as can be seen after the step.
  private func cause(_ batch: Source.Batch) -> String {
    if !batch.images.isFinite { return "the images of the batch are non-finite" }
    if !batch.labels.isEmpty, batch.labels.allSatisfy({ $0 < 0 }) {
      return "every label of the batch is negative, which leaves its image out, and the mean of none is NaN"
    }
    if let name = model.firstNonFinite { return "the parameter '\(name)' was non-finite before it" }
    if let layer = LayerTrace.firstNonFinite(of: model, on: batch.images) {
      return "the first non-finite output is that of layer \(layer)"
    }
    return "every layer's output is finite, the loss itself is not"
  }

  private func validated(on source: some BatchSource<Source.Batch>) throws(TrainingError) -> Evaluation.Summary {
    let batches = source.epoch(0)
    func summary() throws(TrainingError) -> Evaluation.Summary {
      do { return try evaluate(model, on: batches, classifies: classifies, metrics: metrics, loss: loss).summary } catch
      {
        guard case .invalidBatch(_, let batch, let problem) = error else { throw error }
        throw .invalidBatch(epoch: position.epoch, batch: batch, problem: "\(problem), in the validation")
      }
    }
    return if let average { try average.applied(summary) } else { try summary() }
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
