extension Tensor {
  /// The elements in ascending order along `axis`, and where they were: PyTorch's `sort`.
  ///
  /// Equals keep their order, and NaN counts as the largest. Gradients reach the elements.
  /// - Returns: `values` of the same shape, and for the remaining axes in row-major order the indices along `axis`.
  public func sort(axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: [[Int]]) {
    let axis = shape.normalized(axis, "sort")
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let (rows, n) = (permuted(order), shape[axis])
    let indices = rows.withUnsafeScalars { x in
      (0..<count / Swift.max(n, 1)).map { row in
        (0..<n).sorted { (a: Int, b: Int) -> Bool in
          let (u, v) = descending ? (x[row * n + b], x[row * n + a]) : (x[row * n + a], x[row * n + b])
          if u < v || (v.isNaN && !u.isNaN) { return true }
          if v < u || (u.isNaN && !v.isNaN) { return false }
          return a < b
        }
      }
    }
    let flat = indices.enumerated().flatMap { row, places in places.map { row * n + $0 } }
    let inverse = order.indices.sorted { order[$0] < order[$1] }
    let values = rows.reshaped(to: [count]).gather(flat).reshaped(to: rows.shape).permuted(inverse)
    return (values, indices)
  }
}
