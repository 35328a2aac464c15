/// The residual networks for ImageNet: ResNet18 and 34 of basic blocks, ResNet50 of bottlenecks, with 11.7, 21.8 and 25.6 M parameters.
///
/// Names and numbers are torchvision's: `conv1`, `bn1`, `layer1.0.conv1`, `layer2.0.downsample.0`, …, `fc`. A convolution of 7 by 7 and a
/// max-pool reduce the image to a quarter of its sides before the first block, so a map of 32 by 32 pixels ends as a single one: for
/// such images there is ``ResNet``.
///
/// He et al.: "Deep residual learning for image recognition", 2015, table 1; bottlenecks have their stride in the 3 by 3 convolution
/// (Goyal et al.: "Accurate, large minibatch SGD", 2017), as torchvision's.
public final class ImageNetResNet: StagedClassifier {
  /// The depths that there are.
  public enum Depth: Int, Sendable, CaseIterable {
    /// Eight basic blocks.
    case eighteen = 18
    /// Sixteen basic blocks.
    case thirtyFour = 34
    /// Sixteen bottlenecks.
    case fifty = 50

    /// The number of blocks of each stage.
    var blockCounts: [Int] { self == .eighteen ? [2, 2, 2, 2] : [3, 4, 6, 3] }
    /// Whether blocks are bottlenecks.
    var hasBottlenecks: Bool { self == .fifty }
  }

  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "layer4"

  /// - Parameters:
  ///   - inputShape: `[height, width, channels]`, 8 pixels a side or more.
  ///   - widthMultiplier: Multiplies the number of channels, which are 64, 128, 256 and 512; those of a bottleneck's output are 4 times as
  ///     many.
  ///   - variation: Attention in each block; branches there are none.
  public init(
    depth: Depth = .eighteen, classes: Int, inputShape: Shape = [224, 224, 3], widthMultiplier: Double = 1,
    variation: BlockVariation = .plain, using generator: inout some RandomNumberGenerator
  ) {
    requireImageShape("ImageNetResNet", inputShape)
    require(variation != .asymmetricBranches, "ImageNetResNet: there is no form of it with asymmetric branches")
    let widths = [64, 128, 256, 512].map { scaledChannels($0, by: widthMultiplier) }
    var stages: [(name: String, layer: any Layer)] = [
      (
        "conv1",
        Conv2d(
          inputShape[2], widths[0], kernelSize: 7, stride: 2, padding: 3, bias: false, initializer: .heNormal(),
          using: &generator)
      ),
      ("bn1", BatchNorm2d(widths[0])), ("relu", ReLU()), ("maxpool", MaxPool2d(3, stride: 2, padding: 1)),
    ]
    var inputs = widths[0]
    for (index, (width, count)) in zip(widths, depth.blockCounts).enumerated() {
      var blocks: [any Layer] = []
      for block in 0..<count {
        let stride = index > 0 && block == 0 ? 2 : 1
        if depth.hasBottlenecks {
          blocks.append(BottleneckBlock(inputs, width, stride: stride, variation: variation, using: &generator))
          inputs = width * BottleneckBlock.expansion
        } else {
          blocks.append(
            BasicBlock(
              inputs, width, stride: stride, shortcut: .projection, shortcutName: "downsample", variation: variation,
              using: &generator))
          inputs = width
        }
      }
      stages.append(("layer\(index + 1)", Sequential(blocks)))
    }
    self.stages = stages + [("avgpool", GlobalAveragePool()), ("fc", Linear(inputs, classes, using: &generator))]
  }
}

/// A 1 by 1 convolution to fewer channels, one of 3 by 3, and a 1 by 1 convolution to ``expansion`` times as many, each with batch norm,
/// and a shortcut.
///
/// Attention, where there is any, is applied before the sum.
public final class BottleneckBlock: Layer {
  /// The outputs for each channel of the 3 by 3 convolution.
  public static let expansion = 4
  /// The convolution to fewer channels.
  public let conv1: Conv2d
  /// The first batch norm.
  public let bn1: BatchNorm2d
  /// The convolution of 3 by 3, which may have a stride.
  public let conv2: Conv2d
  /// The second batch norm.
  public let bn2: BatchNorm2d
  /// The convolution to more channels.
  public let conv3: Conv2d
  /// The third batch norm.
  public let bn3: BatchNorm2d
  /// The attention after the convolutions, nil for none.
  public let attention: (any Layer)?
  /// The shortcut: a projection where the shape changes.
  public let downsample: any Layer
  private let relu = ReLU()

  /// A block with random weights, `[batch, height, width, inputs]` to `[batch, height / stride, width / stride, 4 width]`.
  public init(
    _ inputs: Int, _ width: Int, stride: Int = 1, variation: BlockVariation = .plain,
    using generator: inout some RandomNumberGenerator
  ) {
    let outputs = width * Self.expansion
    conv1 = Conv2d(inputs, width, kernelSize: 1, bias: false, initializer: .heNormal(), using: &generator)
    bn1 = BatchNorm2d(width)
    conv2 = Conv2d(
      width, width, kernelSize: 3, stride: stride, padding: 1, bias: false, initializer: .heNormal(), using: &generator)
    bn2 = BatchNorm2d(width)
    conv3 = Conv2d(width, outputs, kernelSize: 1, bias: false, initializer: .heNormal(), using: &generator)
    bn3 = BatchNorm2d(outputs)
    attention = variation.attention(outputs, using: &generator)
    downsample = ResNet.Shortcut.projection.layer(inputs, outputs, stride: stride, using: &generator)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    // The shortcut first, as in a ``BasicBlock``.
    let residual = downsample(x)
    let inner = bn2(conv2(bn1(conv1(x), then: relu)), then: relu)
    guard let attention else { return bn3(conv3(inner), adding: residual, then: relu) }
    return relu(attention(bn3(conv3(inner))) + residual)
  }
}
