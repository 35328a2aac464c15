/// A 3 by 3 convolution with parallel 3 by 1 and 1 by 3 branches, each with a batch norm, summed.
///
/// After training ``foldBranches(of:into:)`` folds the branches into one convolution, exactly.
///
/// Ding, Guo, Ding, Han: "ACNet: strengthening the kernel skeletons for powerful CNN via asymmetric convolution blocks",
/// arXiv 1908.03930.
public final class AsymmetricConv2d: Layer {
  /// The 3 by 3 branch.
  public let square: Conv2d
  /// The batch norm of ``square``.
  public let squareNorm: BatchNorm2d
  /// The 3 by 1 branch: `[3, 1, inputs, outputs]`.
  @Parameter public var vertical: Tensor
  /// The batch norm of ``vertical``.
  public let verticalNorm: BatchNorm2d
  /// The 1 by 3 branch: `[1, 3, inputs, outputs]`.
  @Parameter public var horizontal: Tensor
  /// The batch norm of ``horizontal``.
  public let horizontalNorm: BatchNorm2d

  /// Branches with random weights.
  public init(
    _ inputs: Int, _ outputs: Int, stride: Int = 1, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    square = Conv2d(
      inputs, outputs, kernelSize: 3, stride: stride, padding: 1, bias: false, initializer: initializer,
      using: &generator)
    vertical = initializer([3, 1, inputs, outputs], using: &generator)
    horizontal = initializer([1, 3, inputs, outputs], using: &generator)
    (squareNorm, verticalNorm, horizontalNorm) = (BatchNorm2d(outputs), BatchNorm2d(outputs), BatchNorm2d(outputs))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let column = conv2d(x.padded([(0, 0), (1, 1), (0, 0), (0, 0)]), vertical, stride: square.stride)
    let row = conv2d(x.padded([(0, 0), (0, 0), (1, 1), (0, 0)]), horizontal, stride: square.stride)
    let y = squareNorm(square(x), adding: verticalNorm(column, adding: horizontalNorm(row), then: nil), then: nil)
    return reported(y, of: x, multiplyAdds: column.count * (vertical.count / vertical.shape[3]) * 2)
  }

  /// The convolution that is equal to the branches in evaluation mode.
  var folded: (weight: Tensor, bias: Tensor) {
    func branch(_ kernel: Tensor, _ norm: BatchNorm2d, _ padding: [(Int, Int)]) -> (weight: Tensor, bias: Tensor) {
      norm.folded(into: kernel.detached.padded(padding + [(0, 0), (0, 0)]), bias: nil)
    }
    let branches = [
      branch(square.weight, squareNorm, [(0, 0), (0, 0)]), branch(vertical, verticalNorm, [(0, 0), (1, 1)]),
      branch(horizontal, horizontalNorm, [(1, 1), (0, 0)]),
    ]
    return (
      branches[0].weight + branches[1].weight + branches[2].weight,
      branches[0].bias + branches[1].bias + branches[2].bias
    )
  }
}

/// Folds the branches of `branched` into `plain`, the same network without ``AsymmetricConv2d``s, so that both are equal in
/// evaluation mode.
///
/// The batch norm after each folded convolution only adds its bias.
/// - Precondition: Both are the same network except for the branches.
public func foldBranches(of branched: any Module, into plain: any Module) {
  var branches: [AsymmetricConv2d] = []
  branched.visit { _, part in if let branch = part as? AsymmetricConv2d { branches.append(branch) } }
  var pairs: [(conv: Conv2d, norm: BatchNorm2d)] = []
  var last: Conv2d?
  plain.visit { _, part in
    if let conv = part as? Conv2d { last = conv.weight.shape[0] == 3 ? conv : nil }
    if let norm = part as? BatchNorm2d, let conv = last {
      pairs.append((conv, norm))
      last = nil
    }
  }
  require(branches.count == pairs.count, "foldBranches: \(branches.count) branches for \(pairs.count) convolutions")
  // Layers without branches are copied by name.
  let parameters = Dictionary(
    uniqueKeysWithValues: branched.namedParameters.map { ($0.name, $0.parameter.wrappedValue) })
  for (name, parameter) in plain.namedParameters {
    if let value = parameters[name], value.shape == parameter.wrappedValue.shape {
      parameter.wrappedValue = value.detached
    }
  }
  let buffers = Dictionary(uniqueKeysWithValues: branched.namedBuffers.map { ($0.name, $0.buffer.wrappedValue) })
  for (name, buffer) in plain.namedBuffers { if let value = buffers[name] { buffer.wrappedValue = value } }
  for (branch, (conv, norm)) in zip(branches, pairs) {
    let (weight, bias) = branch.folded
    require(conv.weight.shape == weight.shape, "foldBranches: \(weight.shape) does not fit \(conv.weight.shape)")
    conv.weight = weight
    if let bias = conv.bias { bias.wrappedValue = .zeros(bias.wrappedValue.shape) }
    (norm.runningMean, norm.runningVar) = (.zeros(bias.shape), .ones(bias.shape))
    norm.weight = sqrt(Tensor.ones(bias.shape) + norm.epsilon)
    norm.bias = bias
  }
}
