import CKernels

/// Kernels that move scalars and compute nothing, or add what they move.
package enum Movement {
  /// Whether a result of `count` scalars is written past the caches.
  package static func streams(_ count: Int) -> Bool {
    count * MemoryLayout<Scalar>.stride >= Tuning.Cache.streamedResult
  }

  /// y = x read with `strides`, in row-major order of `dimensions`: permutes, slices, flips and broadcasts.
  package static func readStrided(
    _ dimensions: [Int], strides: [Int], streams: Bool = false, from x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    en_read_strided(dimensions.count, dimensions, strides, streams ? 1 : 0, x, y)
  }

  /// Writes x, in row-major order of `dimensions`, into y with `strides`.
  package static func writeStrided(
    _ dimensions: [Int], strides: [Int], from x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    en_write_strided(dimensions.count, dimensions, strides, x, y)
  }

  /// Each row of y is that of every part, one after another.
  package static func joinRows(
    _ rows: Int, of parts: [(start: UnsafePointer<Scalar>, width: Int)], streams: Bool,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    en_join_rows(rows, parts.count, parts.map(\.width), streams ? 1 : 0, parts.map(\.start), y)
  }

  /// Each row of x, cut into the rows of every part.
  package static func splitRows(
    _ rows: Int, from x: UnsafePointer<Scalar>, into parts: [(start: UnsafeMutablePointer<Scalar>, width: Int)],
    streams: Bool
  ) {
    en_split_rows(rows, parts.count, parts.map(\.width), streams ? 1 : 0, x, parts.map(\.start))
  }

  /// y[i] = x[indices[i]], in rows of `width` scalars, of which x has `count`.
  package static func gatherRows(
    _ indices: UnsafeBufferPointer<Int>, of count: Int, width: Int, from x: UnsafePointer<Scalar>,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    if let start = indices.baseAddress { en_gather_rows(indices.count, width, count, start, x, y) }
  }

  /// y[indices[i]] += x[i], in rows of `width` scalars.
  package static func scatterAddRows(
    _ indices: UnsafeBufferPointer<Int>, width: Int, from x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    if let start = indices.baseAddress { en_scatter_add_rows(indices.count, width, start, x, y) }
  }

  /// y[i] = x[indices[i]]
  package static func gather(
    _ count: Int, _ indices: UnsafePointer<Int32>, from x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    en_gather(count, indices, x, y)
  }

  /// y[indices[i]] += x[i]
  package static func scatterAdd(
    _ count: Int, _ indices: UnsafePointer<Int32>, from x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    en_scatter_add(count, indices, x, y)
  }

  /// y[i] = value
  package static func fill(_ count: Int, with value: Scalar, _ y: UnsafeMutablePointer<Scalar>) {
    en_fill(count, value, y)
  }

  /// y[i] = start + i · step for `i` in `range`, computed in double; `y` is where the first of all stands.
  package static func count(
    _ range: Range<Int>, from start: Double, by step: Double, into y: UnsafeMutablePointer<Scalar>
  ) {
    en_count(range.lowerBound, range.count, start, step, y + range.lowerBound)
  }
}
