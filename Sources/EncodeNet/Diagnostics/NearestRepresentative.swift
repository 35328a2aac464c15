/// The representative that is nearest to a converted image, by squared distance of pixels.
///
/// That takes images · representatives · values multiply-adds: of ImageNet's images and 5,000 representatives of 64 by 64 pixels
/// 10¹⁷, months. Beyond ``limit`` images are compared at half the size, and half of that, down to ``leastSide`` pixels; where
/// that is still too much, only every n-th image is compared.
struct NearestRepresentative {
  /// Multiply-adds for a set of images: less than a minute on two cores.
  static let limit = 1e12
  /// Smaller images show too little.
  static let leastSide = 16

  /// `[height, width, channels]` of what is compared.
  let shape: Shape
  /// Every `interval`-th image is compared.
  let interval: Int
  /// Whether images are compared at the size of their targets.
  let isFull: Bool
  /// The number of images compared.
  let count: Int
  private let points: Tensor
  private let lengths: Tensor

  /// - Parameters:
  ///   - targets: The representatives, `[representatives, height, width, channels]`.
  ///   - images: The number of images that are compared with them.
  init(_ targets: Tensor, images: Int, limit: Double = Self.limit) {
    func cost(_ shape: Shape) -> Double { Double(images) * Double(targets.shape[0]) * Double(shape.count) }
    let full = Shape(Array(targets.shape.dimensions.dropFirst()))
    shape = full.halved(toSide: Self.leastSide) { cost($0) > limit }
    isFull = shape == full
    interval = max(1, Int((cost(shape) / limit).rounded(.up)))
    count = (images + interval - 1) / interval
    points = resized2d(targets, height: shape[0], width: shape[1]).flattenedRows
    lengths = square(points).sum(alongAxes: [1])
  }

  /// Where not all images were compared at their full size, how they were; else nil.
  var sample: SeedDiagnostics.Sample? {
    isFull && interval == 1 ? nil : .init(height: shape[0], width: shape[1], images: count)
  }

  /// The nearest representative of each image that is compared, with the image's place in `shown`.
  ///
  /// - Parameters:
  ///   - shown: Converted images.
  ///   - indices: Of each of them in its set.
  func callAsFunction(_ shown: Tensor, _ indices: [Int]) -> [(place: Int, nearest: Int)] {
    let places = indices.indices.filter { indices[$0] % interval == 0 }
    guard !places.isEmpty else { return [] }
    let compared = places.count == indices.count ? shown : shown.gather(places)
    let rows = resized2d(compared, height: shape[0], width: shape[1]).flattenedRows
    let ofRows = square(rows).sum(alongAxes: [1]).unsqueezed(at: 1)
    let distances = relu(ofRows + lengths - 2 * matmul(rows, points, transposeB: true))
    return Array(zip(places, distances.argmin()))
  }
}

extension Shape {
  /// This shape of an image at half the size, and half of that, as long as `isTooLarge` says so and a side exceeds `least`.
  func halved(toSide least: Int, where isTooLarge: (Shape) -> Bool) -> Shape {
    var shape = self
    while isTooLarge(shape), max(shape[0], shape[1]) > least {
      shape = [max(1, (shape[0] + 1) / 2), max(1, (shape[1] + 1) / 2), shape[2]]
    }
    return shape
  }
}
