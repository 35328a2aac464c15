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
  let weight = weights?.scalars ?? [Scalar](repeating: 1, count: classes)
  var sum: Scalar = 0
  let targets = Tensor(shape: logits.shape) { out in
    out.update(repeating: 0)
    for (row, label) in labels.enumerated() where label != ignored {
      for c in 0..<classes { out[row * classes + c] = labelSmoothing / Scalar(classes) * weight[c] }
      out[row * classes + label] += (1 - labelSmoothing) * weight[label]
      sum += weight[label]
    }
  }
  let terms = weighted(targets, logSoftmax(logits, axis: -1))
  return switch reduction {
  // Where nothing counts, the mean is NaN; its gradient is 0 all the same.
  case .mean where labels.allSatisfy { $0 == ignored }: terms.sum() + Tensor(.nan)
  case .mean: terms.sum() * (-1 / sum)
  case .sum: -terms.sum()
  case .none: -terms.sum(alongAxes: [1])
  }
}
