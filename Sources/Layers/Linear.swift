/// An affine map of the last axis: `y = x Wᵀ + b`, from `[batch, inputs]` to `[batch, outputs]`.
public final class Linear: Layer {
  /// `[outputs, inputs]`.
  @Parameter public var weight: Tensor
  /// `[outputs]`, nil for none.
  public let bias: Parameter?

  /// A layer with random weights; PyTorch's `nn.Linear` where `initializer` is `.standard`.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    let shape: Shape = [outputs, inputs]
    weight = initializer(shape, using: &generator)
    self.bias = bias ? Parameter(wrappedValue: Initializer.standardBias(of: shape, outputs, using: &generator)) : nil
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    require(
      x.rank == 2 && x.shape[1] == weight.shape[1],
      "Linear: input \(x.shape) does not fit weight \(weight.shape), it wants [batch, \(weight.shape[1])]")
    let y = matmul(x, weight, transposeB: true)
    return reported(bias.map { y + $0.wrappedValue } ?? y, multiplyAdds: x.shape[0] * weight.count)
  }
}
