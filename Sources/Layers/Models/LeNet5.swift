/// LeNet-5 with ReLU and max-pooling: two convolutions and three linear layers, 61,706 parameters for one channel.
///
/// Takes 32 by 32 images as they are; smaller ones are padded by 2 at the first convolution, as is usual for MNIST, and a
/// second convolution that would not fit is padded as well. Names: `conv1`, `conv2`, `fc1`, `fc2`, `fc3`.
///
/// Weights are initialised as by He et al.: without batch norm the signal vanishes with PyTorch's smaller ones.
///
/// LeCun et al.: "Gradient-based learning applied to document recognition", 1998.
public final class LeNet5: StagedClassifier {
  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "pool2"

  /// - Parameter inputShape: `[height, width, channels]`, 8 to 224 pixels a side.
  public init(
    classes: Int, inputShape: Shape = [28, 28, 1], using generator: inout some RandomNumberGenerator
  ) {
    requireImageShape("LeNet5", inputShape)
    let smallest = min(inputShape[0], inputShape[1])
    let firstPadding = smallest < 32 ? 2 : 0
    let afterFirst = (smallest + 2 * firstPadding - 4) / 2
    let secondPadding = afterFirst < 6 ? 2 : 0
    func side(_ size: Int) -> Int { ((size + 2 * firstPadding - 4) / 2 + 2 * secondPadding - 4) / 2 }
    let flat = side(inputShape[0]) * side(inputShape[1]) * 16
    stages = [
      (
        "conv1",
        Conv2d(inputShape[2], 6, kernelSize: 5, padding: firstPadding, initializer: .heNormal(), using: &generator)
      ),
      ("relu1", ReLU()), ("pool1", MaxPool2d(2)),
      ("conv2", Conv2d(6, 16, kernelSize: 5, padding: secondPadding, initializer: .heNormal(), using: &generator)),
      ("relu2", ReLU()), ("pool2", MaxPool2d(2)), ("flatten", Flatten()),
      ("fc1", Linear(flat, 120, initializer: .heNormal(), using: &generator)), ("relu3", ReLU()),
      ("fc2", Linear(120, 84, initializer: .heNormal(), using: &generator)), ("relu4", ReLU()),
      ("fc3", Linear(84, classes, using: &generator)),
    ]
  }
}
