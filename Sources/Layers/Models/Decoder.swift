/// Makes images of a classifier's features: the second half of a Generalized Converting Autoencoder.
///
/// For each time that the features are half the size of the image, a block of transposed convolution 3 by 3 with stride 2,
/// batch norm and ReLU doubles them and halves the channels; a convolution 3 by 3 and a sigmoid make the image, in 0...1.
/// For ResNet20 the channels are 64, 32, 16, 3; for VGG16 512, 256, 128, 64, 32, 16, 3. Sizes that no doubling meets are
/// cropped. There are no connections past the bottleneck, so that what the image shows must go through the features.
///
/// From a vector of features a linear layer first makes the map that the encoder had before it lost its spatial axes.
public final class Decoder: Layer {
  /// Makes a map of a vector of features; empty where the features are a map.
  public let expand: Sequential
  /// The up-sampling blocks.
  public let blocks: Sequential
  /// The last convolution and the sigmoid.
  public let image: Sequential

  /// A decoder for the features of `model`, cut at `split`, nil for the model's own ``SplitClassifier/features``.
  ///
  /// - Parameter imageShape: `[height, width, channels]` of the model's input and the decoder's output.
  public convenience init(
    mirroring model: some SplitClassifier, at split: String? = nil, imageShape: Shape,
    using generator: inout some RandomNumberGenerator
  ) {
    self.init(
      encoder: split.map { model.split(at: $0).features } ?? model.features, imageShape: imageShape,
      using: &generator)
  }

  /// A decoder for what `encoder` makes of an image.
  public init(
    encoder: any Layer, imageShape: Shape, using generator: inout some RandomNumberGenerator
  ) {
    require(imageShape.rank == 3, "Decoder: \(imageShape) is not [height, width, channels]")
    let (trace, output) = LayerTrace.run(encoder, on: imageShape)
    let map = output.rank == 4 ? output : trace.lastImageShape ?? [1, 1, 1, output[-1]]
    let start: Shape = [map[1], map[2], map[3]]
    expand = Sequential(
      output.rank == 4
        ? []
        : (output[-1] == start.count ? [] : [Linear(output[-1], start.count, using: &generator)]) + [Unflatten(start)])

    let steps = Self.doublings(from: start, to: imageShape)
    var (channels, layers) = (start[2], [any Layer]())
    for step in 0..<steps {
      let outputs = min(channels, max(channels / 2, 8))
      layers += [
        ConvTranspose2d(
          channels, outputs, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, bias: false,
          initializer: .heNormal(), using: &generator),
        BatchNorm2d(outputs), ReLU(),
      ]
      let scale = 1 << (steps - 1 - step)
      layers.append(Crop((imageShape[0] - 1) / scale + 1, (imageShape[1] - 1) / scale + 1))
      channels = outputs
    }
    blocks = Sequential(layers)
    image = Sequential([
      Conv2d(channels, imageShape[2], kernelSize: 3, padding: 1, using: &generator),
      Crop(imageShape[0], imageShape[1]), Sigmoid(),
    ])
  }

  public func callAsFunction(_ features: Tensor) -> Tensor { image(blocks(expand(features))) }

  /// How often `start` must double to be no smaller than `end`.
  private static func doublings(from start: Shape, to end: Shape) -> Int {
    var (height, width, steps) = (start[0], start[1], 0)
    while height < end[0] || width < end[1] { (height, width, steps) = (height * 2, width * 2, steps + 1) }
    return steps
  }
}

/// The middle of an image, where it is larger than wanted.
public final class Crop: Layer {
  /// The height wanted.
  public let height: Int
  /// The width wanted.
  public let width: Int
  /// A layer that leaves alone what is no larger than `height` by `width`.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (h, w) = (min(height, x.shape[1]), min(width, x.shape[2]))
    if h == x.shape[1] && w == x.shape[2] { return reported(x) }
    let (top, left) = ((x.shape[1] - h) / 2, (x.shape[2] - w) / 2)
    return reported(x.sliced([0..<x.shape[0], top..<top + h, left..<left + w, 0..<x.shape[3]]))
  }
}
