/// One of the library's models by its name, as a command line or a configuration says it.
///
/// `resnet18`, `resnet34` and `resnet50` are torchvision's networks for ImageNet, ``ImageNetResNet``. A ResNet of any other depth is one of
/// those for CIFAR, ``ResNet``, whose depth is 6n+2; of depth 50 there are both, and that for CIFAR is `resnet50-cifar`.
public struct ModelChoice: Sendable, Codable, Hashable, CustomStringConvertible {
  /// `resnet20` or another depth of 6n+2, `resnet50-cifar`, `resnet18`, `resnet34`, `resnet50`, `mobilenetv2`, `vgg16`,
  /// `alexnet`, `lenet5`.
  public var name: String
  /// The shortcuts of a ResNet for CIFAR; those for ImageNet have projections.
  public var shortcut: ResNet.Shortcut
  /// Multiplies the number of channels; LeNet5 has none to multiply.
  public var widthMultiplier: Double
  /// The variation of its blocks.
  public var variation = BlockVariation.plain

  /// The names that can be written.
  public static let forms =
    "resnet20 (or another depth of 6n+2, for small images), resnet18, resnet34 or resnet50 (ImageNet's), mobilenetv2, vgg16, alexnet or lenet5"
  /// A deeper network is taken for a typing error.
  private static let deepest = 1202

  /// A choice, checked by ``make(classes:inputShape:using:)``.
  public init(
    _ name: String, shortcut: ResNet.Shortcut = .identity, widthMultiplier: Double = 1,
    variation: BlockVariation = .plain
  ) {
    (self.name, self.shortcut, self.widthMultiplier) = (name.lowercased(), shortcut, widthMultiplier)
    self.variation = variation
  }

