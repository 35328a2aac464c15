import Layers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The predictions of a model for a set of images, and their accuracy.
public struct Evaluation: Sendable {
  /// The figures without the images.
  public struct Summary: Sendable, Codable, Equatable {
    /// The number of images.
    public var count: Int
    /// The mean loss over the images.
    public var loss: Double
    /// The share of images whose likeliest class is right, nil where nothing is classified.
    public var top1: Double?
    /// The share of images whose class is among the ``k`` likeliest, nil where nothing is classified.
    public var topK: Double?
    /// The number of classes that count for ``topK``.
    public var k: Int
    /// The expected calibration error, in 0...1, nil where nothing is classified.
    public var calibrationError: Double?
    /// The means of metrics of one's own over the images, nil where there are none.
    public var metrics: [String: Double]?
  }

  /// The figures without the images.
  public internal(set) var summary: Summary
  /// The class of each image.
  public internal(set) var labels: [Int] = []
  /// The likeliest class of each image.
  public internal(set) var predictions: [Int] = []
  /// The probability of each class for each image, `[images, classes]`.
  public internal(set) var probabilities: Tensor = .zeros([0, 0])
  /// The entropy of each image's probabilities, in nats.
  public internal(set) var entropies: [Double] = []
  /// The confusion matrix: the number of images of class `row` that were taken for class `column`.
  public internal(set) var confusion: [[Int]] = []

  /// The number of images.
  public var count: Int { summary.count }
  /// The mean loss over the images.
  public var loss: Double { summary.loss }
  /// The number of images classified rightly.
  public var correct: Int { zip(predictions, labels).count { $0 == $1 } }
  /// The share of images whose likeliest class is right, 0 where nothing is classified.
  public var top1: Double { summary.top1 ?? 0 }
  /// The share of images whose class is among the `k` likeliest, 0 where nothing is classified.
  public var topK: Double { summary.topK ?? 0 }
  /// The expected calibration error over 15 bins, 0 where nothing is classified.
  public var calibrationError: Double { summary.calibrationError ?? 0 }
}

/// A measure of one's own: the mean over a batch, for the model's output and the batch.
public typealias Metric<Batch> = (_ output: Tensor, _ batch: Batch) -> Double

/// Evaluates a classifier by cross-entropy, accuracy, calibration and entropy.
///
/// - Precondition: The model gives logits `[batch, classes]`.
/// - Throws: A ``TrainingError/invalidBatch(epoch:batch:problem:)`` where a label is not one of the classes.
public func evaluate<Model: Layer, Batch: TrainingBatch>(
  _ model: Model, on batches: some Sequence<Batch>, k: Int = 5, communicator: any Communicator = SingleProcess()
) throws(TrainingError) -> Evaluation {
  try evaluate(model, on: batches, k: k, communicator: communicator) { softmaxCrossEntropy($0, labels: $1.labels) }
}

/// Evaluates a model by a loss, and a classifier also by accuracy, calibration and entropy.
///
/// The model is in evaluation mode meanwhile and in the mode it had before afterwards.
/// - Parameters:
///   - k: How many of the likeliest classes count as right for top-k; the number of classes where there are fewer.
///   - classifies: Whether the outputs are logits, where they are `[batch, classes]` of at least two classes and the batch has
///     labels. A negative label marks an image that the loss leaves out, and is left out here too: the mean loss is over the
///     others.
///   - metrics: Further means over a batch, by name.
///   - communicator: Ranks that have the same model and batches: each evaluates every so many-th batch, and all have the evaluation
///     of one process, bit for bit.
///   - loss: A single scalar, the mean over a batch, for the model's output and the batch.
/// - Throws: A ``TrainingError/invalidBatch(epoch:batch:problem:)`` where a label is not one of the classes, and where there is no
///   image to evaluate on.
public func evaluate<Model: Layer, Batch: TrainingBatch>(
  _ model: Model, on batches: some Sequence<Batch>, k: Int = 5, classifies: Bool = true,
  metrics: [String: Metric<Batch>] = [:], communicator: any Communicator = SingleProcess(),
  loss: (_ output: Tensor, _ batch: Batch) -> Tensor
) throws(TrainingError) -> Evaluation {
  try evaluate(
    model, onNumbered: numbered(batches, for: communicator), k: k, classifies: classifies, metrics: metrics,
    communicator: communicator, loss: loss)
}

/// Evaluates a classifier on the images of several sets, of whose batches each rank reads its own alone.
///
/// - Parameter willEvaluate: Called with each batch of this rank.
package func evaluate(
  _ model: some Layer, onAll parts: [Batches], communicator: any Communicator, willEvaluate: @escaping (Batch) -> Void
) throws(TrainingError) -> Evaluation {
  let (rank, size) = (communicator.rank, communicator.size)
  var (own, start): ([(first: Int, batches: Batches.Epoch)], Int) = ([], 0)
  for part in parts {
    // The first batch of the part whose number in all of them falls to this rank.
    let first = (rank - start % size + size) % size
    own.append((start + first, part.epoch(0).batches(of: first, among: size)))
    start += part.batchCount
  }
  let batches = own.lazy.flatMap { first, batches in
    batches.enumerated().lazy.map { index, batch in
      willEvaluate(batch)
      return (first + index * size, batch)
    }
  }
  return try evaluate(
    model, onNumbered: batches, k: 5, classifies: true, metrics: [:], communicator: communicator
  ) { softmaxCrossEntropy($0, labels: $1.labels) }
}

