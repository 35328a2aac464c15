/// `exp(x) / Σ exp(x)` along `axis`.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  let logits = x.detached
  return exp(logits - logits.logSumExp(alongAxes: [axis], keepingDimensions: true)).recorded("softmax", from: x) {
    dy, y in
    let product = dy * y
    return product - y * product.sum(alongAxes: [axis], keepingDimensions: true)
  }
}

/// `x - log Σ exp(x)` along `axis`, stable for any `x`.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  let logits = x.detached
  return (logits - logits.logSumExp(alongAxes: [axis], keepingDimensions: true)).recorded("logSoftmax", from: x) {
    dy, y in
    dy - exp(y) * dy.sum(alongAxes: [axis], keepingDimensions: true)
  }
}

/// `weights · logs`, elementwise, where a weight of 0 gives 0 for any logarithm: `0 log 0` is 0.
package func weighted(_ weights: Tensor, _ logs: Tensor) -> Tensor {
  Tensor.where(weights.detached .== 0, 0, elementwise("weighted", weights, logs, .multiply)).recorded(
    "weighted", saving: [weights, logs], (weights, { $0 * logs }), (logs, { $0 * weights }))
}
