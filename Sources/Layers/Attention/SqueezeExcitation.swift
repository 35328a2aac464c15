/// Channel attention from the global mean: `x · sigmoid(W₂ relu(W₁ mean(x)))`.
///
/// Hu, Shen, Sun: "Squeeze-and-excitation networks", arXiv 1709.01507, equations 2 to 4.
public final class SqueezeExcitation: Layer {
  /// The reduction to fewer channels.
  public let reduce: Linear
  /// The expansion to all channels.
  public let expand: Linear

  /// - Parameter reduction: Divides the number of channels between the two layers, which is at least 1.
  public init(_ channels: Int, reduction: Int = 16, using generator: inout some RandomNumberGenerator) {
    require(channels > 0 && reduction > 0, "SqueezeExcitation: \(channels) channels, reduced by \(reduction)")
    let inner = max(1, channels / reduction)
    reduce = Linear(channels, inner, using: &generator)
    expand = Linear(inner, channels, using: &generator)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let scale = sigmoid(expand(relu(reduce(globalAveragePool2d(x)))))
    return reported(x * scale.reshaped(to: [x.shape[0], 1, 1, x.shape[3]]), of: x)
  }
}
