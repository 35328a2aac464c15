/// The held-out test images: nothing can access them, and each arm of a seed is scored on them once.
///
/// Whatever selects a learning rate, an epoch or a representative takes a ``ValidationSet``; test images cannot become one.
public final class HeldOutTestSet: Sendable {
  private let images: LabeledImages
  private let fingerprints: Set<UInt64>

  /// Holds out `images`.
  public init(_ images: LabeledImages) {
    self.images = images
    fingerprints = Set(images.imageFingerprints)
  }

  /// The number of images.
  public var count: Int { images.count }

  /// Returns the number of images in `other` that are test images, byte for byte.
  public func overlap(with other: LabeledImages) -> Int { count(among: other.imageFingerprints) }

  /// Returns the number of fingerprints that are those of test images.
  func count(among fingerprints: [UInt64]) -> Int { fingerprints.count { self.fingerprints.contains($0) } }

  /// Scores a classifier on the images as they are and corrupted.
  ///
  /// - Parameter batches: Makes batches, normalised for the classifier.
  package func outcome(of model: any SplitClassifier, batches: (LabeledImages) -> Batches) throws -> TestOutcome {
    let plain = try evaluate(model, on: batches(images))
    let confidences = plain.probabilities.max(alongAxes: [1]).scalars.map { Double($0) }
    let isRight = zip(plain.predictions, plain.labels).map { $0 == $1 }
    return TestOutcome(
      summary: plain.summary, predictions: plain.predictions, isRight: isRight,
      entropies: plain.entropies.map { ($0 * 1e4).rounded() / 1e4 }, confusion: ConfusionMatrix(plain.confusion),
      reliability: .bins(confidences: confidences, isRight: isRight),
      robustness: Dictionary(
        uniqueKeysWithValues: try Corruption.allCases.map { corruption in
          (corruption.rawValue, try evaluate(model, on: batches(corruption(images))).top1)
        }),
      fingerprint: weightsFingerprint(model))
  }
}

/// FNV-1a of every parameter and buffer, in order.
package func weightsFingerprint(_ model: any Module) -> String {
  var hash = FNV1a()
  for (name, tensor) in model.stateDictionary.sorted(by: { $0.key < $1.key }) {
    hash.append(bytes: name.utf8)
    tensor.withUnsafeScalars { scalars in
      for scalar in scalars { hash.append(UInt64(scalar.bitPattern)) }
    }
  }
  return String(hash.value, radix: 16)
}
