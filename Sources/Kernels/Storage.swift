import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A pooled, 64-byte aligned block of scalars.
///
/// A fresh large block costs more in page faults than most kernels cost in arithmetic, so released blocks wait in a pool for
/// the next request of their size class.
package final class Storage: Sendable {
  package let count: Int
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<Scalar>?
  private let deferred: DeferredRows?

  /// Room for `count` scalars, not initialised.
  package init(count: Int) {
    self.count = count
    memory = StoragePool.take(count)
    deferred = nil
  }

  /// Rows that are computed when `pointer` is first asked for, or never, if whoever needs them takes the `computation`.
  package init(computing rows: RowComputation) {
    count = rows.count * rows.width
    memory = nil
    deferred = DeferredRows(rows)
  }

  package convenience init(repeating value: Scalar, count: Int) {
    self.init(count: count)
    pointer.update(repeating: value, count: count)
  }

  package convenience init(copying other: Storage) {
    self.init(count: other.count)
    pointer.update(from: other.pointer, count: count)
  }

  deinit {
    if let memory = memory ?? deferred?.memory { StoragePool.give(memory, count) }
  }

  package var pointer: UnsafeMutablePointer<Scalar> { memory ?? deferred!.computed() }

  /// How the rows are computed, as long as they are not.
  package var computation: RowComputation? { deferred?.computation }

  /// Bytes of memory that are taken.
  package var byteCount: Int { computation == nil ? count * MemoryLayout<Scalar>.stride : 0 }
}

/// The parts of the memory that are free; those that touch are one.
struct FreeList {
  /// Ascending by size, then by place.
  private var parts: [(size: Int, start: UInt)] = []
  private var sizes: [UInt: Int] = [:]
  private var starts: [UInt: UInt] = [:]

  /// The first part that does not come before one of `size` at `start`.
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

  /// The beginning of the smallest part that has room for `bytes`; what it has more stays free.
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

/// Where released blocks wait: one free list, best fit, with neighbours joined again.
package enum StoragePool {
  private struct State: ~Copyable {
    var free = FreeList()
    var bytesHeld = 0
    var bytesInUse = 0
    var peakBytesInUse = 0
  }
  private static let state = Mutex(State())

  /// Blocks below this size are left to malloc, which reuses them well by itself.
  private static let smallestPooled = 16 << 10
  /// The least that is asked of the system, which gives memory only where it is touched.
  private static let smallestArena = 64 << 20

  private static let hugePage = 2 << 20

  /// What a request for `bytes` takes: whole lines of a cache.
  static func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

  static func take(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    take(bytes: bytes(count)).bindMemory(to: Scalar.self, capacity: max(count, 1))
  }

  static func give(_ pointer: UnsafeMutablePointer<Scalar>, _ count: Int) { give(pointer, bytes: bytes(count)) }

  private static func bytes(_ count: Int) -> Int { rounded(max(count, 1) * MemoryLayout<Scalar>.stride) }

  private static func take(bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= smallestPooled else {
      var block: UnsafeMutableRawPointer?
      require(posix_memalign(&block, 64, bytes) == 0, "out of memory: \(bytes) bytes for a tensor")
      return block!
    }
    let start = state.withLock { state in
      state.bytesInUse += bytes
      state.peakBytesInUse = max(state.peakBytesInUse, state.bytesInUse)
      if let start = state.free.take(bytes) { return start }
      let size = (max(bytes, smallestArena) + hugePage - 1) / hugePage * hugePage
      let fresh = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | mapAnonymous, -1, 0)
      require(fresh != MAP_FAILED, "out of memory: \(bytes) bytes for a tensor")
      #if os(Linux)
        madvise(fresh!, size, MADV_HUGEPAGE)
      #endif
      state.bytesHeld += size
      state.free.give(UInt(bitPattern: fresh!), size)
      return state.free.take(bytes)!
    }
    return UnsafeMutableRawPointer(bitPattern: start)!
  }

  private static func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    guard bytes >= smallestPooled else { return free(pointer) }
    state.withLock { state in
      state.bytesInUse -= bytes
      state.free.give(UInt(bitPattern: pointer), bytes)
    }
  }

  /// Bytes of pooled blocks that tensors hold now, at the most so far, and that wait for reuse.
  package static var statistics: (inUse: Int, peak: Int, waiting: Int) {
    state.withLock { ($0.bytesInUse, $0.peakBytesInUse, $0.bytesHeld - $0.bytesInUse) }
  }
}

#if os(Linux)
  private let mapAnonymous = MAP_ANONYMOUS
#else
  private let mapAnonymous = MAP_ANON
#endif
