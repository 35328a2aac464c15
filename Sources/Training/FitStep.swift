import Layers

/// What a step came to.
enum StepOutcome {
  /// The model has changed; `stops` where a rank asks to stop.
  case taken(stops: Bool)
  /// There is no further batch.
  case ended
  case failed(TrainingError)
}

/// The figures of a step: of the images of this rank, or of all.
struct StepFigures {
  /// The mean loss over the images that count.
  var loss = 0.0
  var images = 0
  /// The images that the loss does not leave out.
  var counted = 0
  var correct = 0
  var classified = 0
  /// The means of the metrics, in the order of their names.
  var metrics: [Double]
  var gradients = Gradients(byID: [:])
}

extension Fit {
  /// Takes the steps of what is left of an epoch, and calls `afterEach`.
  ///
  /// - Returns: The reason that training stopped early, nil where it did not.
  func steps(of epoch: Int, _ afterEach: () -> Void) -> TrainingError? {
    let faults = DataFaults()
    var parts = shards(of: epoch).makeIterator()
    steps: while true {
      let part = faults.collecting { parts.next() }
      switch take(part, problem: faults.first) {
      case .ended: break steps
      case .failed(let error): return error
      case .taken(let stops):
        communicator.reached(step: position.step)
        afterEach()
        // A whole epoch ends as usual; the next one stops after its first step.
        if position.batch < source.batchCount, run.ranks == nil ? shouldStop?() == true : stops {
          return .interrupted(epoch: epoch, step: position.step)
        }
      }
    }
    guard position.images > 0 else { return .emptyEpoch(epoch) }
    return model.firstNonFinite.map { .nonFiniteParameter(epoch: epoch, step: position.step, name: $0) }
  }

  /// The batches that are left of an epoch, or this rank's part of each.
  private func shards(of epoch: Int) -> any Sequence<BatchShard<Source.Batch>> {
    if let ranks = run.ranks { return source.epoch(epoch, from: position.batch, shard: ranks.shard) }
    return ShardedBatches(source.epoch(epoch, from: position.batch).makeIterator()) {
      BatchShard($0, wholeCount: $0.images.shape[0], fingerprint: 0)
    }
  }

  private func take(_ part: BatchShard<Source.Batch>?, problem: String?) -> StepOutcome {
    if part == nil, problem == nil, run.ranks == nil { return .ended }
    if let schedule { optimizer.learningRate = schedule(position.step) }
    let asks = run.ranks != nil && shouldStop?() == true
    var (first, stops, hasEnded): (StepFigures?, Bool, Bool) = (nil, false, false)
    func valueWithGradient() throws(TrainingError) -> (value: Tensor, gradients: Gradients) {
      run.ranks?.buckets.begin(model.parameters.filter(\.isTrainable), isReady: part != nil && problem == nil)
      let local = Result { () throws(TrainingError) in try localFigures(of: part, problem: problem) }
      var figures: StepFigures
      if let ranks = run.ranks {
        let all = try ranks.combined(local, of: model, part, at: position, metrics: metrics.count, stops: asks)
        (figures, stops, hasEnded) = (all.figures, all.stops, all.hasEnded)
      } else {
        figures = try local.get()
      }
      first = first ?? figures
      return (Tensor(Scalar(figures.loss)), figures.gradients)
    }
    let gradients: Gradients
    do throws(TrainingError) {
      if let sharpness {
        gradients = try sharpnessAware(model, rho: sharpness, valueWithGradient).gradients
      } else {
        gradients = try valueWithGradient().gradients
      }
    } catch { return .failed(error) }
    if hasEnded { return .ended }
    if let error = idleness(gradients) { return .failed(error) }
    optimizer.update(with: clipping.map(gradients.clipped(toNorm:)) ?? gradients)
    average?.update()
    count(first!)
    return .taken(stops: stops)
  }

