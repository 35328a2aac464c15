import Synchronization
import Tensors

extension BatchNorm2d {
  /// Folds this norm in evaluation mode into the convolution before it: `γ (w ∗ x + b - μ) / σ + β`.
  ///
  /// - Parameters:
  ///   - weight: `[kernel height, kernel width, inputs, channels]`, or any other shape whose last axis is the channels.
  ///   - bias: `[channels]`, nil for none.
  /// - Returns: The weight and bias of a convolution that is equal to both.
  package func folded(into weight: Tensor, bias: Tensor?) -> (weight: Tensor, bias: Tensor) {
    let scale = self.weight.detached * rsqrt(runningVar + epsilon)
    let shifted = (bias?.detached ?? .zeros(scale.shape)) - runningMean
    return (weight.detached * scale, self.bias.detached + shifted * scale)
  }
}

/// A model fixed for inference: it never changes, and any number of tasks may run it at once.
///
/// It has a copy of the weights and the running statistics that ``Layer/optimizedForInference()`` found, is in evaluation mode, and
/// has no parameters. It has no gradients either: inside the scope of a gradient its input must not be tracked.
public final class InferenceModel: Layer, Sendable {
  /// A copy of the model that one task at a time runs.
  private struct Instance: @unchecked Sendable { let layer: any Layer }
  /// Never runs, so that any task may copy it.
  private let prototype: Instance
  private let idle: Mutex<[Instance]>

  fileprivate init(_ layer: any Layer) throws(ModuleCopyError) {
    prototype = Instance(layer: layer)
    // What cannot be copied throws here, and not in a task.
    idle = Mutex([try Self.copy(prototype)])
  }

  public var parts: [(name: String, part: Any)] { [] }

  /// The output for `x`, whose first axis is the batch.
  ///
  /// - Precondition: `x` is not tracked by a gradient.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    require(
      !x.isTracked,
      "InferenceModel: a gradient tracks the input, and a model for inference has none; use the model itself")
    // Layers of other modules may change when they run, so no two tasks run the same copy. Copies share the weights.
    let instance = idle.withLock { $0.popLast() } ?? (try! Self.copy(prototype))
    let y = GradientTape.$active.withValue([]) { instance.layer(x.detached) }
    idle.withLock { $0.append(instance) }
    return y.detached
  }

  private static func copy(_ instance: Instance) throws(ModuleCopyError) -> Instance {
    Instance(layer: try ModuleCopy.of(instance.layer))
  }
}

extension Layer {
  /// This layer fixed and optimized for inference: batch norms, sums, ReLUs and ReLU6s are folded into the convolutions and linear layers
  /// before them.
  ///
  /// The result has a copy of the present weights and running statistics, and its outputs are those of this layer in evaluation
  /// mode, up to rounding. This layer, its mode and its statistics stay as they are.
  ///
  /// Layers are folded in chains: ``Sequential``, the library's models and blocks, and wherever those lie inside of other classes. Any
  /// other class is copied, property by property, and runs in evaluation mode.
  /// - Throws: A ``ModuleCopyError`` that names a class that cannot be copied: one with a property that is a class but no module, a
  ///   weak or unowned reference, or a function that is not `@Sendable`.
  public func optimizedForInference() throws(ModuleCopyError) -> InferenceModel {
    if let fixed = self as? InferenceModel { return fixed }
    let copy = try ModuleCopy.of(self, folding: true)
    copy.evaluate()
    return try InferenceModel(folded(copy))
  }
}

/// A layer that never changes, so that copies of a model share it.
protocol FixedLayer: Layer {}
extension Lambda: FixedLayer {}
extension InferenceModel: FixedLayer {}

