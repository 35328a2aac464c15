/// A converting autoencoder before a light classifier: every image is first turned into an easy one of its class.
///
/// The autoencoder stays in the network, at inference too: what EncodeNet later did without. Both layers take images in 0...1.
///
/// Mahmud, Kang, Desai, Lama, Prasad: "A Converting Autoencoder Toward Low-latency and Energy-efficient DNN Inference at
/// the Edge", arXiv 2403.07036.
public final class ConvertingTandem: Layer {
  /// Maps images to easy images, as ``DenseConvertingAutoencoder`` does.
  public let converter: any Layer
  /// Maps images to logits.
  public let classifier: any Layer

  /// The two, one after the other.
  public init(converter: any Layer, classifier: any Layer) {
    (self.converter, self.classifier) = (converter, classifier)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(converter(x)) }
}

extension ConversionPairs {
  /// The pairs of a converting autoencoder: a hard image becomes an easy one of its class, an easy image stays as it is.
  ///
  /// Easy is what the classifier gets right with an entropy below `threshold`; where a class has nothing easy, what it
  /// gets right with the least entropy counts as such. Which easy image a hard one becomes is drawn at random.
  /// - Parameters:
  ///   - confidence: Of every training image.
  ///   - threshold: In nats.
  public init(
    convertingHardImages confidence: PredictionConfidence, labels: [Int], threshold: Double,
    using generator: inout some RandomNumberGenerator
  ) {
    require(
      confidence.entropies.count == labels.count,
      "ConversionPairs: \(confidence.entropies.count) entropies do not fit \(labels.count) labels")
    let isEasy = labels.indices.map { confidence.isCorrect[$0] && confidence.entropies[$0] < threshold }
    let members = Dictionary(grouping: labels.indices) { labels[$0] }
    let easy = members.mapValues { images in
      let easy = images.filter { isEasy[$0] }
      let right = images.filter { confidence.isCorrect[$0] }
      return easy.isEmpty ? [(right.isEmpty ? images : right).min { confidence.precedes($0, $1) }!] : easy
    }
    self.init(
      labels.indices.map { image in
        Pair(input: image, target: isEasy[image] ? image : easy[labels[image]]!.randomElement(using: &generator)!)
      })
  }
}