  /// Adds a step to the position.
  private func count(_ figures: StepFigures) {
    run.lastLoss = figures.loss
    position.lossSum += run.lastLoss * Double(figures.counted)
    position.images += figures.images
    if figures.counted < figures.images {
      position.leftOut = (position.leftOut ?? 0) + figures.images - figures.counted
    }
    for (name, mean) in zip(metrics.keys.sorted(), figures.metrics) {
      position.add(mean, of: name, images: figures.images)
    }
    position.correct += figures.correct
    position.classified += figures.classified
    position.batch += 1
    position.step += 1
  }

  /// The figures of the images of this process, and the gradients of their loss; of several ranks these are this rank's share of those
  /// of the whole batch.
  private func localFigures(
    of part: BatchShard<Source.Batch>?, problem: String?
  ) throws(TrainingError) -> StepFigures {
    func invalid(_ problem: String) -> TrainingError {
      .invalidBatch(epoch: position.epoch, batch: position.batch, problem: problem)
    }
    if let problem { throw invalid(problem) }
    var figures = StepFigures(metrics: metrics.map { _ in 0.0 })
    let scope = run.ranks?.scope(part?.wholeCount ?? 0)
    guard let part, let batch = part.batch else { return figures }
    let faults = DataFaults()
    var output: Tensor?
    func batchLoss(_ model: Model) throws(TrainingError) -> Tensor {
      let prediction = model(batch.images)
      output = prediction.detached
      let problem = (classifies ? batch.labelProblem(with: prediction) : nil).map(invalid)
      // Batch norms of all ranks wait for each other on the way back too.
      if let group = scope?.normalizing, group.isAny(problem != nil) { throw problem ?? .otherRankFailed }
      if let problem { throw problem }
      figures.counted = classifies ? batch.countedImages(beside: prediction) : batch.images.shape[0]
      // The mean of no image is NaN, and has no share.
      if run.ranks != nil, figures.counted == 0 { return (prediction * 0).sum() }
      let value = loss(prediction, batch)
      if value.count == 1 { figures.loss = Double(value.item) }
      return run.ranks == nil ? value : value * (Scalar(figures.counted) / Scalar(part.wholeCount))
    }
    // Sums begin before the backward pass is over.
    let buckets = run.ranks.flatMap { $0.buckets.isOpen ? $0.buckets : nil }
    figures.gradients = try faults.collecting { () throws(TrainingError) in
      try RankScope.$current.withValue(scope) { () -> Result<Gradients, TrainingError> in
        Result { () throws(TrainingError) in
          try Layers.valueWithGradient(of: model, whenFinal: buckets.map { $0.take }) {
            (model, _) throws(TrainingError) in try batchLoss(model)
          }.gradients
        }
      }.get()
    }
    if let problem = faults.first { throw invalid(problem) }
    guard figures.loss.isFinite, figures.gradients.anomaly == nil else {
      let cause = figures.gradients.anomaly.map { "first in \($0)" } ?? cause(batch)
      throw .nonFiniteLoss(
        epoch: position.epoch, step: position.step, value: "\(Scalar(figures.loss))", cause: cause)
    }
    figures.images = batch.images.shape[0]
    guard let output else { return figures }
    figures.metrics = metrics.keys.sorted().map { metrics[$0]!(output, batch) }
    if classifies, batch.hasLogits(output) {
      figures.correct = zip(output.argmax(), batch.labels).count { $0 == $1 }
      figures.classified = batch.labels.count { $0 >= 0 }
    }
    return figures
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

  func validated(on source: some BatchSource<Source.Batch>) throws(TrainingError) -> Evaluation.Summary {
    let batches = source.epoch(0)
    func summary() throws(TrainingError) -> Evaluation.Summary {
      do {
        return try evaluate(
          model, on: batches, classifies: classifies, metrics: metrics, communicator: communicator, loss: loss
        ).summary
      } catch {
        guard case .invalidBatch(_, let batch, let problem) = error else { throw error }
        throw .invalidBatch(epoch: position.epoch, batch: batch, problem: "\(problem), in the validation")
      }
    }
    return if let average { try average.applied(summary) } else { try summary() }
  }
}

extension Communicator {
  /// Whether `condition` holds on any rank.
  func isAny(_ condition: Bool) -> Bool {
    var count = [condition ? 1.0 : 0]
    sum(&count)
    return count[0] > 0
  }
}
