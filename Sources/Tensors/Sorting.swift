extension Tensor {
  /// The elements in ascending order along `axis`, and where they were: PyTorch's `sort`.
  ///
  /// Equals keep their order, and NaN counts as the largest. Gradients reach the elements.
  /// - Returns: `values` of the same shape, and for the remaining axes in row-major order the indices along `axis`.
  public func sort(axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: [[Int]]) {
    let axis = shape.normalized(axis, "sort")
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let (rows, n) = (permuted(order), shape[axis])
    let places = rows.places(n) { $0.sortedPlaces(descending: descending, $1, into: $2) }
    let inverse = order.indices.sorted { order[$0] < order[$1] }
    let values = rows.reshaped(to: [count]).gather(places.flat).reshaped(to: rows.shape).permuted(inverse)
    return (values, places.byRow)
  }
  /// The `k` largest elements along the last axis, largest first, and their indices; the first of equals first. NaN is the largest.
  ///
  /// - Returns: `values` of shape `[…, k]`, and the indices of each row.
  public func topK(_ k: Int) -> (values: Tensor, indices: [[Int]]) {
    let n = shape.reduced(at: -1, "topK").count
    require((0...n).contains(k), "topK: \(k) of \(n) elements in shape \(shape)")
    // Keeping k in order while the others pass by takes n comparisons, and k moves for each that is larger than k others.
    let isFew = k <= 32 && k < n
    let places = places(k) { rows, x, places in
      guard !isFew else { return rows.largestPlaces(k, x, into: places) }
      withUnsafeTemporaryAllocation(of: Int.self, capacity: n) { all in
        for row in 0..<rows.count {
          Rows(1, width: n).sortedPlaces(descending: true, x + row * n, into: all.baseAddress!)
          (places + row * k).update(from: all.baseAddress!, count: k)
        }
      }
    }
    var target = shape
    target[-1] = k
    return (reshaped(to: [count]).gather(places.flat).reshaped(to: target), places.byRow)
  }

  /// `k` places in each row of the last axis, as `find` writes them for some rows: by row, and counted from the first element of all.
  private func places(
    _ k: Int, _ find: @Sendable (Rows, UnsafePointer<Scalar>, UnsafeMutablePointer<Int>) -> Void
  ) -> (flat: [Int], byRow: [[Int]]) {
    let n = shape[-1]
    require(n <= UInt32.max, "sorting takes rows of less than 2³² elements, not shape \(shape)")
    let rows = n == 0 ? 0 : count / n
    guard rows * k > 0 else { return ([], [[Int]](repeating: [], count: rows)) }
    var flat: [Int] = []
    let byRow = [[Int]](unsafeUninitializedCapacity: rows) { byRow, initialized in
      let (x, start) = (pointer, byRow.baseAddress!)
      flat = [Int](unsafeUninitializedCapacity: rows * k) { flat, count in
        let flat = flat.baseAddress!
        Parallel.forEach(rows, grain: Swift.max(1, (1 << 10) / n)) { range in
          find(Rows(range.count, width: n), x + range.lowerBound * n, flat + range.lowerBound * k)
          for row in range {
            let places = UnsafeMutableBufferPointer(start: flat + row * k, count: k)
            (start + row).initialize(to: [Int](places))
            for i in 0..<k { places[i] += row * n }
          }
        }
        count = rows * k
      }
      initialized = rows
    }
    return (flat, byRow)
  }
}
