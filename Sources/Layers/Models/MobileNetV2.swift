/// MobileNetV2: inverted residuals, whose convolutions of 3 by 3 are depthwise; 3.5 M parameters with 1,000 classes.
///
/// Names and numbers are torchvision's: `features.0.0`, `features.1.conv.0.0`, …, `features.18.1`, `classifier.1`. For images of 224
/// by 224 it has torchvision's strides, which halve the sides five times. Of smaller images little would be left: the first strides are
/// 1 instead, so that sides are halved four times below 128 pixels and three times below 64, as in kuangliu/pytorch-cifar. The
/// weights are the same for every size.
///
/// Sandler et al.: "MobileNetV2: Inverted residuals and linear bottlenecks", 2018, table 2.
public final class MobileNetV2: StagedClassifier {
  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit = "features.18"

  /// The expansion of a stage's blocks, their channels and number, and the stride of the first.
  private static let table: [(expansion: Int, channels: Int, count: Int, stride: Int)] = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
    (6, 160, 3, 2), (6, 320, 1, 1),
  ]

  /// - Parameters:
  ///   - inputShape: `[height, width, channels]`, 8 pixels a side or more.
  ///   - widthMultiplier: Multiplies the number of channels, which are then rounded to multiples of 8 as torchvision's; the 1,280 of the
  ///     last map are never fewer.
  ///   - halvings: How many times the sides are halved, 0 to 5; nil for what suits the size of the images.
  public init(
    classes: Int, inputShape: Shape = [32, 32, 3], widthMultiplier: Double = 1, halvings: Int? = nil,
    using generator: inout some RandomNumberGenerator
  ) {
    requireImageShape("MobileNetV2", inputShape)
    let side = min(inputShape[0], inputShape[1])
    // Of five strides of 2 these, the first, are 1.
    var left = 5 - (halvings ?? (side < 64 ? 3 : side < 128 ? 4 : 5))
    require(0...5 ~= left, "MobileNetV2: sides cannot be halved \(5 - left) times, only 0 to 5")
    func taken(_ stride: Int) -> Int {
      guard stride == 2, left > 0 else { return stride }
      left -= 1
      return 1
    }
    var channels = Self.scaled(32, by: widthMultiplier)
    var layers: [any Layer] = [
      Self.convolution(inputShape[2], channels, kernelSize: 3, stride: taken(2), using: &generator)
    ]
    for stage in Self.table {
      let outputs = Self.scaled(stage.channels, by: widthMultiplier)
      for block in 0..<stage.count {
        layers.append(
          InvertedResidual(
            channels, outputs, expansion: stage.expansion, stride: block == 0 ? taken(stage.stride) : 1,
            using: &generator))
        channels = outputs
      }
    }
    let features = Self.scaled(1280, by: max(1, widthMultiplier))
    layers.append(Self.convolution(channels, features, kernelSize: 1, using: &generator))
    let linear = Linear(features, classes, initializer: .normal(std: 0.01), using: &generator)
    linear.bias?.wrappedValue = .zeros([classes])
    stages =
      layers.enumerated().map { ("features.\($0)", $1) } + [
        ("pool", GlobalAveragePool()), ("classifier", Sequential([Dropout(0.2, using: &generator), linear])),
      ]
  }

  /// `channels` times `multiplier`, rounded to a multiple of 8, and up where a tenth would be lost.
  private static func scaled(_ channels: Int, by multiplier: Double) -> Int {
    let exact = Double(channels) * multiplier
    let rounded = max(8, Int(exact + 4) / 8 * 8)
    return Double(rounded) < 0.9 * exact ? rounded + 8 : rounded
  }

  /// A convolution with batch norm and ReLU6.
  fileprivate static func convolution(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, groups: Int = 1,
    using generator: inout some RandomNumberGenerator
  ) -> Sequential {
    Sequential([
      Conv2d(
        inputs, outputs, kernelSize: kernelSize, stride: stride, padding: kernelSize / 2, groups: groups, bias: false,
        initializer: .heNormal(fan: .out), using: &generator), BatchNorm2d(outputs), ReLU6(),
    ])
  }
}

/// A 1 by 1 convolution to more channels, a depthwise one of 3 by 3, and a 1 by 1 convolution to fewer; the first two with batch norm and
/// ReLU6, the last with batch norm alone. The input is added where the shape stays.
public final class InvertedResidual: Layer {
  /// The convolutions: as many as torchvision's, which leaves out the first where it would expand to the same number of channels.
  public let conv: Sequential
  /// Whether the input is added.
  public let addsInput: Bool

  /// A block with random weights.
  ///
  /// - Parameter expansion: The channels of the depthwise convolution for each input channel.
  public init(
    _ inputs: Int, _ outputs: Int, expansion: Int, stride: Int = 1, using generator: inout some RandomNumberGenerator
  ) {
    let hidden = inputs * expansion
    var layers: [any Layer] =
      expansion == 1 ? [] : [MobileNetV2.convolution(inputs, hidden, kernelSize: 1, using: &generator)]
    layers += [
      MobileNetV2.convolution(hidden, hidden, kernelSize: 3, stride: stride, groups: hidden, using: &generator),
      Conv2d(hidden, outputs, kernelSize: 1, bias: false, initializer: .heNormal(fan: .out), using: &generator),
      BatchNorm2d(outputs),
    ]
    conv = Sequential(layers)
    addsInput = stride == 1 && inputs == outputs
  }

  public var parts: [(name: String, part: Any)] { [("conv", conv)] }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard addsInput else { return conv(x) }
    let inner = applied(Array(conv.layers.dropLast()), to: x)
    return projection.norm(inner, adding: x, then: nil)
  }

  /// The convolutions with ReLU6.
  var convolutions: [(Conv2d, BatchNorm2d)] {
    conv.layers.dropLast(2).map { layer in
      let part = layer as! Sequential
      return (part[0] as! Conv2d, part[1] as! BatchNorm2d)
    }
  }

  /// The last convolution.
  var projection: (convolution: Conv2d, norm: BatchNorm2d) {
    (conv[conv.count - 2] as! Conv2d, conv[conv.count - 1] as! BatchNorm2d)
  }
}
