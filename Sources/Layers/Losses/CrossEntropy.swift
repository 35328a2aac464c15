/// What a loss makes of the losses of the examples or elements.
public enum Reduction: String, Sendable, Codable, Hashable {
  /// Their mean; where classes have weights, the weighted one.
  case mean
  /// Their sum.
  case sum
  /// Nothing: a loss for each.
  case none
}

/// `-log softmax(logits)[label]` of each row: PyTorch's `cross_entropy`.
///
/// With label smoothing ε the target is `1 - ε + ε/classes` for the label and `ε/classes` for every other class. The mean is over
/// the batch; it is NaN where every label is ignored, with the gradient 0.
/// - Parameters:
///   - logits: `[batch, classes]`; one of -∞ is a class that cannot be.
///   - weights: Multiplies the loss of each class, `[classes]`; the mean is divided by the sum of the labels' weights.
///   - ignored: A label whose rows count for nothing, which need not be a class.
/// - Returns: A scalar, or `[batch]` without reduction.
public func softmaxCrossEntropy(
  _ logits: Tensor, labels: [Int], labelSmoothing: Scalar = 0, weights: Tensor? = nil, ignoring ignored: Int? = nil,
  reduction: Reduction = .mean
) -> Tensor {
  guard
    DataFaults.check(
      logits.rank == 2 && logits.shape[0] == labels.count && logits.count > 0,
      "softmaxCrossEntropy: logits \(logits.shape) do not fit \(labels.count) labels, they must be [batch, classes], not empty"
    )
  else { return Tensor(.nan) }
  let classes = logits.shape[1]
  require(
    weights == nil || weights!.shape == [classes],
    "softmaxCrossEntropy: weights \(weights?.shape ?? []) do not fit \(classes) classes")
  for label in labels where label != ignored {
    guard
      DataFaults.check(
        (0..<classes).contains(label), "softmaxCrossEntropy: label \(label) is not one of \(classes) classes")
    else { return Tensor(.nan) }
  }
  require(
    (0...1).contains(labelSmoothing), "softmaxCrossEntropy: the label smoothing \(labelSmoothing) is not in 0...1")
  let isCounted = labels.map { $0 != ignored }
  let losses = crossEntropyOfRows(
    logits, labels: zip(labels, isCounted).map { $1 ? $0 : -1 }, smoothing: labelSmoothing, weights: weights)
  let weight = weights?.scalars
  let weightOfLabels = zip(labels, isCounted).reduce(0 as Scalar) { $1.1 ? $0 + (weight?[$1.0] ?? 1) : $0 }
  return switch reduction {
  // Where nothing counts, the mean is NaN; its gradient is 0 all the same.
  case .mean where !isCounted.contains(true): losses.sum() + Tensor(.nan)
  case .mean: losses.sum() * (1 / weightOfLabels)
  case .sum: losses.sum()
  case .none: losses
  }
}
