/// Stage S5: pairs every image with the representative of its class and cluster.
///
/// ```swift
/// let pairs = ConversionPairing()(clusters, representatives, features: features, confidence: confidence)
/// ```
public struct ConversionPairing: Settings {
  /// The extra weight of images of high entropy: 0 for none, 1 for weights in proportion to the entropy.
  public var entropyWeighting = 0.0
  /// The temperature at which a target is mixed of the representatives of all clusters of its class, nil for the image of
  /// its own cluster alone; see ``ConversionPairs/softened(_:_:features:temperature:)``.
  public var softness: Double?

  /// The paper's: every image counts alike, and its target is one image.
  public init() {}

  public static let settings: [Setting<ConversionPairing>] = [
    Setting("entropyWeighting", \.entropyWeighting), Setting("softness", \.softness),
  ]

  /// Pairs every image of every cluster.
  ///
  /// - Parameters:
  ///   - features: Of every image, `[images, …]`; needed by ``softness`` alone.
  ///   - confidence: Of every image; needed by ``entropyWeighting`` alone.
  /// - Precondition: What a setting needs is given.
  public func callAsFunction(
    _ clusters: Clusters, _ representatives: Representatives, features: Tensor? = nil,
    confidence: PredictionConfidence? = nil
  ) -> ConversionPairs {
    self(clusters, representatives, imageFeatures: features.map { ImageFeatures($0) }, confidence: confidence)
  }

  /// Pairs every image of every cluster, by features that are asked for class by class.
  ///
  /// - Parameters:
  ///   - features: Of every image; needed by ``softness`` alone.
  ///   - confidence: Of every image; needed by ``entropyWeighting`` alone.
  /// - Precondition: What a setting needs is given.
  public func callAsFunction(
    _ clusters: Clusters, _ representatives: Representatives, imageFeatures features: ImageFeatures?,
    confidence: PredictionConfidence? = nil
  ) -> ConversionPairs {
    var pairs = ConversionPairs(clusters, representatives)
    if let softness {
      require(features != nil, "ConversionPairing: softness \(softness) needs features")
      pairs = pairs.softened(clusters, representatives, imageFeatures: features!, temperature: softness)
    }
    guard entropyWeighting > 0 else { return pairs }
    require(confidence != nil, "ConversionPairing: entropyWeighting \(entropyWeighting) needs the images' confidence")
    return pairs.weighted(by: confidence!.entropies, strength: entropyWeighting)
  }

  func check() throws(ExperimentError) {
    try requireWithin("pairing.entropyWeighting", entropyWeighting, 0...1)
    if let softness { try requirePositive("pairing.softness", softness) }
  }
}
