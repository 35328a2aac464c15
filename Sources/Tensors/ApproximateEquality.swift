extension Tensor {
  /// Whether the shapes are equal, and every pair of elements up to rounding.
  ///
  /// `a` and `b` count as equal where `|a - b| ≤ max(absoluteTolerance, relativeTolerance · max(|a|, |b|))`; equal
  /// infinities are equal, and NaN equals nothing. Without an absolute tolerance only 0 equals 0.
  public func isApproximatelyEqual(
    to other: Tensor, relativeTolerance: Scalar = Scalar.ulpOfOne.squareRoot(), absoluteTolerance: Scalar = 0
  ) -> Bool {
    shape == other.shape
      && (0..<count).allSatisfy { i in
        let (a, b) = (pointer[i], other.pointer[i])
        let tolerance = Swift.max(absoluteTolerance, relativeTolerance * Swift.max(a.magnitude, b.magnitude))
        return a == b || (a.isFinite && b.isFinite && (a - b).magnitude <= tolerance)
      }
  }
}
