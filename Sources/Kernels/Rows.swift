import CKernels

/// Operations along rows of `width` scalars, each of which is read once from memory.
package struct Rows: Sendable {
  package let count: Int
  package let width: Int

  package init(_ count: Int, width: Int) { (self.count, self.width) = (count, width) }

  /// y = exp(x) / Σ exp(x); `y` may be `x`.
  package func softmax(_ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>) {
    en_softmax(count, width, x, y)
  }

  /// dx = y (dy - Σ dy y); `dx` may be `dy`.
  package func softmaxGradient(
    _ dy: UnsafePointer<Scalar>, output y: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_softmax_backward(count, width, y, dy, dx)
  }

  /// y = x - log Σ exp(x)
  package func logSoftmax(_ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>) {
    en_log_softmax(count, width, x, y)
  }

  /// y[row] = log Σ exp(x)
  package func logSumExp(_ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>) {
    en_log_sum_exp(count, width, x, y)
  }

  /// dx = dy[row] exp(x) / Σ exp(x)
  package func logSumExpGradient(
    _ dy: UnsafePointer<Scalar>, _ x: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_log_sum_exp_backward(count, width, x, dy, dx)
  }

  /// dx = dy - exp(y) Σ dy; `dx` may be `dy`.
  package func logSoftmaxGradient(
    _ dy: UnsafePointer<Scalar>, output y: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_log_softmax_backward(count, width, y, dy, dx)
  }

  /// losses = -Σ target · log softmax(x), and the shift of each row and log Σ exp(x - shift), which the gradient needs.
  package func crossEntropy(
    _ x: UnsafePointer<Scalar>, _ targets: ClassTargets, shifts: UnsafeMutablePointer<Scalar>,
    logs: UnsafeMutablePointer<Scalar>, into losses: UnsafeMutablePointer<Scalar>
  ) {
    en_cross_entropy(targets.descriptor(of: self), x, shifts, logs, losses)
  }

  /// dx = losses · (Σ target · softmax(x) - target), where `losses` are the gradients of the losses.
  package func crossEntropyGradient(
    of losses: UnsafePointer<Scalar>, _ targets: ClassTargets, _ x: UnsafePointer<Scalar>,
    shifts: UnsafePointer<Scalar>, logs: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_cross_entropy_backward(targets.descriptor(of: self), x, shifts, logs, losses, dx)
  }

  /// y = (x - mean) · rstd · gamma + beta, and the mean and 1 / √(variance + ε) of each row.
  package func layerNorm(
    _ x: UnsafePointer<Scalar>, epsilon: Scalar, gamma: UnsafePointer<Scalar>, beta: UnsafePointer<Scalar>?,
    means: UnsafeMutablePointer<Scalar>, rstds: UnsafeMutablePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>
  ) {
    let norm = RowNormDescriptor(rows: count, n: width, epsilon: epsilon, gamma: gamma, beta: beta)
    en_layer_norm(norm, x, means, rstds, y)
  }

  /// The gradient of the input into `dx`, which may be `dy`; those of gamma and then beta are added to `sums`.
  package func layerNormGradient(
    _ dy: UnsafePointer<Scalar>, _ x: UnsafePointer<Scalar>, gamma: UnsafePointer<Scalar>, means: UnsafePointer<Scalar>,
    rstds: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>, addingTo sums: UnsafeMutablePointer<Scalar>
  ) {
    let gradient = RowGradientDescriptor(
      rows: count, n: width, gamma: gamma, means: means, rstds: rstds, x: x, dy: dy)
    en_layer_norm_backward(gradient, dx, sums)
  }
}

/// The targets of a cross-entropy of rows: `smoothing` / width · weights[c] for each class c, and (1 - smoothing) · weights[label]
/// more for the row's label.
package struct ClassTargets {
  private let labels: UnsafePointer<Int>
  private let smoothing: Scalar
  private let weights: UnsafePointer<Scalar>?

  /// - Parameters:
  ///   - labels: One for each row; a negative one is a target of 0.
  ///   - weights: One for each class, nil for 1.
  package init(labels: UnsafePointer<Int>, smoothing: Scalar, weights: UnsafePointer<Scalar>?) {
    (self.labels, self.smoothing, self.weights) = (labels, smoothing, weights)
  }

  fileprivate func descriptor(of rows: Rows) -> TargetsDescriptor {
    TargetsDescriptor(rows: rows.count, n: rows.width, labels: labels, weights: weights, smoothing: smoothing)
  }
}