/// Evaluates a model on the batches of this rank, which have their numbers among those of all.
private func evaluate<Model: Layer, Batch: TrainingBatch>(
  _ model: Model, onNumbered batches: any Sequence<(Int, Batch)>, k: Int, classifies: Bool,
  metrics: [String: Metric<Batch>], communicator: any Communicator, loss: (_ output: Tensor, _ batch: Batch) -> Tensor
) throws(TrainingError) -> Evaluation {
  var evaluated = EvaluatedBatches()
  let result = Result { () throws(TrainingError) in
    try model.evaluating { () throws(TrainingError) in
      let faults = DataFaults()
      var rest = batches.makeIterator()
      while let (number, batch) = faults.collecting({ rest.next() }) {
        try evaluated.add(number, batch, of: model, classifies: classifies, metrics: metrics, faults, loss)
      }
    }
  }
  if communicator.size > 1 {
    if let error = communicator.gatheredError(result.error) { throw error }
    evaluated = evaluated.gathered(by: communicator)
  } else {
    try result.get()
  }
  return try evaluated.evaluation(k: k, metrics: metrics.keys.sorted())
}

extension Layer {
  /// The function of the same name: inside of a layer a method, `evaluate()`, hides it.
  public func evaluate<Model: Layer, Batch: TrainingBatch>(
    _ model: Model, on batches: some Sequence<Batch>, k: Int = 5
  ) throws(TrainingError) -> Evaluation {
    try Training.evaluate(model, on: batches, k: k)
  }

  /// The function of the same name: inside of a layer a method, `evaluate()`, hides it.
  public func evaluate<Model: Layer, Batch: TrainingBatch>(
    _ model: Model, on batches: some Sequence<Batch>, k: Int = 5, classifies: Bool = true,
    loss: (_ output: Tensor, _ batch: Batch) -> Tensor
  ) throws(TrainingError) -> Evaluation {
    try Training.evaluate(model, on: batches, k: k, classifies: classifies, loss: loss)
  }
}

extension TrainingBatch {
  /// Whether `output` has logits of at least two classes for every label.
  func hasLogits(_ output: Tensor) -> Bool {
    output.rank == 2 && output.shape[1] > 1 && output.shape[0] == labels.count
  }

  /// The number of images whose label counts: all where there are no logits, none of the negative ones.
  func countedImages(beside output: Tensor) -> Int {
    hasLogits(output) ? labels.count { $0 >= 0 } : images.shape[0]
  }

  /// What is wrong with a label beside logits, nil where nothing is.
  func labelProblem(with output: Tensor) -> String? {
    guard hasLogits(output), let label = labels.first(where: { $0 >= output.shape[1] }) else { return nil }
    return
      "label \(label) is not one of \(output.shape[1]) classes; where labels are no classes, pass classifies: false"
  }
}

extension Evaluation {
  /// Measures `logits`, `[images, classes]`, against `labels`.
  init(logits: Tensor, labels: [Int], _ summary: Summary) {
    let classes = logits.shape[1]
    require(
      labels.allSatisfy((0..<classes).contains), "evaluate: a label is not one of the \(classes) classes of the output")
    self.summary = summary
    self.labels = labels
    predictions = logits.argmax()
    confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    for (label, prediction) in zip(labels, predictions) { confusion[label][prediction] += 1 }

    var (confidences, inTopK): ([Double], Int) = ([], 0)
    probabilities = Tensor(shape: logits.shape) { out in
      logits.withUnsafeScalars { logits in
        for (image, label) in labels.enumerated() {
          let row = logits[image * classes..<(image + 1) * classes]
          let (entropy, exponentials, sum) = softmaxEntropy(row: row)
          for (index, e) in exponentials.enumerated() { out[image * classes + index] = Scalar(e / sum) }
          entropies.append(entropy)
          confidences.append(1 / sum)
          // As in `predictions`, the first of equal classes is the likelier.
          let place = row.startIndex + label
          let before = row.indices.count { row[$0].precedes(row[place], ifEqual: $0 < place) }
          if before < summary.k { inTopK += 1 }
        }
      }
    }
    let isRight = zip(predictions, labels).map { $0 == $1 }
    self.summary.top1 = Double(isRight.count { $0 }) / Double(max(labels.count, 1))
    self.summary.topK = Double(inTopK) / Double(max(labels.count, 1))
    self.summary.calibrationError = expectedCalibrationError(confidences: confidences, isRight: isRight)
  }
}

extension Scalar {
  /// Whether this comes before `other` in descending order, of which NaN is the first, as of `argmax`.
  fileprivate func precedes(_ other: Scalar, ifEqual isFirst: Bool) -> Bool {
    if isNaN || other.isNaN { return isNaN && (!other.isNaN || isFirst) }
    return self > other || (self == other && isFirst)
  }
}
