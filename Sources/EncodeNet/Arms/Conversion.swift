/// The training of the encoder: stages S2 to S6, or a control in their place.
public struct Conversion: Settings {
  /// The clusters that images are converted by.
  public enum Grouping: String, Sendable, Codable, Hashable, CaseIterable {
    /// The clusters that ``ExperimentConfiguration/clustering`` finds.
    case found
    /// One for each class.
    case one
    /// Random clusters of the same number and sizes as those found.
    case random
  }
  /// The target of an image.
  public enum Target: String, Sendable, Codable, Hashable, CaseIterable {
    /// The representative of its cluster, by ``ExperimentConfiguration/selection``.
    case representative
    /// For each cluster any image of the class.
    case randomOfClass
    /// The medoid of its cluster, whatever its entropy.
    case medoid
    /// Itself: a plain autoencoder.
    case input
    /// The representative of its cluster with its pixels in another order, one for each cluster.
    case shuffledPixels
    /// The mean image of its class.
    case classMean
    /// No image: the encoder learns by cross-entropy to which cluster of which class the image belongs.
    case subclass
  }
  /// The clusters that images are converted by.
  public var clusters = Grouping.found
  /// The target of an image.
  public var target = Target.representative
  /// Whether the encoder is trained too. If not, only the decoder is: a control of what the encoder learns.
  public var trainsEncoder = true

  /// The paper's.
  public init() {}

  public static let settings: [Setting<Conversion>] = [
    Setting("clusters", \.clusters), Setting("target", \.target), Setting("trainsEncoder", \.trainsEncoder),
  ]
}
