extension Gradients {
  /// The Euclidean norm of all gradients together.
  public var norm: Scalar {
    // Sorted, as the order of a dictionary differs between runs.
    let squares = byID.values.map { gradient in
      gradient.withUnsafeScalars { $0.reduce(into: 0.0) { $0 += Double($1) * Double($1) } }
    }
    return Scalar(squares.sorted().reduce(0, +).squareRoot())
  }

  /// These gradients scaled so that their norm is at most `limit`, as PyTorch's `clip_grad_norm_`.
  ///
  /// Where one is NaN, so is their norm, and all become NaN.
  /// - Precondition: `limit` is not negative.
  public func clipped(toNorm limit: Scalar) -> Gradients {
    requireNotNegative("the limit of the gradients' norm", limit)
    let factor = limit / (norm + 1e-6)
    return factor >= 1 ? self : mapped { $0 * factor }
  }

  /// These gradients with every element clamped to `-limit...limit`, as PyTorch's `clip_grad_value_`.
  ///
  /// - Precondition: `limit` is not negative.
  public func clipped(toValue limit: Scalar) -> Gradients {
    requireNotNegative("the limit of a gradient", limit)
    return mapped { Swift.min(Swift.max($0, -limit), limit) }
  }

  private func mapped(_ transform: (Scalar) -> Scalar) -> Gradients {
    Gradients(
      byID: byID.mapValues { gradient in
        Tensor(shape: gradient.shape) { out in
          gradient.withUnsafeScalars { g in for i in out.indices { out[i] = transform(g[i]) } }
        }
      })
  }
}
