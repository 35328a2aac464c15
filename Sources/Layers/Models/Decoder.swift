/// Maps features of a classifier to images: the decoder of a Generalized Converting Autoencoder.
///
/// Every pixel depends on the whole image: features that are a map are first pooled or flattened to a vector, which a linear layer
/// expands to the first map. Blocks of 3 by 3 transposed convolution with stride 2, batch norm and ReLU double the size of the map
/// and halve its channels, down to 8; a 3 by 3 convolution and a sigmoid give the image, in 0...1.
///
/// A decoder without that vector cannot convert: transposed convolutions compute a corner of the output from a few cells of the
/// map, and a corner of an image does not determine its class.
///
/// The first map has the size of the encoder's last one, but at most 8 by 8, and as many channels. For ResNet20 the channels are
/// 64, 32, 16, 3; for VGG16 512, 256, 128, 64, 32, 16, 3. There are no skip connections, so all information passes through the
/// features.
public final class Decoder: Layer {
  /// The vector that the decoder begins with, where features are a map.
  public enum View: String, Sendable, Codable, Hashable, CaseIterable {
    /// The mean of each channel, for a head that begins with pooling.
    case pooled
    /// Every cell of every channel, of large maps the means of a grid, for any other head.
    case flattened
  }

  /// The layers from features to the first map.
  public let expand: Sequential
  /// The up-sampling blocks.
  public let blocks: Sequential
  /// The last convolution and the sigmoid.
  public let image: Sequential

  /// A decoder for the features of `model`, split at `split`, nil for the model's own ``SplitClassifier/features``.
  ///
  /// - Parameters:
  ///   - view: The vector of a map, nil for that of the model's head.
  ///   - imageShape: `[height, width, channels]` of the model's input.
  ///   - targetShape: `[height, width, channels]` of the decoder's output, nil for the input's.
  public convenience init(
    mirroring model: some SplitClassifier, at split: String? = nil, view: View? = nil, imageShape: Shape,
    targetShape: Shape? = nil, using generator: inout some RandomNumberGenerator
  ) {
    let (features, head) = split.map { model.split(at: $0) } ?? (model.features, model.classifier)
    self.init(
      encoder: features, view: view ?? .of(head, after: features, imageShape: imageShape), imageShape: imageShape,
      targetShape: targetShape, using: &generator)
  }

  /// A decoder for the features of `encoder`.
  ///
  /// - Parameters:
  ///   - view: The vector of a map; see ``View/of(_:after:imageShape:)``.
  ///   - imageShape: `[height, width, channels]` of the encoder's input.
  ///   - targetShape: `[height, width, channels]` of the decoder's output, nil for the input's.
  public init(
    encoder: any Layer, view: View, imageShape: Shape, targetShape: Shape? = nil,
    using generator: inout some RandomNumberGenerator
  ) {
    let target = targetShape ?? imageShape
    require(
      imageShape.rank == 3 && target.rank == 3,
      "Decoder: \(imageShape) and \(target) are not both [height, width, channels]")
    let (trace, output) = LayerTrace.run(encoder, on: imageShape)
    let map = output.rank == 4 ? output : trace.lastImageShape ?? [1, 1, 1, output[-1]]
    let (doublings, size) = Self.firstMap(for: target, encoder: map)
    let (vector, inputs) = Self.vector(of: output, view)
    // A linear layer of more than 16 million weights would outweigh the encoder: the map then has fewer channels.
    let maxChannels = max(8, (1 << 24) / (inputs * size[0] * size[1]))
    let start: Shape = [size[0], size[1], min(map[3], maxChannels)]
    expand = Sequential(vector + [Linear(inputs, start.count, using: &generator), Unflatten(start)])

    var (channels, layers) = (start[2], [any Layer]())
    for step in 0..<doublings {
      let outputs = min(channels, max(channels / 2, 8))
      layers += [
        ConvTranspose2d(
          channels, outputs, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, bias: false,
          initializer: .heNormal(), using: &generator),
        BatchNorm2d(outputs), ReLU(),
      ]
      let scale = 1 << (doublings - 1 - step)
      layers.append(Crop((target[0] - 1) / scale + 1, (target[1] - 1) / scale + 1))
      channels = outputs
    }
    blocks = Sequential(layers)
    image = Sequential([Conv2d(channels, target[2], kernelSize: 3, padding: 1, using: &generator), Sigmoid()])
  }

  public func callAsFunction(_ features: Tensor) -> Tensor { image(blocks(expand(features))) }

  /// Layers from features to a vector, and its size.
  private static func vector(of features: Shape, _ view: View) -> (layers: [any Layer], count: Int) {
    guard features.rank == 4 else { return ([], features[-1]) }
    let (height, width, channels) = (features[1], features[2], features[3])
    guard view == .flattened else { return ([GlobalAveragePool()], channels) }
    // At most 4,096 numbers, except for very many channels.
    var side = 8
    while side > 1, min(side, height) * min(side, width) * channels > 4096 { side -= 1 }
    let (h, w) = (min(side, height), min(side, width))
    let resize: [any Layer] = (h, w) == (height, width) ? [] : [Resize(height: h, width: w)]
    return (resize + [Flatten()], h * w * channels)
  }

  /// The number of doublings of the first map, and its size: at most 8 by 8, and at most the encoder's.
  private static func firstMap(for target: Shape, encoder map: Shape) -> (doublings: Int, size: [Int]) {
    var doublings = 0
    func size(_ axis: Int) -> Int { ((target[axis] - 1) >> doublings) + 1 }
    while (0...1).contains(where: { size($0) > max(1, min(8, map[$0 + 1])) }) { doublings += 1 }
    return (doublings, [size(0), size(1)])
  }
}

extension Decoder.View {
  /// The view of `head`: ``pooled`` where it begins with global pooling, else ``flattened``.
  public static func of(_ head: any Layer, after features: any Layer, imageShape: Shape) -> Decoder.View {
    let (_, map) = LayerTrace.run(features, on: imageShape)
    guard map.rank == 4 else { return .pooled }
    let (trace, _) = LayerTrace.run(head, on: Shape(Array(map.dimensions.dropFirst())))
    return trace.events.first?.type == "\(GlobalAveragePool.self)" ? .pooled : .flattened
  }
}

/// Resizes images; see ``resized2d(_:height:width:interpolation:)``.
public final class Resize: Layer {
  /// The height of an output.
  public let height: Int
  /// The width of an output.
  public let width: Int
  /// Nil for by area where an axis shrinks, and bilinear where it grows.
  public let interpolation: Interpolation?
  /// A layer without parameters.
  public init(height: Int, width: Int, interpolation: Interpolation? = nil) {
    (self.height, self.width, self.interpolation) = (height, width, interpolation)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(resized2d(x, height: height, width: width, interpolation: interpolation), of: x)
  }
}

/// Crops the centre of images that are larger than `height` by `width`.
public final class Crop: Layer {
  /// The maximum height of an output.
  public let height: Int
  /// The maximum width of an output.
  public let width: Int
  /// A layer that leaves images of at most `height` by `width` unchanged.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (h, w) = (min(height, x.shape[1]), min(width, x.shape[2]))
    if h == x.shape[1] && w == x.shape[2] { return reported(x, of: x) }
    let (top, left) = ((x.shape[1] - h) / 2, (x.shape[2] - w) / 2)
    return reported(x.sliced([0..<x.shape[0], top..<top + h, left..<left + w, 0..<x.shape[3]]), of: x)
  }
}
