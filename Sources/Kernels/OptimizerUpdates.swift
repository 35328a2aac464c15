import CKernels

/// Optimizer updates, in place and in one pass over memory.
package enum OptimizerUpdates {
  /// v ← momentum · v + (g + decay · w), then w ← w - rate · v; see ``SGD``. Without `v` there is no momentum.
  package static func sgd(
    count: Int, rate: Scalar, decay: Scalar, momentum: Scalar, isNesterov: Bool, g: UnsafePointer<Scalar>,
    w: UnsafeMutablePointer<Scalar>, v: UnsafeMutablePointer<Scalar>?
  ) {
    let step = MomentumDescriptor(rate: rate, decay: decay, momentum: momentum, nesterov: isNesterov ? 1 : 0)
    Parallel.forEach(count, grain: Tuning.Tasks.scalars) { range in
      let i = range.lowerBound
      if let v {
        en_sgd_momentum(range.count, step, g + i, w + i, v + i)
      } else {
        en_sgd(range.count, rate, decay, g + i, w + i)
      }
    }
  }

  /// d = g + decay · w; m ← β₁ m + (1 - β₁) d; v ← β₂ v + (1 - β₂) d²;
  /// w ← shrink · w - stepSize · m / (√v / rootCorrection + ε).
  package static func adam(
    count: Int, stepSize: Scalar, betas: (Scalar, Scalar), epsilon: Scalar, rootCorrection: Scalar, decay: Scalar,
    shrink: Scalar, g: UnsafePointer<Scalar>, w: UnsafeMutablePointer<Scalar>, m: UnsafeMutablePointer<Scalar>,
    v: UnsafeMutablePointer<Scalar>
  ) {
    let step = AdamDescriptor(
      stepSize: stepSize, beta1: betas.0, beta2: betas.1, epsilon: epsilon, rootCorrection: rootCorrection,
      decay: decay, shrink: shrink)
    Parallel.forEach(count, grain: Tuning.Tasks.scalars) { range in
      let i = range.lowerBound
      en_adam(range.count, step, g + i, w + i, m + i, v + i)
    }
  }
}
