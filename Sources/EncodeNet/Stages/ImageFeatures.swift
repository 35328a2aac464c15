/// The features of images, as rows: in memory where all fit, else computed for those asked for and forgotten.
///
/// ```swift
/// let features = ImageFeatures(outputs(of: network.features, on: batches) { $0.averagedOverSpace })
/// let some = features([3, 5, 8])
/// ```
public struct ImageFeatures {
  /// The number of images.
  public let count: Int
  /// The number of features of an image.
  public let width: Int
  /// The bytes that features held at a time may take.
  public let memoryLimit: Int
  /// The features of all images, `[images, features]`; nil where they do not fit ``memoryLimit``.
  public let all: Tensor?
  private let compute: ([Int]) -> Tensor

  /// The bytes that features may take where nothing is said: 1 GiB.
  public static let usualMemoryLimit = 1 << 30

  /// The rows of `features`, `[images, …]`.
  public init(_ features: Tensor) {
    require(features.rank >= 2, "ImageFeatures: features \(features.shape) are not [images, …]")
    let rows = features.flattenedRows
    self.init(count: rows.shape[0], width: rows.shape[1], memoryLimit: .max, all: rows) { rows.gather($0) }
  }

  /// Features that `compute` gives for some images, `[images, width]`, each time they are asked for.
  ///
  /// - Parameters:
  ///   - memoryLimit: In bytes: the rows of more images than fit a quarter of it are not asked for at once.
  ///   - compute: Gives the rows of the images at the indices it is given, in their order.
  public init(
    count: Int, width: Int, memoryLimit: Int = Self.usualMemoryLimit, computing compute: @escaping ([Int]) -> Tensor
  ) {
    self.init(count: count, width: width, memoryLimit: memoryLimit, all: nil, compute: compute)
  }

  /// The features that `batches` gives, in memory where they fit `memoryLimit` bytes, else computed anew by `compute`.
  init(
    count: Int, width: Int, memoryLimit: Int, inOrder all: () -> Tensor, computing compute: @escaping ([Int]) -> Tensor
  ) {
    if count <= memoryLimit / Self.bytes(width) {
      let rows = all()
      self.init(count: count, width: width, memoryLimit: memoryLimit, all: rows) { rows.gather($0) }
    } else {
      self.init(count: count, width: width, memoryLimit: memoryLimit, computing: compute)
    }
  }

  private init(count: Int, width: Int, memoryLimit: Int, all: Tensor?, compute: @escaping ([Int]) -> Tensor) {
    require(count >= 0 && width > 0 && memoryLimit > 0, "ImageFeatures: \(count) images of \(width) features")
    (self.count, self.width, self.memoryLimit) = (count, width, memoryLimit)
    (self.all, self.compute) = (all, compute)
  }

  /// The bytes of a row.
  ///
  /// Of single precision, so that no choice depends on the precision.
  private static func bytes(_ width: Int) -> Int { width * MemoryLayout<Float>.stride }

  /// The number of images whose rows may be asked for at once: all where they are in memory, else a quarter of what fits, as
  /// standardising rows takes a few copies of them.
  public var largestPart: Int { all == nil ? max(memoryLimit / Self.bytes(width) / 4, 1) : max(count, 1) }

  /// The rows of `images`, `[images, features]`.
  public func callAsFunction(_ images: [Int]) -> Tensor {
    let rows = compute(images)
    require(
      rows.shape == [images.count, width],
      "ImageFeatures: \(rows.shape) are not the \(width) features of \(images.count) images")
    return rows
  }

  /// `images` in parts that may be asked for at once.
  func parts(_ images: [Int]) -> [[Int]] {
    stride(from: 0, to: images.count, by: largestPart).map { Array(images[$0..<min($0 + largestPart, images.count)]) }
  }

  /// As many of `images` as may be asked for at once, and at most `count`, at equal distances.
  func sample(of images: [Int], atMost count: Int = .max) -> [Int] { images.spaced(min(count, largestPart)) }

  /// The mean of the rows of `images`, `[features]`.
  func mean(of images: [Int]) -> Tensor {
    let parts = parts(images)
    guard parts.count > 1 else { return self(images).mean(alongAxes: [0]) }
    var sum = Tensor.zeros([width])
    for part in parts { sum += self(part).sum(alongAxes: [0]) }
    return sum * (1 / Scalar(images.count))
  }
}

extension Array {
  /// At most `count` of the elements, at equal distances: all where there are no more.
  func spaced(_ count: Int) -> [Element] {
    self.count <= count ? self : (0..<count).map { self[$0 * self.count / count] }
  }
}
