/// Normalises the last axis by its own mean and biased variance, then scales and shifts it: PyTorch's `layer_norm`.
///
/// Ba, Kiros, Hinton: "Layer normalization", arXiv 1607.06450.
/// - Parameters:
///   - x: `[…, features]`.
///   - gamma: `[features]`.
///   - beta: `[features]`, nil for none.
public func layerNorm(_ x: Tensor, gamma: Tensor, beta: Tensor? = nil, epsilon: Scalar = 1e-5) -> Tensor {
  requireChannels("layerNorm", x, gamma, beta)
  let y = standardized(x, alongAxes: [x.rank - 1], epsilon) * gamma
  return beta.map { y + $0 } ?? y
}

/// Normalises groups of neighbouring channels of each image by their mean and biased variance, then scales and shifts each
/// channel: PyTorch's `group_norm`.
///
/// Wu, He: "Group normalization", arXiv 1803.08494. One group is a layer norm of images, a group for each channel instance norm.
/// - Parameters:
///   - x: `[batch, …, channels]`.
///   - groups: Divides the number of channels.
///   - gamma: `[channels]`.
///   - beta: `[channels]`, nil for none.
public func groupNorm(
  _ x: Tensor, groups: Int, gamma: Tensor, beta: Tensor? = nil, epsilon: Scalar = 1e-5
) -> Tensor {
  requireChannels("groupNorm", x, gamma, beta)
  let channels = gamma.count
  require(
    x.rank > 1 && groups > 0 && channels % groups == 0,
    "groupNorm: \(groups) groups do not divide the \(channels) channels of \(x.shape)")
  let pixels = x.shape.dimensions[1..<x.rank - 1].reduce(1, *)
  let grouped = x.reshaped(to: [x.shape[0], pixels, groups, channels / groups] as Shape)
  let y = standardized(grouped, alongAxes: [1, 3], epsilon).reshaped(to: x.shape) * gamma
  return beta.map { y + $0 } ?? y
}

/// `(x - mean) / √(variance + ε)` over `axes`.
private func standardized(_ x: Tensor, alongAxes axes: [Int], _ epsilon: Scalar) -> Tensor {
  guard x.count > 0 else { return x }
  @Sendable func mean(_ t: Tensor) -> Tensor { t.mean(alongAxes: axes, keepingDimensions: true) }
  @Sendable func rstd(_ x: Tensor) -> Tensor {
    rsqrt(x.variance(alongAxes: axes, keepingDimensions: true) + epsilon)
  }
  let constant = x.detached
  return ((constant - mean(constant)) * rstd(constant)).recorded(
    "standardized", saving: [x],
    (
      x,
      { dy in
        let rstd = rstd(x)
        let hat = (x - mean(x)) * rstd
        return rstd * (dy - mean(dy) - hat * mean(dy * hat))
      }
    ))
}

private func requireChannels(_ operation: String, _ x: Tensor, _ gamma: Tensor, _ beta: Tensor?) {
  require(
    x.rank > 0 && gamma.shape == [x.shape[-1]] && (beta?.shape ?? gamma.shape) == gamma.shape,
    "\(operation): gamma \(gamma.shape)\(beta.map { " and beta \($0.shape)" } ?? "") do not fit the last axis of \(x.shape)"
  )
}
