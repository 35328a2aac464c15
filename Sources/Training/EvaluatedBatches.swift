import Layers

/// The outputs of a model for batches, with what an evaluation needs of each batch.
struct EvaluatedBatches {
  /// A batch that was evaluated.
  private struct Record: Codable {
    var number: Int
    var images: Int
    /// The mean loss, over the images that count.
    var loss: Double
    var counted: Int
    var metrics: [Double]
    /// The number of classes; 0 where there are no logits.
    var classes: Int
    /// The labels of the rows of logits.
    var labels: [Int]
  }
  private var records: [Record] = []
  /// The rows of all batches, one after the other.
  private var logits: [Scalar] = []

  /// Evaluates a batch.
  mutating func add<Batch: TrainingBatch>(
    _ number: Int, _ batch: Batch, of model: some Layer, classifies: Bool, metrics: [String: Metric<Batch>],
    _ faults: DataFaults, _ loss: (_ output: Tensor, _ batch: Batch) -> Tensor
  ) throws(TrainingError) {
    func invalid(_ problem: String) -> TrainingError { .invalidBatch(epoch: nil, batch: number, problem: problem) }
    if let problem = faults.first { throw invalid(problem) }
    let (output, value) = try faults.collecting { () throws(TrainingError) in
      let output = model(batch.images)
      if classifies, let problem = batch.labelProblem(with: output) { throw invalid(problem) }
      let value = loss(output, batch)
      require(
        value.count == 1, "evaluate: the loss must be a single scalar, it has shape \(value.shape): take its mean")
      return (output, Double(value.item))
    }
    if let problem = faults.first { throw invalid(problem) }
    var record = Record(
      number: number, images: batch.images.shape[0], loss: value,
      counted: classifies ? batch.countedImages(beside: output) : batch.images.shape[0],
      metrics: metrics.keys.sorted().map { metrics[$0]!(output, batch) }, classes: 0, labels: [])
    if classifies, batch.hasLogits(output) {
      let classes = output.shape[1]
      record.classes = classes
      record.labels = batch.labels.filter { $0 >= 0 }
      output.withUnsafeScalars { scalars in
        if record.labels.count == batch.labels.count {
          logits += scalars
          return
        }
        for (image, label) in batch.labels.enumerated() where label >= 0 {
          logits += scalars[image * classes..<(image + 1) * classes]
        }
      }
    }
    records.append(record)
  }

  /// The batches of all ranks, in their order.
  func gathered(by communicator: any Communicator) -> EvaluatedBatches {
    var (all, rows): ([Record], [Int: ArraySlice<Scalar>]) = ([], [:])
    for root in 0..<communicator.size {
      let records = decoded(communicator.broadcast(encoded(records), from: root), [Record].self)
      var logits = communicator.rank == root ? logits : []
      let count = records.reduce(0) { $0 + $1.labels.count * $1.classes }
      if communicator.rank != root { logits = [Scalar](repeating: 0, count: count) }
      if count > 0 {
        logits.withUnsafeMutableBytes { communicator.broadcast($0, from: root) }
      }
      var rest = logits[...]
      for record in records {
        rows[record.number] = rest.prefix(record.labels.count * record.classes)
        rest = rest.dropFirst(record.labels.count * record.classes)
      }
      all += records
    }
    var result = EvaluatedBatches()
    result.records = all.sorted { $0.number < $1.number }
    for record in result.records { result.logits += rows[record.number]! }
    return result
  }

  /// The evaluation of all batches.
  func evaluation(k: Int, metrics: [String]) throws(TrainingError) -> Evaluation {
    var (count, lossSum, lossCount, classes) = (0, 0.0, 0, 0)
    var sums = metrics.map { _ in 0.0 }
    for record in records {
      count += record.images
      // A batch of which the loss leaves out all has none.
      if record.counted > 0 { lossSum += record.loss * Double(record.counted) }
      lossCount += record.counted
      for (index, mean) in record.metrics.enumerated() { sums[index] += mean * Double(record.images) }
      guard record.classes > 0 else { continue }
      guard classes == 0 || classes == record.classes else {
        throw .invalidBatch(
          epoch: nil, batch: record.number,
          problem: "the output has \(record.classes) classes, a batch before had \(classes)")
      }
      classes = record.classes
    }
    guard lossCount > 0 else {
      throw .invalidBatch(
        epoch: nil, batch: 0,
        problem: count > 0 ? "no image of any batch has a label that counts" : "there is no batch, or no image in any")
    }
    let means = Dictionary(uniqueKeysWithValues: zip(metrics, sums.map { $0 / Double(max(count, 1)) }))
    let summary = Evaluation.Summary(
      count: count, loss: lossSum / Double(lossCount), k: min(k, max(classes, 1)),
      metrics: metrics.isEmpty ? nil : means)
    guard classes > 0 else { return Evaluation(summary: summary) }
    let labels = records.flatMap(\.labels)
    return Evaluation(logits: Tensor(logits, shape: [labels.count, classes]), labels: labels, summary)
  }
}

/// The batches that fall to this rank, with their numbers.
func numbered<Batch: TrainingBatch>(
  _ batches: some Sequence<Batch>, for communicator: any Communicator
) -> any Sequence<(Int, Batch)> {
  let (rank, size) = (communicator.rank, communicator.size)
  func every(_ batches: some Sequence<Batch>) -> any Sequence<(Int, Batch)> {
    batches.enumerated().lazy.map { (rank + $0.offset * size, $0.element) }
  }
  guard size > 1 else { return every(batches) }
  // Of these the others need not be read.
  let epoch = batches as? Batches.Epoch ?? (batches as? Batches)?.epoch(0)
  if let own = epoch?.batches(of: rank, among: size) as? any Sequence<Batch> { return every(own) }
  return batches.enumerated().lazy.filter { $0.offset % size == rank }.map { ($0.offset, $0.element) }
}

extension Result {
  /// The error, nil on success.
  var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
