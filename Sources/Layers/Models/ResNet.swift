/// The residual networks for CIFAR of depth 6n+2: ResNet20 has 0.27 M parameters, ResNet56 0.85 M.
///
/// Those for ImageNet, ResNet18, 34 and 50, are ``ImageNetResNet``.
///
/// Names and numbers are those of akamaster/pytorch_resnet_cifar10: `conv1`, `bn1`, `layer1.0.conv1`, …, `linear`.
///
/// He et al.: "Deep residual learning for image recognition", 2015, section 4.2.
public final class ResNet: StagedClassifier {
  /// The shortcut of a block that changes the shape.
  public enum Shortcut: String, Sendable, Codable, CaseIterable {
    /// Subsampling, and zeros for the new channels: the paper's option A, without parameters.
    case identity
    /// A 1 by 1 convolution and batch norm: option B.
    case projection
  }

  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "layer3"

  /// - Parameters:
  ///   - depth: 6n+2: 20, 32, 44, 56, 110, or 8 and 14.
  ///   - inputShape: `[height, width, channels]`, 8 to 224 pixels a side.
  ///   - widthMultiplier: Multiplies the number of channels, which are 16, 32 and 64.
  ///   - variation: Attention or branches in each block.
  public init(
    depth: Int = 20, classes: Int, inputShape: Shape = [32, 32, 3], shortcut: Shortcut = .identity,
    widthMultiplier: Double = 1, variation: BlockVariation = .plain, using generator: inout some RandomNumberGenerator
  ) {
    require(depth >= 8 && (depth - 2) % 6 == 0, "ResNet: the depth \(depth) is not 6n+2")
    requireImageShape("ResNet", inputShape)
    let widths = [16, 32, 64].map { scaledChannels($0, by: widthMultiplier) }
    let isBranched = variation == .asymmetricBranches
    let conv1: any Layer =
      isBranched
      ? AsymmetricConv2d(inputShape[2], widths[0], initializer: .heNormal(), using: &generator)
      : Conv2d(
        inputShape[2], widths[0], kernelSize: 3, padding: 1, bias: false, initializer: .heNormal(), using: &generator)
    var stages: [(name: String, layer: any Layer)] = [
      ("conv1", conv1), ("bn1", isBranched ? Identity() : BatchNorm2d(widths[0])), ("relu", ReLU()),
    ]
    var inputs = widths[0]
    for (index, outputs) in widths.enumerated() {
      var blocks: [any Layer] = []
      for block in 0..<(depth - 2) / 6 {
        let stride = index > 0 && block == 0 ? 2 : 1
        blocks.append(
          isBranched
            ? BranchedBlock(inputs, outputs, stride: stride, shortcut: shortcut, using: &generator)
            : BasicBlock(
              inputs, outputs, stride: stride, shortcut: shortcut, variation: variation, using: &generator))
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

/// Two 3 by 3 convolutions with batch norm and a shortcut: `relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`.
///
/// Attention, where there is any, is applied before the sum.
public final class BasicBlock: Layer {
  /// The first convolution, which may have a stride.
  public let conv1: Conv2d
  /// The first batch norm.
  public let bn1: BatchNorm2d
  /// The second convolution.
  public let conv2: Conv2d
  /// The second batch norm.
  public let bn2: BatchNorm2d
  /// The attention after the convolutions, nil for none.
  public let attention: (any Layer)?
  /// The shortcut.
  public let shortcut: any Layer
  private let shortcutName: String
  private let relu = ReLU()

  /// A block with random weights.
  ///
  /// - Parameter shortcutName: The shortcut's name in the state: torchvision's is `downsample`.
  public init(
    _ inputs: Int, _ outputs: Int, stride: Int = 1, shortcut: ResNet.Shortcut, shortcutName: String = "shortcut",
    variation: BlockVariation = .plain, using generator: inout some RandomNumberGenerator
  ) {
    self.shortcutName = shortcutName
    conv1 = Conv2d(
      inputs, outputs, kernelSize: 3, stride: stride, padding: 1, bias: false, initializer: .heNormal(),
      using: &generator)
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(
      outputs, outputs, kernelSize: 3, padding: 1, bias: false, initializer: .heNormal(), using: &generator)
    bn2 = BatchNorm2d(outputs)
    attention = variation.attention(outputs, using: &generator)
    self.shortcut = shortcut.layer(inputs, outputs, stride: stride, using: &generator)
  }

  public var parts: [(name: String, part: Any)] {
    let inner: [(name: String, part: Any)] = [("conv1", conv1), ("bn1", bn1), ("conv2", conv2), ("bn2", bn2)]
    return inner + (attention.map { [("attention", $0)] } ?? []) + [(shortcutName, shortcut), ("relu", relu)]
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    // The shortcut first: its gradient is then computed last, and adds its few pixels to the accumulated gradient in place.
    let residual = shortcut(x)
    let inner = bn1(conv1(x), then: relu)
    guard let attention else { return bn2(conv2(inner), adding: residual, then: relu) }
    return relu(attention(bn2(conv2(inner))) + residual)
  }
}

/// A ``BasicBlock`` whose convolutions have branches.
final class BranchedBlock: Layer {
  let conv1: AsymmetricConv2d
  let conv2: AsymmetricConv2d
  let shortcut: any Layer

  init(
    _ inputs: Int, _ outputs: Int, stride: Int, shortcut: ResNet.Shortcut,
    using generator: inout some RandomNumberGenerator
  ) {
    conv1 = AsymmetricConv2d(inputs, outputs, stride: stride, initializer: .heNormal(), using: &generator)
    conv2 = AsymmetricConv2d(outputs, outputs, initializer: .heNormal(), using: &generator)
    self.shortcut = shortcut.layer(inputs, outputs, stride: stride, using: &generator)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { relu(conv2(relu(conv1(x))) + shortcut(x)) }
}

extension ResNet.Shortcut {
  /// The shortcut layer.
  func layer(
    _ inputs: Int, _ outputs: Int, stride: Int, using generator: inout some RandomNumberGenerator
  ) -> any Layer {
    if stride == 1 && inputs == outputs { return Identity() }
    guard self == .projection else { return SubsampledIdentity(inputs, outputs, stride: stride) }
    return Sequential([
      Conv2d(
        inputs, outputs, kernelSize: 1, stride: stride, bias: false, initializer: .heNormal(), using: &generator),
      BatchNorm2d(outputs),
    ])
  }
}

/// Every `stride`-th pixel, with channels of zeros before and after: ResNet's option A.
public final class SubsampledIdentity: Layer {
  /// The stride of subsampling.
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
    reported(subsampled2d(x, stride: stride, channelMargins: (before, after)), of: x)
  }
}
