/// The free parts of memory; adjacent parts are coalesced.
struct FreeList {
  /// Ascending by size, then by address.
  private var parts: [(size: Int, start: UInt)] = []
  private var sizes: [UInt: Int] = [:]
  private var starts: [UInt: UInt] = [:]

  /// The index of the first part that is not before one of `size` at `start`.
  private func index(_ size: Int, _ start: UInt) -> Int {
    var (low, high) = (0, parts.count)
    while low < high {
      let middle = (low + high) / 2
      if (parts[middle].size, parts[middle].start) < (size, start) { low = middle + 1 } else { high = middle }
    }
    return low
  }
  private mutating func insert(_ size: Int, _ start: UInt) {
    parts.insert((size, start), at: index(size, start))
    sizes[start] = size
    starts[start + UInt(size)] = start
  }
  private mutating func remove(_ size: Int, _ start: UInt) {
    parts.remove(at: index(size, start))
    sizes[start] = nil
    starts[start + UInt(size)] = nil
  }

  /// Takes `bytes` from the smallest part that has as many (best fit); the rest stays free.
  mutating func take(_ bytes: Int) -> UInt? {
    let index = index(bytes, 0)
    guard index < parts.count else { return nil }
    let (size, start) = parts[index]
    remove(size, start)
    if size > bytes { insert(size - bytes, start + UInt(bytes)) }
    return start
  }

  mutating func give(_ start: UInt, _ bytes: Int) {
    var (start, size) = (start, bytes)
    if let next = sizes[start + UInt(size)] {
      remove(next, start + UInt(size))
      size += next
    }
    if let previous = starts[start] {
      remove(Int(start - previous), previous)
      size += Int(start - previous)
      start = previous
    }
    insert(size, start)
  }
}
