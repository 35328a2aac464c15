/// The residual networks for CIFAR of depth 6n+2: ResNet20 has 0.27 M parameters, ResNet56 0.85 M.
///
/// Names and numbers are those of akamaster/pytorch_resnet_cifar10: `conv1`, `bn1`, `layer1.0.conv1`, …, `linear`.
///
/// He et al.: "Deep residual learning for image recognition", 2015, section 4.2.
public final class ResNet: StagedClassifier {
  /// The way around a block that changes the shape.
  public enum Shortcut: String, Sendable, Codable, CaseIterable {
    /// Every second pixel, and zeros for the new channels: the paper's option A, without parameters.
    case identity
    /// A convolution of one pixel and batch norm: option B.
    case projection
  }

  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "layer3"

  /// - Parameters:
  ///   - depth: 6n+2: 20, 32, 44, 56, 110, or 8 and 14.
  ///   - inputShape: `[height, width, channels]`, 8 to 224 pixels a side.
  ///   - widthMultiplier: Multiplies the number of channels, which are 16, 32 and 64.
  public init(
    depth: Int = 20, classes: Int, inputShape: Shape = [32, 32, 3], shortcut: Shortcut = .identity,
    widthMultiplier: Double = 1, using generator: inout some RandomNumberGenerator
  ) {
    require(depth >= 8 && (depth - 2) % 6 == 0, "ResNet: the depth \(depth) is not 6n+2")
    requireImageShape("ResNet", inputShape)
    let widths = [16, 32, 64].map { scaledChannels($0, by: widthMultiplier) }
    var stages: [(name: String, layer: any Layer)] = [
      (
        "conv1",
        Conv2d(
          inputShape[2], widths[0], kernelSize: 3, padding: 1, bias: false, initializer: .heNormal(), using: &generator)
      ),
      ("bn1", BatchNorm2d(widths[0])), ("relu", ReLU()),
    ]
    var inputs = widths[0]
    for (index, outputs) in widths.enumerated() {
      var blocks: [any Layer] = []
      for block in 0..<(depth - 2) / 6 {
        blocks.append(
          BasicBlock(
            inputs, outputs, stride: index > 0 && block == 0 ? 2 : 1, shortcut: shortcut, using: &generator))
        inputs = outputs
      }
      stages.append(("layer\(index + 1)", Sequential(blocks)))
    }
    stages += [
      ("pool", GlobalAveragePool()),
      ("linear", Linear(inputs, classes, initializer: .heNormal(), using: &generator)),
    ]
    self.stages = stages
  }
}

/// Two 3 by 3 convolutions with batch norm, and a way around them: `relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`.
public final class BasicBlock: Layer {
  /// The first convolution, which may have a stride.
  public let conv1: Conv2d
  /// The first batch norm.
  public let bn1: BatchNorm2d
  /// The second convolution.
  public let conv2: Conv2d
  /// The second batch norm.
  public let bn2: BatchNorm2d
  /// The way around the convolutions.
  public let shortcut: any Layer
  private let relu = ReLU()

  /// A block with random weights.
  public init(
    _ inputs: Int, _ outputs: Int, stride: Int = 1, shortcut: ResNet.Shortcut,
    using generator: inout some RandomNumberGenerator
  ) {
    conv1 = Conv2d(
      inputs, outputs, kernelSize: 3, stride: stride, padding: 1, bias: false, initializer: .heNormal(),
      using: &generator)
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(
      outputs, outputs, kernelSize: 3, padding: 1, bias: false, initializer: .heNormal(), using: &generator)
    bn2 = BatchNorm2d(outputs)
    if stride == 1 && inputs == outputs {
      self.shortcut = Identity()
    } else if shortcut == .identity {
      self.shortcut = SubsampledIdentity(inputs, outputs, stride: stride)
    } else {
      self.shortcut = Sequential([
        Conv2d(
          inputs, outputs, kernelSize: 1, stride: stride, bias: false, initializer: .heNormal(), using: &generator),
        BatchNorm2d(outputs),
      ])
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let inner = bn1(conv1(x), then: relu)
    return bn2(conv2(inner), adding: shortcut(x), then: relu)
  }
}

/// Every `stride`-th pixel, and zeros before and after the channels to make up their number: ResNet's option A.
public final class SubsampledIdentity: Layer {
  /// Pixels between those that are kept.
  public let stride: Int
  private let before: Int
  private let after: Int

  /// A layer without parameters.
  public init(_ inputs: Int, _ outputs: Int, stride: Int) {
    require(outputs >= inputs, "SubsampledIdentity: \(outputs) channels are fewer than \(inputs)")
    self.stride = stride
    before = (outputs - inputs) / 2
    after = outputs - inputs - before
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    // A pool of one pixel is a subsample.
    let picked = stride == 1 ? x : maxPool2d(x, size: 1, stride: stride, padding: 0)
    return reported(picked.padded([(0, 0), (0, 0), (0, 0), (before, after)]))
  }
}