/// `layer` with what lies inside of it folded.
private func folded(_ layer: any Layer) -> any Layer {
  switch layer {
  case let conv as Conv2d: FoldedConv2d(conv, nil, .none)
  case let model as any StagedClassifier where model.isChain: Sequential(folded(model.stages.map(\.layer)))
  case let block as BasicBlock where block.attention == nil:
    FoldedBlock([(block.conv1, block.bn1), (block.conv2, block.bn2)], shortcut: block.shortcut)
  case let block as BottleneckBlock where block.attention == nil:
    FoldedBlock(
      [(block.conv1, block.bn1), (block.conv2, block.bn2), (block.conv3, block.bn3)], shortcut: block.downsample)
  case let block as InvertedResidual where block.addsInput: FoldedBlock(block)
  case let block as InvertedResidual: folded(block.conv)
  case let sum as Residual: Residual(folded(sum.body), shortcut: folded(sum.shortcut))
  case let erased as AnyLayer: folded(erased.base)
  default: layer
  }
}

/// Folds every convolution and linear layer of `layers` with the batch norm after it, a convolution with the ReLU or ReLU6 too.
func folded(_ layers: [any Layer]) -> [any Layer] {
  var (result, rest) = ([any Layer](), layers[...])
  while let layer = rest.popFirst() {
    let norm = rest.first as? BatchNorm2d
    if let conv = layer as? Conv2d {
      if norm != nil { rest.removeFirst() }
      let rectifier: Rectifier = rest.first is ReLU ? .relu : rest.first is ReLU6 ? .relu6 : .none
      if rectifier != .none { rest.removeFirst() }
      result.append(FoldedConv2d(conv, norm, rectifier))
    } else if let linear = layer as? Linear, let norm {
      rest.removeFirst()
      result.append(linear.folded(with: norm))
    } else {
      result.append(folded(layer))
    }
  }
  return result
}

extension StagedClassifier {
  /// Whether the model is nothing but the chain of its stages: another module's may compute its output in another way.
  fileprivate var isChain: Bool {
    self is LeNet5 || self is AlexNet || self is VGG16 || self is ResNet || self is ImageNetResNet
      || self is MobileNetV2
  }
}

extension Linear {
  /// A linear layer that is equal to this one and `norm` in evaluation mode: `γ (x Wᵀ + b - μ) / σ + β`.
  fileprivate func folded(with norm: BatchNorm2d) -> Linear {
    let (weight, bias) = norm.folded(into: weight.detached.transposed(), bias: bias?.wrappedValue)
    var unused = SplittableGenerator(seed: 0)
    let linear = Linear(weight.shape[0], weight.shape[1], using: &unused)
    linear.weight = weight.transposed()
    linear.bias?.wrappedValue = bias
    return linear
  }
}

/// `rectifier(norm(conv(x)) + residual)` in one pass over memory; all but the convolution is optional.
private final class FoldedConv2d: FixedLayer {
  private let convolution: FixedConvolution
  private let rectifier: Rectifier

  init(_ conv: Conv2d, _ norm: BatchNorm2d?, _ rectifier: Rectifier) {
    var (weight, bias) = (conv.weight.detached, conv.bias?.wrappedValue.detached)
    if let norm { (weight, bias) = norm.folded(into: weight, bias: bias) }
    convolution = FixedConvolution(
      weight, bias: bias, stride: conv.stride, padding: conv.padding, dilation: conv.dilation, groups: conv.groups)
    self.rectifier = rectifier
  }

  func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil) }
  func callAsFunction(_ x: Tensor, adding residual: Tensor?) -> Tensor {
    let y = convolution(x, adding: residual, rectifier: rectifier)
    return reported(y, multiplyAdds: y.count * (convolution.weight.count / convolution.weight.shape[3]))
  }
}

/// A residual block of folded convolutions, the last of which adds the shortcut.
private final class FoldedBlock: Layer {
  private let first: [FoldedConv2d]
  private let last: FoldedConv2d
  private let shortcut: any Layer

  init(_ convolutions: [(Conv2d, BatchNorm2d)], shortcut: any Layer) {
    let all = convolutions.map { FoldedConv2d($0, $1, .relu) }
    (first, last) = (Array(all.dropLast()), all[all.count - 1])
    self.shortcut = folded(shortcut)
  }

  /// A block that adds its input to its last convolution.
  init(_ block: InvertedResidual) {
    first = block.convolutions.map { FoldedConv2d($0, $1, .relu6) }
    last = FoldedConv2d(block.projection.0, block.projection.1, .none)
    shortcut = Identity()
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    last(first.reduce(x) { $1($0) }, adding: shortcut(x))
  }
}
