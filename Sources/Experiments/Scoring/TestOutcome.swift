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
  public var confusion: ConfusionMatrix
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
