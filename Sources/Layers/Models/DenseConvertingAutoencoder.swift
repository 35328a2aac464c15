/// The Converting Autoencoder of the earlier work: linear layers that convert a hard image to an easy one of its class.
///
/// Images are flattened, encoded by layers of `widths` with ReLU, decoded by the same widths in reverse, and end in a sigmoid, in
/// 0...1. The image and the output have the shape `[batch, height, width, channels]`.
///
/// Mahmud, Kang, Desai, Lama, Prasad: "A Converting Autoencoder Toward Low-latency and Energy-efficient DNN Inference at
/// the Edge", arXiv 2403.07036. Its exact widths are not published; the defaults are a choice of this library.
public final class DenseConvertingAutoencoder: Layer {
  /// From the image to the narrowest layer.
  public let encoder: Sequential
  /// From the narrowest layer to an image.
  public let decoder: Sequential

  /// An autoencoder with random weights.
  ///
  /// - Parameters:
  ///   - imageShape: `[height, width, channels]`.
  ///   - widths: The sizes of the encoder's layers.
  public init(
    imageShape: Shape = [28, 28, 1], widths: [Int] = [784, 384, 32],
    using generator: inout some RandomNumberGenerator
  ) {
    require(
      imageShape.rank == 3 && !widths.isEmpty,
      "DenseConvertingAutoencoder: wants [height, width, channels] and a width, not \(imageShape) and \(widths)")
    let sizes = [imageShape.count] + widths
    encoder = Sequential {
      Flatten()
      for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
        Linear(inputs, outputs, using: &generator)
        ReLU()
      }
    }
    let back = Array(sizes.reversed())
    decoder = Sequential {
      for (index, (inputs, outputs)) in zip(back, back.dropFirst()).enumerated() {
        Linear(inputs, outputs, using: &generator)
        if index + 2 < back.count { ReLU() } else { Sigmoid() }
      }
      Unflatten(imageShape)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { decoder(encoder(x)) }
}
