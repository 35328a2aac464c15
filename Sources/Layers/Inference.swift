import Tensors

extension Layer {
  /// This layer as it is fastest at inference: batch norms, sums and ReLUs are folded into the convolutions before them.
  ///
  /// The result has the weights and running statistics of this moment, no parameters, and no gradients; its outputs are
  /// this layer's in evaluation mode but for rounding. A layer that is not made of the library's stays as it is.
  public func optimizedForInference() -> any Layer {
    switch self {
    case let conv as Conv2d: FoldedConv2d(conv, nil, rectifies: false)
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

/// `layers` with every convolution, a batch norm after it, and a ReLU after both as one.
private func folded(_ layers: [any Layer]) -> [any Layer] {
  var (result, rest) = ([any Layer](), layers[...])
  while let layer = rest.popFirst() {
    guard let conv = layer as? Conv2d else {
      result.append(layer.optimizedForInference())
      continue
    }
    let norm = rest.first as? BatchNorm2d
    if norm != nil { rest.removeFirst() }
    let rectifies = rest.first is ReLU
    if rectifies { rest.removeFirst() }
    result.append(FoldedConv2d(conv, norm, rectifies: rectifies))
  }
  return result
}

/// `relu(norm(conv(x)) + residual)`, any of which but the convolution may be missing, as one pass over memory.
private final class FoldedConv2d: Layer {
  private let convolution: FixedConvolution
  private let rectifies: Bool

  init(_ conv: Conv2d, _ norm: BatchNorm2d?, rectifies: Bool) {
    var (weight, bias) = (conv.weight.detached, conv.bias?.wrappedValue.detached)
    if let norm {
      // γ (w ∗ x + b - μ) / σ + β
      let scale = norm.weight.detached * rsqrt(norm.runningVar + norm.epsilon)
      bias = norm.bias.detached + ((bias ?? .zeros(scale.shape)) - norm.runningMean) * scale
      weight = weight * scale
    }
    convolution = FixedConvolution(
      weight, bias: bias, stride: conv.stride, padding: conv.padding, dilation: conv.dilation, groups: conv.groups)
    self.rectifies = rectifies
  }

  func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, adding: nil) }
  func callAsFunction(_ x: Tensor, adding residual: Tensor?) -> Tensor {
    let y = convolution(x, adding: residual, relu: rectifies)
    return reported(y, multiplyAdds: y.count * (convolution.weight.count / convolution.weight.shape[3]))
  }
}

/// A residual block of two folded convolutions.
private final class FoldedBlock: Layer {
  private let first: FoldedConv2d
  private let second: FoldedConv2d
  private let shortcut: any Layer

  init(_ block: BasicBlock) {
    first = FoldedConv2d(block.conv1, block.bn1, rectifies: true)
    second = FoldedConv2d(block.conv2, block.bn2, rectifies: true)
    shortcut = block.shortcut.optimizedForInference()
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(first(x), adding: shortcut(x)) }
}
