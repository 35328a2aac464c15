extension Tensor {
  /// Whether the shapes are equal, and every pair of elements but for rounding.
  ///
  /// `a` and `b` count as equal where `|a - b| ≤ max(absoluteTolerance, relativeTolerance · max(|a|, |b|))`; equal
  /// infinities are equal, and what is not a number equals nothing. With no absolute tolerance nothing but 0 is near 0.
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
