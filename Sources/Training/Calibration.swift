/// How often a classifier is right among the images of about one confidence.
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
  package static func bins(confidences: [Double], isRight: [Bool], count: Int = 10) -> [ReliabilityBin] {
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

/// The expected calibration error: over `bins` equal parts of 0...1, the mean of `|accuracy - confidence|` weighted by the
/// share of images in each.
///
/// Guo et al.: "On calibration of modern neural networks", 2017. Bins are open below and closed above, as there.
public func expectedCalibrationError(confidences: [Double], isRight: [Bool], bins: Int = 15) -> Double {
  require(
    confidences.count == isRight.count && bins > 0,
    "expectedCalibrationError: \(confidences.count) confidences, \(isRight.count) outcomes, \(bins) bins")
  let bins: [ReliabilityBin] = .bins(confidences: confidences, isRight: isRight, count: bins)
  let sum = bins.reduce(0) { $0 + Double($1.count) * ($1.accuracy - $1.confidence).magnitude }
  return sum / Double(max(confidences.count, 1))
}
