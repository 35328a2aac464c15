/// An affine map of the last axis: `y = x Wᵀ + b`, from `[…, inputs]` to `[…, outputs]`.
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
      x.rank >= 1 && x.shape[-1] == weight.shape[1],
      "Linear: input \(x.shape) does not fit weight \(weight.shape), it wants […, \(weight.shape[1])]")
    return reported(
      affine(x, weight, bias?.wrappedValue), of: x,
      multiplyAdds: x.shape.dimensions.dropLast().reduce(1, *) * weight.count)
  }
}

/// `x Wᵀ + b` of the last axis.
func affine(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
  let rows = x.shape.dimensions.dropLast()
  let matrix = x.rank == 2 ? x : x.reshaped(to: [rows.reduce(1, *), x.shape[-1]] as Shape)
  let y = matmul(matrix, weight, transposeB: true)
  let sum = bias.map { y + $0 } ?? y
  return x.rank == 2 ? sum : sum.reshaped(to: Shape(rows + [weight.shape[0]]))
}