  /// A choice written before there were variations has none.
  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try values.decode(String.self, forKey: .name),
      shortcut: try values.decode(ResNet.Shortcut.self, forKey: .shortcut),
      widthMultiplier: try values.decode(Double.self, forKey: .widthMultiplier),
      variation: try values.decodeIfPresent(BlockVariation.self, forKey: .variation) ?? .plain)
  }

  public var description: String { name }

  /// The networks that are no ResNets.
  private static let otherNames = ["mobilenetv2", "vgg16", "alexnet", "lenet5"]
  private static let imageNetNames = ImageNetResNet.Depth.allCases.map { "resnet\($0.rawValue)" }
  private static let cifarEnding = "-cifar"

  /// The depth of a ResNet for ImageNet, nil for another name.
  private var imageNetDepth: ImageNetResNet.Depth? {
    Self.imageNetNames.contains(name) ? ImageNetResNet.Depth(rawValue: Int(name.dropFirst(6))!) : nil
  }

  /// The depth of a ResNet for CIFAR, nil for another name.
  private var depth: Int? {
    guard name.hasPrefix("resnet"), imageNetDepth == nil else { return nil }
    return Int((name.hasSuffix(Self.cifarEnding) ? name.dropLast(Self.cifarEnding.count) : name[...]).dropFirst(6))
  }

  /// Whether this ResNet is deeper than those that learn at the usual rate.
  var isVeryDeep: Bool { depth ?? 0 > 56 }

  /// The side of the images that the network was made for, in pixels.
  var usualSide: Int { imageNetDepth == nil ? 32 : 224 }

  /// A warning where the network was made for images far larger than `[height, width, channels]`; nil for none.
  ///
  /// Versions before 0.2 called CIFAR's network of depth 50 `resnet50`.
  package func sizeWarning(_ shape: Shape) -> String? {
    guard imageNetDepth != nil, max(shape[0], shape[1]) < 64 else { return nil }
    let other =
      name == "resnet50" ? "resnet50-cifar, which 'resnet50' was before version 0.2, is" : "resnet20 and its like are"
    return
      "\(name) is the network for ImageNet, which begins with a stride of 4: \(other) for images of \(shape[1]) by \(shape[0]) pixels"
  }

  /// Whether the network has shortcuts to choose.
  package var hasShortcuts: Bool { depth != nil }

  /// This choice with the name that its network has now, for one of a version in which `resnet50` was that for CIFAR.
  ///
  /// - Parameter names: Those of the network's tensors.
  func renamed(forTensors names: some Sequence<String>) -> ModelChoice {
    guard name == "resnet50", names.contains(where: { $0 == "linear.weight" }) else { return self }
    var choice = self
    choice.name += Self.cifarEnding
    return choice
  }

  /// The choices of width 1 whose network has exactly the names and shapes of `state`.
  public static func fitting(_ state: StateDictionary, classes: Int, inputShape: Shape) -> [ModelChoice] {
    all(classes: classes, inputShape: inputShape) { StateFit(of: state, to: $0).isExact }
  }

  /// The choices of width 1 whose network has exactly the names and shapes of some weights in `file`.
  public static func fitting(
    _ file: WeightsFile, at path: String? = nil, renaming: [Renaming] = [], classes: Int, inputShape: Shape
  ) -> [ModelChoice] {
    all(classes: classes, inputShape: inputShape) {
      (try? file.fitted(to: $0, at: path, renaming: renaming))?.fit.isComplete == true
    }
  }

  private static func all(
    classes: Int, inputShape: Shape, where fits: (ChosenModel) -> Bool
  ) -> [ModelChoice] {
    let resnets = [8, 14, 20, 26, 32, 38, 44, 50, 56, 110].flatMap { depth in
      ResNet.Shortcut.allCases.map { ModelChoice("resnet\(depth)\(depth == 50 ? cifarEnding : "")", shortcut: $0) }
    }
    let others = (otherNames + imageNetNames).map { ModelChoice($0) }
    return (resnets + others).filter { choice in
      var generator = SplittableGenerator(seed: 0)
      guard let network = try? choice.make(classes: classes, inputShape: inputShape, using: &generator) else {
        return false
      }
      return fits(network)
    }
  }

  /// The kind of network: "resnet" for every depth.
  package var family: String { name.hasPrefix("resnet") ? "resnet" : name }

  /// Checks the name and the width.
  public func check() throws(ExperimentError) {
    let isNamed = Self.otherNames.contains(name)
    guard isNamed || name.hasPrefix("resnet") else {
      throw ExperimentError("there is no model '\(name)': choose \(Self.forms)")
    }
    if !isNamed, imageNetDepth == nil {
      guard let depth, depth >= 8, depth <= Self.deepest, (depth - 2) % 6 == 0 else {
        throw ExperimentError(
          "'\(name)': the depth of a ResNet is 6n+2, such as 8, 14, 20, 32, 44, 56 or 110, or 18, 34 or 50 as for ImageNet"
        )
      }
    }
    guard variation != .asymmetricBranches || imageNetDepth == nil else {
      throw ExperimentError("\(name) has no form with asymmetric branches: choose one of depth 6n+2, such as resnet20")
    }
    guard variation == .plain || name == "vgg16" || name.hasPrefix("resnet") else {
      throw ExperimentError("\(name) has no blocks to vary: only the ResNets and vgg16 have")
    }
    guard widthMultiplier >= 0.05, widthMultiplier <= 4 else {
      throw ExperimentError("the width \(widthMultiplier) is not in 0.05...4")
    }
  }

  /// The model with random weights.
  ///
  /// - Parameter inputShape: `[height, width, channels]`.
  /// - Throws: For a name that is none, and images too small or too large for the model.
  public func make(
    classes: Int, inputShape: Shape, using generator: inout some RandomNumberGenerator
  ) throws(ExperimentError) -> ChosenModel {
    try check(inputShape: inputShape)
    let (shape, width) = (inputShape, widthMultiplier)
    let model: any StagedClassifier =
      switch (name, imageNetDepth) {
      case ("vgg16", _):
        VGG16(classes: classes, inputShape: shape, widthMultiplier: width, variation: variation, using: &generator)
      case ("mobilenetv2", _):
        MobileNetV2(classes: classes, inputShape: shape, widthMultiplier: width, using: &generator)
      case ("alexnet", _): AlexNet(classes: classes, inputShape: shape, widthMultiplier: width, using: &generator)
      case ("lenet5", _): LeNet5(classes: classes, inputShape: shape, using: &generator)
      case (_, let depth?):
        ImageNetResNet(
          depth: depth, classes: classes, inputShape: shape, widthMultiplier: width, variation: variation,
          using: &generator)
      default:
        ResNet(
          depth: depth!, classes: classes, inputShape: shape, shortcut: shortcut, widthMultiplier: width,
          variation: variation, using: &generator)
      }
    return ChosenModel(model)
  }

  /// Checks that the model takes images of that shape.
  public func check(inputShape: Shape) throws(ExperimentError) {
    try check()
    let (height, width) = (inputShape[0], inputShape[1])
    guard min(height, width) >= 8 else {
      throw ExperimentError(
        "\(name) is too deep for images of \(width) by \(height) pixels: it needs at least 8 by 8, "
          + "use larger images or a model of your own")
    }
    guard max(height, width) <= 224 else {
      throw ExperimentError(
        "images of \(width) by \(height) pixels are too large for \(name): scale them to at most 224")
    }
  }
}

/// A model of whichever kind was chosen by name.
public final class ChosenModel: StagedClassifier {
  public let stages: [(name: String, layer: any Layer)]
  public let defaultSplit: String

  /// The model's own stages, under their own names.
  public init(_ model: some StagedClassifier) { (stages, defaultSplit) = (model.stages, model.defaultSplit) }
}
