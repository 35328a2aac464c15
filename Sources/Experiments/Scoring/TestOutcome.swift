/// The answers of one arm of one seed on the test images.
public struct TestOutcome: Sendable, Codable, Equatable {
  /// Accuracy, loss, calibration.
  public var summary: Evaluation.Summary
  /// The predicted class of each image.
  public var predictions: [Int]
  /// Whether the prediction is right.
  public var isRight: [Bool]
  /// The entropy of each image's probabilities, in nats.
  public var entropies: [Double]
  /// The confusion matrix: the number of images of class `row` that were taken for class `column`.
  public var confusion: [[Int]]
  /// Accuracy by confidence.
  public var reliability: [ReliabilityBin]
  /// The accuracy on corrupted images, by the corruption; see ``Corruption``.
  public var robustness: [String: Double]
  /// The fingerprint of the weights that were scored.
  public var fingerprint: String

  /// Whether it can be of so many images.
  package func fits(images: Int, classes: Int) -> Bool {
    predictions.count == images && isRight.count == images && entropies.count == images
      && confusion.isSquare(classes, upTo: images) && reliability.count == 10
      && reliability.allSatisfy { (0...images).contains($0.count) }
  }

  /// The share of right predictions.
  public var accuracy: Double { summary.top1 ?? 0 }
}

/// The accuracy of a classifier on the images of one range of confidence.
public struct ReliabilityBin: Sendable, Codable, Equatable {
  public var count: Int
  /// The mean probability of the likeliest class.
  public var confidence: Double
  /// The share that is right.
  public var accuracy: Double

  package init(count: Int, confidence: Double, accuracy: Double) {
    (self.count, self.confidence, self.accuracy) = (count, confidence, accuracy)
  }
}

extension [ReliabilityBin] {
  /// Equal parts of 0...1, each open below and closed above.
  static func bins(confidences: [Double], isRight: [Bool], count: Int = 10) -> [ReliabilityBin] {
    var bins = [ReliabilityBin](repeating: .init(count: 0, confidence: 0, accuracy: 0), count: count)
    for (confidence, isRight) in zip(confidences, isRight) {
      let bin =
        confidence.isFinite ? Swift.min(Swift.max(Int((confidence * Double(count)).rounded(.up)) - 1, 0), count - 1) : 0
      bins[bin].count += 1
      bins[bin].confidence += confidence
      bins[bin].accuracy += isRight ? 1 : 0
    }
    for index in bins.indices where bins[index].count > 0 {
      bins[index].confidence /= Double(bins[index].count)
      bins[index].accuracy /= Double(bins[index].count)
    }
    return bins
  }
}

extension [[Int]] {
  /// Whether it is a table of counts, each class against each.
  package func isSquare(_ classes: Int, upTo largest: Int) -> Bool {
    count == classes && allSatisfy { $0.count == classes && $0.allSatisfy((0...largest).contains) }
  }
}
