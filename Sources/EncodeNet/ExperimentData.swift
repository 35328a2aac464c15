/// The images of an experiment: bytes, so that a training set of floats is never held.
public struct ExperimentData: Sendable {
  /// Images with their classes.
  public struct Part: Sendable {
    /// One image after the other, `[images, height, width, channels]`.
    public var pixels: [UInt8]
    /// The class of each image.
    public var labels: [Int]

    /// Images with their classes.
    public init(pixels: [UInt8], labels: [Int]) { (self.pixels, self.labels) = (pixels, labels) }
  }
  /// What the report calls it.
  public let name: String
  /// `[height, width, channels]`.
  public let imageShape: Shape
  /// The classes' names, by label.
  public let classNames: [String]
  /// Images to train and validate on.
  public let training: Part
  /// Images that are looked at once, at the end.
  public let test: Part

  /// - Throws: Where the pixels, the shape, the labels and the names do not fit.
  public init(
    name: String, imageShape: Shape, classNames: [String], training: Part, test: Part
  ) throws(EncodeNetError) {
    for (part, place) in [(training, "training"), (test, "test")] {
      guard !part.labels.isEmpty else { throw EncodeNetError("\(name): there are no \(place) images") }
      guard part.pixels.count == part.labels.count * imageShape.count else {
        throw EncodeNetError(
          "\(name): \(part.labels.count) \(place) images of shape \(imageShape) need "
            + "\(part.labels.count * imageShape.count) bytes, there are \(part.pixels.count)")
      }
      if let wrong = part.labels.first(where: { !classNames.indices.contains($0) }) {
        throw EncodeNetError("\(name): label \(wrong) of a \(place) image is not one of \(classNames.count) classes")
      }
    }
    (self.name, self.imageShape, self.classNames) = (name, imageShape, classNames)
    (self.training, self.test) = (training, test)
  }

  /// A short name for the bytes and labels of all images.
  public var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for part in [training, test] {
      part.pixels.withUnsafeBufferPointer { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 } }
      for label in part.labels { hash = (hash ^ UInt64(label)) &* 0x100_0000_01b3 }
    }
    return String(hash, radix: 16)
  }

  /// The images of `part` at `indices`, in 0...1, `[images, height, width, channels]`.
  func tensor(_ part: Part, _ indices: [Int]) -> Tensor {
    let size = imageShape.count
    return Tensor(shape: Shape([indices.count] + imageShape.dimensions)) { out in
      part.pixels.withUnsafeBufferPointer { pixels in
        for (row, index) in indices.enumerated() {
          for i in 0..<size { out[row * size + i] = Scalar(pixels[index * size + i]) / 255 }
        }
      }
    }
  }

  /// The training images in two: the same share of each class, drawn by `seed`, is for validation.
  func split(validationShare: Double, subset: Int?, seed: UInt64) throws(EncodeNetError) -> (
    training: [Int], validation: [Int]
  ) {
    var generator = SplittableGenerator(seed: seed)
    var (kept, held): ([Int], [Int]) = ([], [])
    let share = subset.map { min(1, Double($0) / Double(training.labels.count)) } ?? 1
    for label in classNames.indices {
      var own = training.labels.indices.filter { training.labels[$0] == label }
      own.shuffle(using: &generator)
      own = Array(own.prefix(Int((Double(own.count) * share).rounded())))
      let count = Int((Double(own.count) * validationShare).rounded())
      guard own.count > count else {
        throw EncodeNetError(
          "\(name): class '\(classNames[label])' has \(own.count) training images and \(count) for validation: "
            + "use a larger subset or a smaller validation share")
      }
      held += own.prefix(count)
      kept += own.dropFirst(count)
    }
    return (kept.sorted(), held.sorted())
  }
}
