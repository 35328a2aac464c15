/// The mean over the batch of `-Σ target log softmax(logits)`, where a target of 0 counts nothing, even for a logit of -∞.
///
/// - Parameters:
///   - logits: `[batch, classes]`.
///   - targets: Probabilities of the same shape.
public func softmaxCrossEntropy(_ logits: Tensor, targets: Tensor) -> Tensor {
  guard areClasses(logits, targets) else { return Tensor(.nan) }
  return weighted(targets, logSoftmax(logits, axis: -1)).sum() * (-1 / Scalar(logits.shape[0]))
}

/// Whether logits and targets fit, a fault of data where logits are empty.
private func areClasses(_ logits: Tensor, _ targets: Tensor) -> Bool {
  requireSameShape("softmaxCrossEntropy", logits, targets)
  return DataFaults.check(
    logits.rank == 2 && logits.count > 0,
    "softmaxCrossEntropy: logits \(logits.shape) are not [batch, classes], or empty")
}

/// The mean of `(prediction - target)²` over all elements.
public func meanSquaredError(_ prediction: Tensor, _ target: Tensor) -> Tensor {
  requireSameShape("meanSquaredError", prediction, target)
  return meanDistance(.square, prediction, target)
}

/// The mean of `|prediction - target|` over all elements, their sum, or each by itself: the L1 loss, PyTorch's `l1_loss`.
public func meanAbsoluteError(_ prediction: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  requireSameShape("meanAbsoluteError", prediction, target)
  if reduction == .mean { return meanDistance(.absolute, prediction, target) }
  let distance = abs(prediction - target)
  return reduction == .sum ? distance.sum() : distance
}

/// The Huber loss: `d²/2` where `|d|` is below `threshold` δ, `δ (|d| - δ/2)` elsewhere; the mean over all elements.
///
/// Huber, 1964; PyTorch's `HuberLoss`.
public func huber(_ prediction: Tensor, _ target: Tensor, threshold: Scalar = 1) -> Tensor {
  requireSameShape("huber", prediction, target)
  return meanDistance(.huber(threshold: threshold), prediction, target)
}

/// The mean over all elements of the cross-entropy between `targets` in 0...1 and `sigmoid(logits)`, stable for any logit.
public func binaryCrossEntropyWithLogits(_ logits: Tensor, _ targets: Tensor) -> Tensor {
  requireSameShape("binaryCrossEntropyWithLogits", logits, targets)
  return (softplus(logits) - targets * logits).mean()
}

/// The Kullback-Leibler divergence of `softmax(logits)` from the probabilities `targets`, the mean over the batch.
///
/// - Parameter logits: `[batch, classes]`.
public func klDivergence(_ logits: Tensor, targets: Tensor) -> Tensor {
  guard areClasses(logits, targets) else { return Tensor(.nan) }
  // The entropy of the targets has no gradient, but makes the divergence of equal distributions 0. Subtracted element by element,
  // as the sums of both would round off most of a small divergence.
  let constant = targets.detached
  let terms = weighted(constant, log(constant)) - weighted(targets, logSoftmax(logits, axis: -1))
  return terms.sum() * (1 / Scalar(logits.shape[0]))
}

func requireSameShape(_ operation: String, _ a: Tensor, _ b: Tensor) {
  require(a.shape == b.shape, "\(operation): shapes \(a.shape) and \(b.shape) differ")
}
