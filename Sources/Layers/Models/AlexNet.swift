/// An AlexNet for 32 by 32 images: five convolutions and a linear layer, 2.47 M parameters.
///
/// Names and numbers are those of bearpaw/pytorch-classification. The stride of the first convolution is 4, and less for images
/// of less than 28 pixels, for a map of 8 by 8. Max-pools of maps of less than two pixels are left out; a last map of more than
/// one pixel is averaged.
///
/// Weights are initialised as by He et al.: without batch norm the signal vanishes with PyTorch's smaller ones, and the network
/// does not train.
///
/// Krizhevsky, Sutskever, Hinton: "ImageNet classification with deep convolutional neural networks", 2012.
public final class AlexNet: StagedClassifier {
  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "features.12"

  /// - Parameters:
  ///   - inputShape: `[height, width, channels]`, 8 to 224 pixels a side.
  ///   - widthMultiplier: Multiplies the number of channels.
  public init(
    classes: Int, inputShape: Shape = [32, 32, 3], widthMultiplier: Double = 1,
    using generator: inout some RandomNumberGenerator
  ) {
    requireImageShape("AlexNet", inputShape)
    func width(_ channels: Int) -> Int { scaledChannels(channels, by: widthMultiplier) }
    let smallest = min(inputShape[0], inputShape[1])
    let stride = max(1, min(4, (smallest + 4) / 8))
    var side = (smallest - 1) / stride + 1
    func pool() -> any Layer {
      defer { side = max(1, side / 2) }
      return side >= 2 ? MaxPool2d(2) : Identity()
    }
    let layers: [any Layer] = [
      Conv2d(
        inputShape[2], width(64), kernelSize: 11, stride: stride, padding: 5, initializer: .heNormal(),
        using: &generator),
      ReLU(), pool(),
      Conv2d(width(64), width(192), kernelSize: 5, padding: 2, initializer: .heNormal(), using: &generator), ReLU(),
      pool(),
      Conv2d(width(192), width(384), kernelSize: 3, padding: 1, initializer: .heNormal(), using: &generator), ReLU(),
      Conv2d(width(384), width(256), kernelSize: 3, padding: 1, initializer: .heNormal(), using: &generator), ReLU(),
      Conv2d(width(256), width(256), kernelSize: 3, padding: 1, initializer: .heNormal(), using: &generator), ReLU(),
      pool(),
    ]
    let linear = Linear(width(256), classes, using: &generator)
    stages =
      layers.enumerated().map { ("features.\($0)", $1) } + [("pool", GlobalAveragePool()), ("classifier", linear)]
  }
}
