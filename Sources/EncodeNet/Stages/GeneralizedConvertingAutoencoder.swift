/// Stage S1: a classifier's feature layers, and a decoder that shows the representative of what they see.
///
/// The encoder shares its parameters with whatever it was taken from: train a copy of the baseline where the baseline is
/// still needed. EncodeNet, arXiv 2404.13770; without the skip connections of the authors' earlier code, past which the
/// encoder need not learn.
public final class GeneralizedConvertingAutoencoder: Layer {
  /// Maps images to features.
  public let encoder: any Layer
  /// Maps features to images in 0...1.
  public let decoder: any Layer

  /// An autoencoder of two layers that fit.
  public init(encoder: any Layer, decoder: any Layer) { (self.encoder, self.decoder) = (encoder, decoder) }

  /// The feature layers of `model`, cut at `split`, with a mirroring decoder of random weights.
  ///
  /// - Parameters:
  ///   - split: Where the network is cut for transfer, nil for its own choice.
  ///   - view: What the decoder sees of features that are a map, nil for what the model's head sees.
  ///   - imageShape: `[height, width, channels]`.
  ///   - targetShape: The shape of the converted images, nil for `imageShape`.
  public convenience init(
    of model: any SplitClassifier, at split: String? = nil, view: Decoder.View? = nil, imageShape: Shape,
    targetShape: Shape? = nil, using generator: inout some RandomNumberGenerator
  ) {
    self.init(
      encoder: model.parts(at: split).features,
      decoder: Decoder(
        mirroring: model, at: split, view: view, imageShape: imageShape, targetShape: targetShape, using: &generator))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { decoder(encoder(x)) }
}

/// Stage S8: an encoder and a head, and no decoder.
public final class EncoderClassifier: SplitClassifier {
  /// The encoder, from a Generalized Converting Autoencoder.
  public let features: any Layer
  /// The head.
  public let classifier: any Layer

  /// The classifier of both.
  public init(encoder: any Layer, head: any Layer) { (features, classifier) = (encoder, head) }
}
