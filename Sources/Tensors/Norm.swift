extension Tensor {
  /// The `p`-norm `(Σ |x|ᵖ)^(1/p)` over `axes`, or over all of them: PyTorch's `linalg.vector_norm`.
  ///
  /// The gradient is 0 where the norm is.
  /// - Parameter p: 2 for the Euclidean norm, 1, ±∞ for the largest and the smallest magnitude, 0 for the number of elements
  ///   that are not 0, or another number.
  public func norm(_ p: Scalar = 2, alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    require(!p.isNaN, "norm: the order is NaN")
    switch p {
    case 0: return (self .!= 0).sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    case 1: return abs(self).sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    case .infinity: return abs(self).max(alongAxes: axes, keepingDimensions: keepingDimensions)
    case -.infinity: return abs(self).min(alongAxes: axes, keepingDimensions: keepingDimensions)
    default: break
    }
    let x = self
    let sum =
      p == 2 && !(axes?.isEmpty ?? (rank == 0))
      ? sumOfSquares(alongAxes: axes) : pow(abs(detached), p).sum(alongAxes: axes, keepingDimensions: true)
    let y = (p == 2 ? sqrt(sum) : pow(sum, 1 / p)).recorded("norm", from: x) { dy, y in
      let scale = dy / (p == 2 ? y.orOne : pow(y.orOne, p - 1))
      return scale * (p == 2 ? x : sign(x) * pow(abs(x).orOne, p - 1)) * (y .!= 0)
    }
    guard !keepingDimensions else { return y }
    let reduced = Set(normalizedAxes(axes, "norm"))
    return y.reshaped(to: Shape((0..<rank).filter { !reduced.contains($0) }.map { shape[$0] }))
  }

  /// 1 instead of 0, so that a quotient or a power of it is finite.
  private var orOne: Tensor { .where(self .== 0, 1, self) }
}
