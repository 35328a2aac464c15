/// Normalises each channel over batch and space, then scales and shifts it: PyTorch's `nn.BatchNorm2d`.
///
/// In training the biased variance of the batch normalises and the unbiased one enters the running estimate; in
/// evaluation the running estimates normalise. Takes `[batch, height, width, channels]` or `[batch, channels]`.
///
/// Where several ranks train, each normalises by the statistics of its own images, as PyTorch's does, unless ``Fit`` synchronises batch
/// norms: then by those of the whole batch, as `nn.SyncBatchNorm`.
///
/// A frozen batch norm, neither of whose parameters is trainable, uses its running estimates and leaves them alone, in
/// training too.
///
/// Ioffe, Szegedy: "Batch normalization: accelerating deep network training by reducing internal covariate shift", 2015.
public final class BatchNorm2d: Layer, TrainingAware {
  /// γ, which scales each channel.
  @Parameter public var weight: Tensor
  /// β, which shifts each channel.
  @Parameter public var bias: Tensor
  /// The estimate of each channel's mean.
  @Buffer public var runningMean: Tensor
  /// The estimate of each channel's unbiased variance.
  @Buffer public var runningVar: Tensor
  /// Added to the variance before its root is taken.
  public let epsilon: Scalar
  /// The weight of a new batch in the running estimates.
  public var momentum: Scalar
  /// Whether the batch's own statistics normalise.
  public var isTraining = true

  /// A norm with mean 0, variance 1, scale 1 and shift 0.
  public init(_ channels: Int, epsilon: Scalar = 1e-5, momentum: Scalar = 0.1) {
    weight = .ones([channels])
    bias = .zeros([channels])
    runningMean = .zeros([channels])
    runningVar = .ones([channels])
    (self.epsilon, self.momentum) = (epsilon, momentum)
  }

  /// Whether the layer normalises by its running estimates in training too.
  public var isFrozen: Bool { !$weight.isTrainable && !$bias.isTrainable }

  public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, then: nil) }

  /// The norm of `x`, plus `residual`, then `relu` where it is given, fused into one pass over memory.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, then relu: ReLU?) -> Tensor {
    require(
      x.shape[-1] == weight.count, "BatchNorm2d: input \(x.shape) has \(x.shape[-1]) channels, not \(weight.count)")
    func finished(_ y: Tensor) -> Tensor {
      let y = reported(y, of: x)
      return relu?.reported(y, of: y) ?? y
    }
    if LayerTrace.recordsDataflow, residual != nil || relu != nil {
      let y = self(x)
      let sum = residual.map { y + $0 } ?? y
      return relu.map { $0(sum) } ?? sum
    }
    guard isTraining && !isFrozen else {
      return finished(
        batchNorm2d(
          x, gamma: weight, beta: bias, mean: runningMean, variance: runningVar, epsilon: epsilon, adding: residual,
          relu: relu != nil))
    }
    let sum = RankScope.current?.normalizingSum
    guard
      DataFaults.check(
        sum != nil || x.count > weight.count,
        "BatchNorm2d: input \(x.shape) has a single value per channel, training needs more"
          + (RankScope.current == nil ? "" : ": use fewer ranks, larger batches, or synchronised batch norms"))
    else { return finished(x) }
    let (y, mean, variance, samples) = batchNorm2d(
      x, gamma: weight, beta: bias, epsilon: epsilon, adding: residual, relu: relu != nil,
      summing: sum)
    guard
      DataFaults.check(samples > 1, "BatchNorm2d: a single value per channel on all ranks, training needs more")
    else { return finished(x) }
    let unbiased = Scalar(samples) / Scalar(samples - 1)
    update(&runningMean, towards: mean, scaledBy: 1)
    update(&runningVar, towards: variance, scaledBy: unbiased)
    return finished(y)
  }

  /// In place and unrecorded: the estimates have no part in the loss.
  private func update(_ estimate: inout Tensor, towards batch: Tensor, scaledBy scale: Scalar) {
    estimate.withUnsafeMutableScalars { estimate in
      batch.withUnsafeScalars { batch in
        for i in estimate.indices { estimate[i] = (1 - momentum) * estimate[i] + momentum * (scale * batch[i]) }
      }
    }
  }

  /// Resets the running estimates to mean 0 and variance 1.
  public func resetRunningStatistics() {
    runningMean = .zeros(runningMean.shape)
    runningVar = .ones(runningVar.shape)
  }
}
