/// Normalises the last axis of any input, then scales and shifts it: PyTorch's `nn.LayerNorm` of one axis.
///
/// Of images it normalises the channels of each pixel. See ``layerNorm(_:gamma:beta:epsilon:)``.
public final class LayerNorm: Layer {
  /// γ, which scales each feature: `[features]`.
  @Parameter public var weight: Tensor
  /// β, which shifts each feature, nil for none: `[features]`.
  public let bias: Parameter?
  /// Added to the variance before its root is taken.
  public let epsilon: Scalar

  /// A norm with scale 1 and shift 0.
  public init(_ features: Int, epsilon: Scalar = 1e-5, bias: Bool = true) {
    weight = .ones([features])
    self.bias = bias ? Parameter(wrappedValue: .zeros([features])) : nil
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(layerNorm(x, gamma: weight, beta: bias?.wrappedValue, epsilon: epsilon), of: x)
  }
}
