import Tensors

extension BatchNorm2d {
  /// Folds this norm in evaluation mode into the convolution before it: `γ (w ∗ x + b - μ) / σ + β`.
  ///
  /// - Parameters:
  ///   - weight: `[kernel height, kernel width, inputs, channels]`.
  ///   - bias: `[channels]`, nil for none.
  /// - Returns: The weight and bias of a convolution that is equal to both.
  package func folded(into weight: Tensor, bias: Tensor?) -> (weight: Tensor, bias: Tensor) {
    let scale = self.weight.detached * rsqrt(runningVar + epsilon)
    let shifted = (bias?.detached ?? .zeros(scale.shape)) - runningMean
    return (weight.detached * scale, self.bias.detached + shifted * scale)
  }
}

extension Layer {
  /// This layer optimized for inference: batch norms, sums and ReLUs are folded into the convolutions before them.
  ///
  /// The result has a copy of the present weights and running statistics, no parameters and no gradients. Its outputs are those
  /// of this layer in evaluation mode, up to rounding. Other layers than the library's are left as they are.
  public func optimizedForInference() -> any Layer {
    switch self {
    case let conv as Conv2d: FoldedConv2d(conv, nil, relu: false)
    case let model as any StagedClassifier: Sequential(folded(model.stages.map(\.layer)))
    case let model as any SplitClassifier:
      Sequential([model.features.optimizedForInference(), model.classifier.optimizedForInference()])
    case let chain as Sequential: Sequential(folded(chain.layers))
    case let block as BasicBlock where block.attention == nil: FoldedBlock(block)
    case let sum as Residual:
      Residual(sum.body.optimizedForInference(), shortcut: sum.shortcut.optimizedForInference())
    default: self
    }
  }
}

/// Folds every convolution of `layers` with the batch norm and the ReLU after it.
private func folded(_ layers: [any Layer]) -> [any Layer] {
  var (result, rest) = ([any Layer](), layers[...])
  while let layer = rest.popFirst() {
    guard let conv = layer as? Conv2d else {
      result.append(layer.optimizedForInference())
      continue
    }
    let norm = rest.first as? BatchNorm2d
    if norm != nil { rest.removeFirst() }
    let hasReLU = rest.first is ReLU
    if hasReLU { rest.removeFirst() }
    result.append(FoldedConv2d(conv, norm, relu: hasReLU))
  }
  return result
}

/// `relu(norm(conv(x)) + residual)` in one pass over memory; all but the convolution is optional.
private final class FoldedConv2d: Layer {
  private let convolution: FixedConvolution
  private let relu: Bool

  init(_ conv: Conv2d, _ norm: BatchNorm2d?, relu: Bool) {
    var (weight, bias) = (conv.weight.detached, conv.bias?.wrappedValue.detached)
    if let norm { (weight, bias) = norm.folded(into: weight, bias: bias) }
    convolution = FixedConvolution(
      weight, bias: bias, stride: conv.stride, padding: conv.padding, dilation: conv.dilation, groups: conv.groups)
    self.relu = relu
  }

  func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil) }
  func callAsFunction(_ x: Tensor, adding residual: Tensor?) -> Tensor {
    let y = convolution(x, adding: residual, relu: relu)
    return reported(y, multiplyAdds: y.count * (convolution.weight.count / convolution.weight.shape[3]))
  }
}

/// A residual block of two folded convolutions.
private final class FoldedBlock: Layer {
  private let first: FoldedConv2d
  private let second: FoldedConv2d
  private let shortcut: any Layer

  init(_ block: BasicBlock) {
    first = FoldedConv2d(block.conv1, block.bn1, relu: true)
    second = FoldedConv2d(block.conv2, block.bn2, relu: true)
    shortcut = block.shortcut.optimizedForInference()
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(first(x), adding: shortcut(x)) }
}
