/// Stage S3: the entropy and the confidence of a classifier on each image, from its logits.
///
/// ```swift
/// let confidence = PredictionEntropy()(logits, labels: labels)
/// print(confidence.saturation)
/// ```
public struct PredictionEntropy: Settings {
  /// Divides the logits; above 1 it tells apart images whose probabilities have saturated.
  public var temperature: Double

  /// At temperature 1.
  public init() { self.init(temperature: 1) }

  public static let settings: [Setting<PredictionEntropy>] = [Setting("temperature", \.temperature)]

  /// - Precondition: `temperature` is positive.
  public init(temperature: Double) {
    require(
      temperature > 0 && temperature.isFinite, "PredictionEntropy: the temperature \(temperature) is not positive")
    self.temperature = temperature
  }

  /// Measures every row of `logits`, `[images, classes]`.
  public func callAsFunction(_ logits: Tensor, labels: [Int]) -> PredictionConfidence {
    require(
      logits.rank == 2 && logits.shape[0] == labels.count && logits.shape[1] > 0,
      "PredictionEntropy: logits \(logits.shape) do not fit \(labels.count) labels, they must be [images, classes]")
    return PredictionConfidence(
      entropies: softmaxEntropy(logits, temperature: temperature).entropies,
      isCorrect: zip(logits.argmax(), labels).map { $0 == $1 }, confidences: softmaxEntropy(logits).confidences)
  }
}

extension PredictionEntropy {
  /// Measures a classifier on the images of every batch, in evaluation mode; logits of more than a batch are never in memory.
  public func callAsFunction(of model: any Layer, on batches: some BatchSource<Batch>) -> PredictionConfidence {
    model.evaluating {
      batches.epoch(0).reduce(into: PredictionConfidence(entropies: [], isCorrect: [], confidences: [])) {
        $0.append(self(model($1.images), labels: $1.labels))
      }
    }
  }
}

/// The entropy and the confidence of a classifier on each image, and whether it is right.
public struct PredictionConfidence: Sendable, Codable, Hashable {
  /// The Shannon entropy of each image's probabilities, in nats, at the temperature asked for.
  public var entropies: [Double]
  /// Whether the likeliest class is the right one.
  public var isCorrect: [Bool]
  /// The probability of the likeliest class, at temperature 1.
  public var confidences: [Double]

  /// Values of another classifier, or by another measure: one entry of each for every image.
  public init(entropies: [Double], isCorrect: [Bool], confidences: [Double]) {
    require(
      entropies.count == isCorrect.count && confidences.count == isCorrect.count,
      "PredictionConfidence: \(entropies.count) entropies, \(isCorrect.count) answers, \(confidences.count) confidences"
    )
    (self.entropies, self.isCorrect, self.confidences) = (entropies, isCorrect, confidences)
  }

  /// Adds those of other images.
  mutating func append(_ other: PredictionConfidence) {
    entropies += other.entropies
    isCorrect += other.isCorrect
    confidences += other.confidences
  }

  /// The share of images whose likeliest class has a probability above 0.9999.
  ///
  /// Where it is high, rounding decides which entropy is least.
  public var saturation: Double {
    Double(confidences.count { $0 > 0.9999 }) / Double(max(confidences.count, 1))
  }
  /// The mean entropy, in nats.
  public var meanEntropy: Double { entropies.mean { $0 } }
}

@available(*, deprecated, renamed: "PredictionConfidence")
public typealias Certainty = PredictionConfidence
