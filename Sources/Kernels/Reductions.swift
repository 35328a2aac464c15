import CKernels

/// The axes of a reduction: a tensor is seen as `[outer, count, inner]`, of which the middle is reduced.
package struct ReducedAxes: Sendable {
  package let outer: Int
  package let count: Int
  package let inner: Int

  package init(outer: Int, count: Int, inner: Int) { (self.outer, self.count, self.inner) = (outer, count, inner) }

  fileprivate var descriptor: en_axes { en_axes(outer: outer, n: count, inner: inner) }

  /// The same with other outer axes.
  package func withOuter(_ outer: Int) -> ReducedAxes { ReducedAxes(outer: outer, count: count, inner: inner) }
}

/// Reductions over the middle of three axes.
package enum Reductions {
  package enum Extreme: Sendable { case largest, smallest }
  package enum Direction: Sendable { case forward, backward }

  /// y[o][i] = Σ x[o][k][i] over `k` in `range`, summed in blocks, which keeps the rounding of long sums small.
  package static func sum(
    _ axes: ReducedAxes, over range: Range<Int>, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_sum(axes.descriptor, range.lowerBound, range.upperBound, x, y)
  }

  /// y[o][i] = Σ x[o][k][i]² over `k` in `range`, summed likewise.
  package static func sumOfSquares(
    _ axes: ReducedAxes, over range: Range<Int>, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_sum_squares(axes.descriptor, range.lowerBound, range.upperBound, x, y)
  }

  /// y[k] = Σ |x - z| over the k-th `width` of `count` numbers, the last of fewer; or Σ (x - z)² if squared.
  package static func sumDistances(
    squared: Bool, _ count: Int, width: Int, _ x: UnsafePointer<Scalar>, _ z: UnsafePointer<Scalar>,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_sum_distances(squared ? 1 : 0, count, width, x, z, y)
  }

  /// y[o][i] = the extreme x[o][k][i] over `k` in `range`, which is not empty. NaN is larger and smaller than any number.
  package static func extreme(
    _ extreme: Extreme, _ axes: ReducedAxes, over range: Range<Int>, _ x: UnsafePointer<Scalar>,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_extreme(axes.descriptor, extreme == .largest ? 1 : -1, range.lowerBound, range.upperBound, x, y)
  }

  /// indices[o][i] = the first k where x[o][k][i] is the extreme y[o][i].
  package static func places(
    of y: UnsafePointer<Scalar>, _ axes: ReducedAxes, _ x: UnsafePointer<Scalar>, _ indices: UnsafeMutablePointer<Int>
  ) {
    en_places(axes.descriptor, x, y, indices)
  }

  /// y[row] = Π x[row][k]
  package static func product(
    rows: Int, columns: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_product(rows, columns, x, y)
  }

  /// y[row][k] = Π x[row][j] over j ≠ k
  package static func productsOfOthers(
    rows: Int, columns: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_products_of_others(rows, columns, x, y)
  }

  /// y[o][k][i] = Σ x[o][j][i] over j ≤ k, or backwards over j ≥ k
  package static func cumulativeSum(
    _ axes: ReducedAxes, _ direction: Direction, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_cumulative_sum(axes.descriptor, direction == .backward ? 1 : 0, x, y)
  }
}
