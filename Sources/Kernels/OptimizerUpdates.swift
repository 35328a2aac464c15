import CKernels

/// Optimizer updates, in place and in one pass over memory.
package enum OptimizerUpdates {
  private static let grain = 1 << 14

  /// v ← momentum · v + (g + decay · w), then w ← w - rate · v; see ``SGD``. Without `v` there is no momentum.
  package static func sgd(
    count: Int, rate: Scalar, decay: Scalar, momentum: Scalar, isNesterov: Bool, g: UnsafePointer<Scalar>,
    w: UnsafeMutablePointer<Scalar>, v: UnsafeMutablePointer<Scalar>?
  ) {
    Parallel.forEach(count, grain: grain) { range in
      let i = range.lowerBound
      if let v {
        en_sgd_momentum(range.count, rate, decay, momentum, isNesterov ? 1 : 0, g + i, w + i, v + i)
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
    Parallel.forEach(count, grain: grain) { range in
      let i = range.lowerBound
      en_adam(
        range.count, stepSize, betas.0, betas.1, epsilon, rootCorrection, decay, shrink, g + i, w + i, m + i, v + i)
    }
  }
}
