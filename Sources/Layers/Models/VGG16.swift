/// The VGG16 with batch norm that is common for CIFAR: 13 convolutions, one linear layer, 14.73 M parameters, 313 M MACs.
///
/// Names and numbers are those of kuangliu/pytorch-cifar: convolutions have biases, `features.0.weight` …
/// `features.41.bias`, `classifier.weight`. Max-pools of maps less than two pixels high or wide are left out, so 8 by 8 images
/// work; a last map of more than one pixel is averaged.
///
/// Simonyan, Zisserman: "Very deep convolutional networks for large-scale image recognition", 2015.
public final class VGG16: StagedClassifier {
  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit: String

  /// - Parameters:
  ///   - inputShape: `[height, width, channels]`, 8 to 224 pixels a side.
  ///   - widthMultiplier: Multiplies the number of channels.
  ///   - variation: Attention before each pool, or branches of each convolution.
  public init(
    classes: Int, inputShape: Shape = [32, 32, 3], widthMultiplier: Double = 1, variation: BlockVariation = .plain,
    using generator: inout some RandomNumberGenerator
  ) {
    requireImageShape("VGG16", inputShape)
    var layers: [any Layer] = []
    var (channels, side) = (inputShape[2], min(inputShape[0], inputShape[1]))
    for (width, depth) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
      for _ in 0..<depth {
        let outputs = scaledChannels(width, by: widthMultiplier)
        layers +=
          variation == .asymmetricBranches
          ? [AsymmetricConv2d(channels, outputs, using: &generator), Identity(), ReLU()]
          : [Conv2d(channels, outputs, kernelSize: 3, padding: 1, using: &generator), BatchNorm2d(outputs), ReLU()]
        channels = outputs
      }
      // An identity instead of a pool, for the numbering of the layers after it.
      let pool: any Layer = side >= 2 ? MaxPool2d(2) : Identity()
      layers.append(variation.attention(channels, using: &generator).map { Sequential([$0, pool]) } ?? pool)
      side = max(1, side / 2)
    }
    let linear = Linear(channels, classes, using: &generator)
    defaultSplit = "features.\(layers.count - 1)"
    stages =
      layers.enumerated().map { ("features.\($0)", $1) } + [("pool", GlobalAveragePool()), ("classifier", linear)]
  }
}
