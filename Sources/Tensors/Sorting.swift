extension Tensor {
  /// The elements in ascending order along `axis`, and where they were: PyTorch's `sort`.
  ///
  /// Equals keep their order, and NaN counts as the largest. Gradients reach the elements.
  /// - Returns: `values` of the same shape, and for the remaining axes in row-major order the indices along `axis`.
  public func sort(axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: [[Int]]) {
    let axis = shape.normalized(axis, "sort")
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let (rows, n) = (permuted(order), shape[axis])
    let indices = rows.inOrder(columns: n, count: n, descending: descending)
    let flat = indices.enumerated().flatMap { row, places in places.map { row * n + $0 } }
    let inverse = order.indices.sorted { order[$0] < order[$1] }
    let values = rows.reshaped(to: [count]).gather(flat).reshaped(to: rows.shape).permuted(inverse)
    return (values, indices)
  }
  /// The `k` largest elements along the last axis, largest first, and their indices; the first of equals first. NaN is the largest.
  ///
  /// - Returns: `values` of shape `[…, k]`, and the indices of each row.
  public func topK(_ k: Int) -> (values: Tensor, indices: [[Int]]) {
    let n = shape.reduced(at: -1, "topK").count
    require((0...n).contains(k), "topK: \(k) of \(n) elements in shape \(shape)")
    let indices = inOrder(columns: n, count: k, descending: true)
    let flat = indices.enumerated().flatMap { row, columns in columns.map { row * n + $0 } }
    var target = shape
    target[-1] = k
    return (reshaped(to: [count]).gather(flat).reshaped(to: target), indices)
  }

  /// The places of the first `k` elements of each row of `n` in order, equals by their places.
  private func inOrder(columns n: Int, count k: Int, descending: Bool) -> [[Int]] {
    let rows = count / Swift.max(n, 1)
    return [[Int]](unsafeUninitializedCapacity: rows) { places, count in
      let (x, start) = (pointer, places.baseAddress)
      Parallel.forEach(rows, grain: Swift.max(1, (1 << 10) / Swift.max(n, 1))) { range in
        for row in range {
          let scalars = UnsafeBufferPointer(start: x + row * n, count: n)
          (start! + row).initialize(to: firstPlaces(k, of: scalars, descending: descending))
        }
      }
      count = rows
    }
  }
}

/// An element's rank among numbers as an integer, and its place.
private struct Ranked: Comparable {
  var rank: UInt64
  var place: Int

  /// Numbers have the order of their bits, the negative ones backwards; -0 is 0, and NaN the largest.
  init(_ x: Scalar, _ place: Int, descending: Bool) {
    let magnitude = UInt64(abs(x).bitPattern)
    let zero: UInt64 = 1 << 63
    let ordered = x.isNaN ? .max : x < 0 ? zero - magnitude : zero + magnitude
    (rank, self.place) = (descending ? ~ordered : ordered, place)
  }

  static func < (a: Ranked, b: Ranked) -> Bool { a.rank != b.rank ? a.rank < b.rank : a.place < b.place }
}

/// The places of the first `k` of the elements in order.
private func firstPlaces(_ k: Int, of x: UnsafeBufferPointer<Scalar>, descending: Bool) -> [Int] {
  // Few are kept in order while the others pass by: most are told by one comparison.
  guard k > 0, k <= 32, k < x.count else {
    return x.indices.map { Ranked(x[$0], $0, descending: descending) }.sorted().prefix(k).map(\.place)
  }
  var first = (0..<k).map { Ranked(x[$0], $0, descending: descending) }.sorted()
  var last = first[k - 1].rank
  for index in k..<x.count {
    let next = Ranked(x[index], index, descending: descending)
    // One that is equal comes after.
    guard next.rank < last else { continue }
    var place = k - 1
    while place > 0, next.rank < first[place - 1].rank {
      first[place] = first[place - 1]
      place -= 1
    }
    first[place] = next
    last = first[k - 1].rank
  }
  return first.map(\.place)
}
