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
  _ model: Model, on batches: some Sequence<Batch>, k: Int = 5
) throws(TrainingError) -> Evaluation {
  try evaluate(model, on: batches, k: k) { softmaxCrossEntropy($0, labels: $1.labels) }
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
///   - loss: A single scalar, the mean over a batch, for the model's output and the batch.
/// - Throws: A ``TrainingError/invalidBatch(epoch:batch:problem:)`` where a label is not one of the classes, and where there is no
///   image to evaluate on.
public func evaluate<Model: Layer, Batch: TrainingBatch>(
  _ model: Model, on batches: some Sequence<Batch>, k: Int = 5, classifies: Bool = true,
  metrics: [String: Metric<Batch>] = [:], loss: (_ output: Tensor, _ batch: Batch) -> Tensor
) throws(TrainingError) -> Evaluation {
  var (count, lossSum, lossCount, classes) = (0, 0.0, 0, 0)
  var (logits, labels): ([Scalar], [Int]) = ([], [])
  var sums = metrics.isEmpty ? nil : metrics.mapValues { _ in 0.0 }
  try model.evaluating { () throws(TrainingError) in
    var (rest, number) = (batches.makeIterator(), -1)
    let faults = DataFaults()
    while let batch = faults.collecting({ rest.next() }) {
      number += 1
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
      let images = batch.images.shape[0]
      count += images
      let counted = classifies ? batch.countedImages(beside: output) : images
      // A batch of which the loss leaves out all has none.
      if counted > 0 { lossSum += value * Double(counted) }
      lossCount += counted
      for (name, metric) in metrics { sums![name]! += metric(output, batch) * Double(images) }
      guard classifies, batch.hasLogits(output) else { continue }
      guard classes == 0 || classes == output.shape[1] else {
        throw invalid("the output \(output.shape) has \(output.shape[1]) classes, a batch before had \(classes)")
      }
      classes = output.shape[1]
      guard batch.labels.contains(where: { $0 < 0 }) else {
        output.withUnsafeScalars { logits += $0 }
        labels += batch.labels
        continue
      }
      output.withUnsafeScalars { scalars in
        for (image, label) in batch.labels.enumerated() where label >= 0 {
          logits += scalars[image * classes..<(image + 1) * classes]
          labels.append(label)
        }
      }
    }
  }
  guard lossCount > 0 else {
    throw .invalidBatch(
      epoch: nil, batch: 0,
      problem: count > 0 ? "no image of any batch has a label that counts" : "there is no batch, or no image in any")
  }
  let summary = Evaluation.Summary(
    count: count, loss: lossSum / Double(lossCount), k: min(k, max(classes, 1)),
    metrics: sums?.mapValues { $0 / Double(max(count, 1)) })
  guard classes > 0 else { return Evaluation(summary: summary) }
  return Evaluation(logits: Tensor(logits, shape: [labels.count, classes]), labels: labels, summary)
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
