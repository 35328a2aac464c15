// What a student learns from a teacher. No gradient reaches the teacher: its part of each loss is a constant.

/// What the student's probabilities lack of the teacher's, both softened: `T² KL(softmax(teacher / T) ‖ softmax(student / T))`.
///
/// The mean over the batch; `T²` keeps the size of the gradients as the temperature changes.
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

/// Distillation in two parts with weights of their own: how sure of the right class, and how the others compare.
///
/// `T² (α KL(right or not) + β KL(among the wrong classes))`, the mean over the batch.
///
/// Zhao, Cui, Song, Qiu, Liang: "Decoupled knowledge distillation", arXiv 2203.08679, equation 7.
/// - Parameters:
///   - student: Logits `[batch, classes]`.
///   - teacher: Logits of the same shape.
///   - rightWeight: α, of the target class.
///   - wrongWeight: β, of the other classes.
public func decoupledDistillation(
  _ student: Tensor, from teacher: Tensor, labels: [Int], rightWeight: Scalar = 1, wrongWeight: Scalar = 8,
  temperature: Scalar = 4
) -> Tensor {
  requireTemperature("decoupledDistillation", temperature)
  requireSameShape("decoupledDistillation", student, teacher)
  let right = Tensor.oneHot(labels, classes: student.shape[1])
  let (s, t) = (student * (1 / temperature), teacher.detached * (1 / temperature))
  // A logit this far below the others has no probability left.
  let away = right * -1000

  /// log p(right) and log p(wrong), `[batch, 2]`; the second is a log-sum-exp, exact where p(right) is nearly 1.
  func isRight(_ logits: Tensor) -> Tensor {
    let whole = logits.logSumExp(alongAxes: [1])
    let own = (logits * right).sum(alongAxes: [1])
    return Tensor.stacked([own - whole, (logits + away).logSumExp(alongAxes: [1]) - whole], axis: 1)
  }
  func divergence(_ student: Tensor, _ teacher: Tensor) -> Tensor {
    (exp(teacher) * (teacher - student)).sum() * (1 / Scalar(labels.count))
  }
  let ofRight = divergence(isRight(s), isRight(t))
  let ofWrong = divergence(logSoftmax(s + away, axis: -1), logSoftmax(t + away, axis: -1))
  return (ofRight * rightWeight + ofWrong * wrongWeight) * (temperature * temperature)
}

/// Logits of every row with mean 0 and standard deviation 1, so that a student need not match a teacher's range.
///
/// Sun, Ren, Li, Wang, Cao: "Logit standardization in knowledge distillation", arXiv 2403.01427, algorithm 1.
/// - Parameter logits: `[batch, classes]`, of at least 2 classes.
public func standardizedLogits(_ logits: Tensor) -> Tensor {
  require(
    logits.rank == 2 && logits.shape[1] > 1, "standardizedLogits: \(logits.shape) is not [batch, 2 or more classes]")
  let centred = logits - logits.mean(alongAxes: [1], keepingDimensions: true)
  let variance = square(centred).sum(alongAxes: [1], keepingDimensions: true) * (1 / Scalar(logits.shape[1] - 1))
  // Logits that are all the same have no gradient through a root at 0.
  return centred / (sqrt(variance + 1e-14) + 1e-7)
}

/// How far the places that a student attends to are from the teacher's.
///
/// The attention of a map is the mean square over its channels, brought to length 1 over its pixels; the loss is the mean
/// squared difference of two of them.
///
/// Zagoruyko, Komodakis: "Paying more attention to attention", arXiv 1612.03928, equation 2, and the authors' code.
/// - Parameters:
///   - student: A map `[batch, height, width, channels]`.
///   - teacher: One of the same size, of any number of channels.
public func attentionTransfer(_ student: Tensor, from teacher: Tensor) -> Tensor {
  require(
    student.rank == 4 && teacher.rank == 4 && student.shape.dimensions.prefix(3) == teacher.shape.dimensions.prefix(3),
    "attentionTransfer: maps \(student.shape) and \(teacher.shape) are not of one size")
  func attention(_ map: Tensor) -> Tensor {
    let energy = square(map).mean(alongAxes: [3]).reshaped(to: [map.shape[0], map.shape[1] * map.shape[2]])
    return energy / sqrt(square(energy).sum(alongAxes: [1], keepingDimensions: true) + 1e-24)
  }
  return meanSquaredError(attention(student), attention(teacher.detached))
}

/// What a student lacks of its peer, which learns beside it: `KL(softmax(peer) ‖ softmax(student))`, the mean over the batch.
///
/// Each of two networks learns by its own cross-entropy and this loss from the other.
///
/// Zhang, Xiang, Hospedales, Lu: "Deep mutual learning", arXiv 1706.00384, equation 4.
public func mutualLearning(_ student: Tensor, from peer: Tensor) -> Tensor {
  klDivergence(student, targets: softmax(peer.detached, axis: -1))
}

/// The probabilities of a teacher that is right with probability `confidence` and knows nothing else, softened by
/// `softmax(p / T)`: the targets of teacher-free distillation.
///
/// The loss is `(1 - α) crossEntropy + α klDivergence(logits, targets: these)`.
///
/// Yuan, Tay, Li, Wang, Feng: "Revisiting knowledge distillation via label smoothing regularization", arXiv 1909.11723,
/// equations 8 and 9, softened as in the authors' code.
/// - Returns: `[labels.count, classes]`.
public func teacherFreeTargets(
  _ labels: [Int], classes: Int, confidence: Scalar = 0.99, temperature: Scalar = 20
) -> Tensor {
  requireTemperature("teacherFreeTargets", temperature)
  require(classes > 1 && confidence > 0 && confidence < 1, "teacherFreeTargets: \(classes) classes, \(confidence)")
  let wrong = (1 - confidence) / Scalar(classes - 1)
  let designed = Tensor.oneHot(labels, classes: classes) * (confidence - wrong) + wrong
  return softmax(designed * (1 / temperature), axis: -1)
}

private func requireTemperature(_ operation: String, _ temperature: Scalar) {
  require(temperature > 0 && temperature.isFinite, "\(operation): the temperature \(temperature) is not positive")
}
