// Distillation losses. No gradient reaches the teacher.

/// The distillation loss at temperature T: `T² KL(softmax(teacher / T) ‖ softmax(student / T))`.
///
/// The mean over the batch; `T²` keeps the scale of the gradients as the temperature changes.
///
/// Hinton, Vinyals, Dean: "Distilling the knowledge in a neural network", arXiv 1503.02531, section 2.
/// - Parameters:
///   - student: Logits `[batch, classes]`.
///   - teacher: Logits of the same shape.
///   - temperature: T; 4 is usual.
public func distillation(_ student: Tensor, from teacher: Tensor, temperature: Scalar = 4) -> Tensor {
  requireTemperature("distillation", temperature)
  let targets = softmax(teacher.detached * (1 / temperature), axis: -1)
  return klDivergence(student * (1 / temperature), targets: targets) * (temperature * temperature)
}

/// Decoupled distillation (DKD): a weighted sum of target-class and non-target-class distillation.
///
/// `T² (α TCKD + β NCKD)`, the mean over the batch. TCKD is the divergence of the probabilities of the target class and of all
/// others, NCKD that among the others.
///
/// Zhao, Cui, Song, Qiu, Liang: "Decoupled knowledge distillation", arXiv 2203.08679, equation 7.
/// - Parameters:
///   - student: Logits `[batch, classes]`.
///   - teacher: Logits of the same shape.
///   - targetWeight: α, of the target class.
///   - nonTargetWeight: β, of the other classes.
public func decoupledDistillation(
  _ student: Tensor, from teacher: Tensor, labels: [Int], targetWeight: Scalar = 1, nonTargetWeight: Scalar = 8,
  temperature: Scalar = 4
) -> Tensor {
  requireTemperature("decoupledDistillation", temperature)
  requireSameShape("decoupledDistillation", student, teacher)
  let target = Tensor.oneHot(labels, classes: student.shape[1])
  let (s, t) = (student * (1 / temperature), teacher.detached * (1 / temperature))
  // A logit this far below the others has probability 0.
  let masked = target * -1000

  /// The log probabilities of the target class and of all others, `[batch, 2]`; the second is a log-sum-exp, exact where the
  /// first is nearly 0.
  func targetOrNot(_ logits: Tensor) -> Tensor {
    let normalizer = logits.logSumExp(alongAxes: [1])
    let targetLogit = (logits * target).sum(alongAxes: [1])
    return Tensor.stacked(
      [targetLogit - normalizer, (logits + masked).logSumExp(alongAxes: [1]) - normalizer], axis: 1)
  }
  func divergence(_ student: Tensor, _ teacher: Tensor) -> Tensor {
    (exp(teacher) * (teacher - student)).sum() * (1 / Scalar(labels.count))
  }
  let targetClass = divergence(targetOrNot(s), targetOrNot(t))
  let nonTargetClass = divergence(logSoftmax(s + masked, axis: -1), logSoftmax(t + masked, axis: -1))
  return (targetClass * targetWeight + nonTargetClass * nonTargetWeight) * (temperature * temperature)
}

/// Standardizes the logits of every row to mean 0 and standard deviation 1, so that a student need not match a teacher's range.
///
/// Sun, Ren, Li, Wang, Cao: "Logit standardization in knowledge distillation", arXiv 2403.01427, algorithm 1.
/// - Parameter logits: `[batch, classes]`, of at least 2 classes.
public func standardizedLogits(_ logits: Tensor) -> Tensor {
  require(
    logits.rank == 2 && logits.shape[1] > 1, "standardizedLogits: \(logits.shape) is not [batch, 2 or more classes]")
  let centred = logits - logits.mean(alongAxes: [1], keepingDimensions: true)
  let variance = square(centred).sum(alongAxes: [1], keepingDimensions: true) * (1 / Scalar(logits.shape[1] - 1))
  // Keeps the derivative of the root finite for equal logits.
  return centred / (sqrt(variance + 1e-14) + 1e-7)
}

/// Attention transfer: the distance between the attention maps of student and teacher.
///
/// The attention of a map is the mean square over its channels, normalized to length 1 over its pixels; the loss is the mean
/// squared difference.
///
/// Zagoruyko, Komodakis: "Paying more attention to attention", arXiv 1612.03928, equation 2, and the authors' code.
/// - Parameters:
///   - student: A map `[batch, height, width, channels]`.
///   - teacher: One of the same size, of any number of channels.
public func attentionTransfer(_ student: Tensor, from teacher: Tensor) -> Tensor {
  require(
    student.rank == 4 && teacher.rank == 4 && student.shape.dimensions.prefix(3) == teacher.shape.dimensions.prefix(3),
    "attentionTransfer: maps \(student.shape) and \(teacher.shape) differ in size")
  func attention(_ map: Tensor) -> Tensor {
    let energy = square(map).mean(alongAxes: [3]).reshaped(to: [map.shape[0], map.shape[1] * map.shape[2]])
    return energy / sqrt(square(energy).sum(alongAxes: [1], keepingDimensions: true) + 1e-24)
  }
  return meanSquaredError(attention(student), attention(teacher.detached))
}

/// Mutual learning from a peer that is trained as well: `KL(softmax(peer) ‖ softmax(student))`, the mean over the batch.
///
/// Each of two networks minimizes its cross-entropy and this loss.
///
/// Zhang, Xiang, Hospedales, Lu: "Deep mutual learning", arXiv 1706.00384, equation 4.
public func mutualLearning(_ student: Tensor, from peer: Tensor) -> Tensor {
  klDivergence(student, targets: softmax(peer.detached, axis: -1))
}

/// The targets of teacher-free distillation: probability `confidence` for the label, the same for all other classes, softened by
/// `softmax(p / T)`.
///
/// The loss is `(1 - α) crossEntropy + α klDivergence(logits, targets: targets)`.
///
/// Yuan, Tay, Li, Wang, Feng: "Revisiting knowledge distillation via label smoothing regularization", arXiv 1909.11723,
/// equations 8 and 9, softened as in the authors' code.
/// - Returns: `[labels.count, classes]`.
public func teacherFreeTargets(
  _ labels: [Int], classes: Int, confidence: Scalar = 0.99, temperature: Scalar = 20
) -> Tensor {
  requireTemperature("teacherFreeTargets", temperature)
  require(classes > 1 && confidence > 0 && confidence < 1, "teacherFreeTargets: \(classes) classes, \(confidence)")
  let otherwise = (1 - confidence) / Scalar(classes - 1)
  let probabilities = Tensor.oneHot(labels, classes: classes) * (confidence - otherwise) + otherwise
  return softmax(probabilities * (1 / temperature), axis: -1)
}

private func requireTemperature(_ operation: String, _ temperature: Scalar) {
  require(temperature > 0 && temperature.isFinite, "\(operation): the temperature \(temperature) is not positive")
}
