/// What an arm of one seed made of the test images.
public struct TestOutcome: Sendable, Codable, Equatable {
  /// Accuracy, loss, calibration.
  public var summary: Evaluation.Summary
  /// The class given to each image.
  public var predictions: [Int]
  /// Whether that is its class.
  public var isRight: [Bool]
  /// Of each image's probabilities, in nats.
  public var entropies: [Double]
  /// How many images of class `row` were taken for class `column`.
  public var confusion: [[Int]]
  /// Accuracy by confidence.
  public var reliability: [ReliabilityBin]
  /// The accuracy on corrupted images, by the corruption; see ``Corruption``.
  public var robustness: [String: Double]
  /// Of the weights that were scored.
  public var fingerprint: String

  /// Whether it can be of so many images.
  package func fits(images: Int, classes: Int) -> Bool {
    predictions.count == images && isRight.count == images && entropies.count == images
      && confusion.isSquare(classes, upTo: images) && reliability.count == 10
      && reliability.allSatisfy { (0...images).contains($0.count) }
  }

  /// The share of right answers.
  public var accuracy: Double { summary.top1 ?? 0 }
}

extension [[Int]] {
  /// Whether it is a table of counts, each class against each.
  package func isSquare(_ classes: Int, upTo largest: Int) -> Bool {
    count == classes && allSatisfy { $0.count == classes && $0.allSatisfy((0...largest).contains) }
  }
}
