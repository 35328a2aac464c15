import CImages

/// Subtracts each channel's mean and divides by its standard deviation, for values in 0...1.
public struct Normalization: Sendable, Hashable, Codable {
  /// The mean of each channel, or one for all.
  public let mean: [Double]
  /// The standard deviation of each channel, or one for all.
  public let deviation: [Double]

  /// - Precondition: There are as many means as standard deviations, which are positive and finite.
  public init(mean: [Double], deviation: [Double]) {
    require(
      mean.count == deviation.count && deviation.allSatisfy { $0 > 0 && $0.isFinite } && mean.allSatisfy(\.isFinite),
      "Normalization: means \(mean) and standard deviations \(deviation)")
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// Decodes values that fulfil the precondition of ``init(mean:deviation:)``, and refuses others.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let mean = try values.decode([Double].self, forKey: .mean)
    let deviation = try values.decode([Double].self, forKey: .deviation)
    guard !mean.isEmpty, mean.count == deviation.count, deviation.allSatisfy({ $0 > 0 && $0.isFinite }),
      mean.allSatisfy({ abs($0) < 1e6 })
    else {
      throw DataError(
        "the normalisation has means \(mean) and standard deviations \(deviation): there must be one of each for every "
          + "channel, or one for all, and the standard deviations positive")
    }
    self.init(mean: mean, deviation: deviation)
  }

  /// Computes each channel's mean and standard deviation over all pixels of `images`; that of a constant channel is 1.
  ///
  /// An image that cannot be read is a fault of data; see ``throwingDataFaults(_:)``.
  public static func computed(from images: LabeledImages) -> Normalization {
    require(images.count > 0, "Normalization: there are no images")
    let channels = images.imageShape[2]
    var histogram = [UInt64](repeating: 0, count: channels * 256)
    unlessUnreadable(()) { () throws(DataError) in
      try images.forEachImage { ci_histogram($0.baseAddress, $0.count / channels, channels, &histogram) }
    }
    let count = Double(images.count * (images.imageShape.count / channels))
    func average(_ channel: Int, of value: (Double) -> Double) -> Double {
      var sum = 0.0
      for level in 0..<256 { sum += Double(histogram[channel * 256 + level]) * value(Double(level) / 255) }
      return sum / count
    }
    let mean = (0..<channels).map { average($0) { $0 } }
    let deviation = (0..<channels).map { channel in
      let variance = average(channel) { ($0 - mean[channel]) * ($0 - mean[channel]) }
      return variance > 0 ? variance.squareRoot() : 1
    }
    return Normalization(mean: mean, deviation: deviation)
  }

  /// Normalises images in 0...1, `[…, channels]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    func channels(_ values: [Double]) -> Tensor { Tensor(values.map { Scalar($0) }, shape: [values.count]) }
    return (images - channels(mean)) / channels(deviation)
  }
}

/// Converts bytes to scalars, byte · scale + shift, for a whole row of an image at once.
struct AffineBytes {
  private let scale: [Scalar]
  private let shift: [Scalar]

  init(_ normalization: Normalization?, _ imageShape: Shape) {
    let channels = imageShape[2]
    let (mean, deviation) = (normalization?.mean ?? [0], normalization?.deviation ?? [1])
    require(
      mean.count == 1 || mean.count == channels,
      "normalization: means of \(mean.count) channels do not fit images of shape \(imageShape)")
    let row = imageShape[1] * channels
    scale = (0..<row).map { Scalar(1 / (255 * deviation[$0 % mean.count])) }
    shift = (0..<row).map { Scalar(-mean[$0 % mean.count] / deviation[$0 % mean.count]) }
  }

  func callAsFunction(_ x: UnsafePointer<UInt8>, _ count: Int, _ y: UnsafeMutablePointer<Scalar>) {
    ci_normalize(x, count, scale.count, scale, shift, y)
  }
}

extension Normalization {
  /// The normalisations that published weights were trained with, by names that a command line may give.
  public static let published: [(name: String, normalization: Normalization)] = [
    ("imagenet", Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])),
    ("cifar10", Normalization(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616])),
    // Of kuangliu/pytorch-cifar and its successors: the mean of the standard deviations of single images.
    ("pytorch-cifar", Normalization(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2023, 0.1994, 0.2010])),
    ("cifar100", Normalization(mean: [0.5071, 0.4867, 0.4408], deviation: [0.2675, 0.2565, 0.2761])),
    ("mnist", Normalization(mean: [0.1307], deviation: [0.3081])),
    ("fashion-mnist", Normalization(mean: [0.2860], deviation: [0.3530])),
    ("half", Normalization(mean: [0.5], deviation: [0.5])),
    ("none", Normalization(mean: [0], deviation: [1])),
  ]

  /// The published one of that name.
  public static func named(_ name: String) throws(DataError) -> Normalization {
    guard let known = published.first(where: { $0.name == name.lowercased() }) else {
      throw DataError(
        "there is no normalisation '\(name)'; there are \(published.map(\.name).joined(separator: ", "))")
    }
    return known.normalization
  }

  /// Whether it can normalise images of so many channels.
  public func fits(channels: Int) -> Bool { mean.count == 1 || mean.count == channels }
}
