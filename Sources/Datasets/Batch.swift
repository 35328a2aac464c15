/// The input of one training step.
public struct Batch: Sendable {
  /// Augmented and normalised, `[batch, height, width, channels]`.
  public var images: Tensor
  /// The class of each image.
  public var labels: [Int]
  /// Which images of the data set they are.
  public var indices: [Int]
  /// The probability of each class for each image, `[batch, classes]`, where images were mixed; nil where labels say all.
  public var targets: Tensor?

  /// A batch of these images.
  public init(images: Tensor, labels: [Int], indices: [Int], targets: Tensor? = nil) {
    (self.images, self.labels, self.indices, self.targets) = (images, labels, indices, targets)
  }

  /// The images `range` of this batch alone.
  public func rows(_ range: Range<Int>) -> Batch {
    let rows = Array(range)
    return Batch(
      images: images.gather(rows), labels: Array(labels[range]), indices: Array(indices[range]),
      targets: targets.map { $0.gather(rows) })
  }
}
