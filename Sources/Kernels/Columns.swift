import CKernels

/// Operations along the columns of a matrix of `depth` rows, `stride` scalars apart.
package struct Columns: Sendable {
  package let count: Int
  package let depth: Int
  package let stride: Int

  /// The columns that vectors lie along, and the most of a call whose sums stay in registers.
  package static let ofVector = 16
  package static let ofCall = 64

  package init(_ count: Int, depth: Int, stride: Int) { (self.count, self.depth, self.stride) = (count, depth, stride) }

  /// y = exp(x) / Σ exp(x), apart from `x`.
  package func softmax(_ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>) {
    en_softmax_columns(depth, count, stride, x, y)
  }

  /// dx = y (dy - Σ dy y); `dx` may be `dy`.
  package func softmaxGradient(
    _ dy: UnsafePointer<Scalar>, output y: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_softmax_columns_backward(depth, count, stride, y, dy, dx)
  }
}
