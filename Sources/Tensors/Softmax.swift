/// `exp(x) / Σ exp(x)` along `axis`.
///
/// NaN where every `x` is -∞. Where one is +∞, NaN for that one and 0 for the others, of which PyTorch makes NaN as well.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  exp(logarithmicShares(x, axis)).recorded("softmax", from: x) { dy, y in
    let product = dy * y
    return product - y * product.sum(alongAxes: [axis], keepingDimensions: true)
  }
}

/// `x - log Σ exp(x)` along `axis`, stable for any `x`.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  logarithmicShares(x, axis).recorded("logSoftmax", from: x) { dy, y in
    dy - exp(y) * dy.sum(alongAxes: [axis], keepingDimensions: true)
  }
}

/// `(x - top) - log Σ exp(x - top)`, unrecorded: `x - log Σ exp(x)` would lose the digits that a large `x` has not.
private func logarithmicShares(_ x: Tensor, _ axis: Int) -> Tensor {
  let shifted = x.detached - x.shift(alongAxes: [axis])
  return shifted - log(exp(shifted).sum(alongAxes: [axis], keepingDimensions: true))
}

/// `weights · logs`, elementwise, where a weight of 0 gives 0 for any logarithm: `0 log 0` is 0.
package func weighted(_ weights: Tensor, _ logs: Tensor) -> Tensor {
  Tensor.where(weights.detached .== 0, 0, elementwise("weighted", weights, logs, .multiply)).recorded(
    "weighted", saving: [weights, logs], (weights, { $0 * logs }), (logs, { $0 * weights }))
}
