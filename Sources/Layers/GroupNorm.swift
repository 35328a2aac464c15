/// Normalises groups of neighbouring channels of each image, then scales and shifts each channel: PyTorch's `nn.GroupNorm`.
///
/// Takes `[batch, …, channels]`. A group for each channel is instance norm. See ``groupNorm(_:groups:gamma:beta:epsilon:)``.
public final class GroupNorm: Layer {
  /// γ, which scales each channel: `[channels]`.
  @Parameter public var weight: Tensor
  /// β, which shifts each channel: `[channels]`.
  @Parameter public var bias: Tensor
  /// The number of groups.
  public let groups: Int
  /// Added to the variance before its root is taken.
  public let epsilon: Scalar

  /// A norm with scale 1 and shift 0.
  ///
  /// - Precondition: `groups` divides `channels`.
  public init(_ groups: Int, _ channels: Int, epsilon: Scalar = 1e-5) {
    require(
      groups > 0 && channels % groups == 0, "GroupNorm: \(groups) groups do not divide \(channels) channels")
    (weight, bias) = (.ones([channels]), .zeros([channels]))
    (self.groups, self.epsilon) = (groups, epsilon)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(groupNorm(x, groups: groups, gamma: weight, beta: bias, epsilon: epsilon), of: x)
  }
}
