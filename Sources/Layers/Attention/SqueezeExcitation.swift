/// Scales each channel by how much the whole image asks for it: `x · sigmoid(W₂ relu(W₁ mean(x)))`.
///
/// Hu, Shen, Sun: "Squeeze-and-excitation networks", arXiv 1709.01507, equations 2 to 4.
public final class SqueezeExcitation: Layer {
  /// To fewer channels.
  public let reduce: Linear
  /// And back.
  public let expand: Linear

  /// - Parameter reduction: Divides the channels between the two layers, of which there is at least one.
  public init(_ channels: Int, reduction: Int = 16, using generator: inout some RandomNumberGenerator) {
    require(channels > 0 && reduction > 0, "SqueezeExcitation: \(channels) channels, reduced by \(reduction)")
    let inner = max(1, channels / reduction)
    reduce = Linear(channels, inner, using: &generator)
    expand = Linear(inner, channels, using: &generator)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let scale = sigmoid(expand(relu(reduce(globalAveragePool2d(x)))))
    return reported(x * scale.reshaped(to: [x.shape[0], 1, 1, x.shape[3]]))
  }
}
