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

/// Where released blocks wait: with the thread that released them, then in a free list, best fit, with neighbours joined again.
enum StoragePool {
  /// Memory for blocks that threads may keep: what is kept would lie between larger ones, which then could not be joined.
  private static let smallFreeList = Mutex(FreeList())
  private static let largeFreeList = Mutex(FreeList())

  /// Blocks below this size are left to malloc, which reuses them well by itself.
  private static let smallestPooled = 16 << 10
  /// The least that is asked of the system, which gives memory only where it is touched.
  private static let smallestArena = 64 << 20

  private static let hugePage = 2 << 20

  static func take(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    take(bytes: bytes(count)).bindMemory(to: Scalar.self, capacity: max(count, 1))
  }

  static func give(_ pointer: UnsafeMutablePointer<Scalar>, _ count: Int) { give(pointer, bytes: bytes(count)) }

  /// What so many scalars take: whole lines of a cache.
  private static func bytes(_ count: Int) -> Int { (max(count, 1) * MemoryLayout<Scalar>.stride + 63) / 64 * 64 }

  private static func take(bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= smallestPooled else {
      var block: UnsafeMutableRawPointer?
      require(posix_memalign(&block, 64, bytes) == 0, "out of memory: \(bytes) bytes for a tensor")
      return block!
    }
    let start =
      RecentBlocks.take(bytes)
      ?? withFreeList(bytes) { free in
        if let start = free.take(bytes) { return start }
        let size = (max(bytes, smallestArena) + hugePage - 1) / hugePage * hugePage
        let fresh = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | mapAnonymous, -1, 0)
        require(fresh != MAP_FAILED, "out of memory: \(bytes) bytes for a tensor")
        #if os(Linux)
          madvise(fresh!, size, MADV_HUGEPAGE)
        #endif
        free.give(UInt(bitPattern: fresh!), size)
        return free.take(bytes)!
      }
    return UnsafeMutableRawPointer(bitPattern: start)!
  }

  private static func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    guard bytes >= smallestPooled else { return free(pointer) }
    let start = UInt(bitPattern: pointer)
    if !RecentBlocks.give(start, bytes) { giveBack(start, bytes) }
  }

  static func giveBack(_ start: UInt, _ bytes: Int) { withFreeList(bytes) { $0.give(start, bytes) } }

  /// The list of memory for blocks of that size.
  private static func withFreeList<R>(_ bytes: Int, _ body: (inout sending FreeList) -> sending R) -> sending R {
    bytes <= RecentBlocks.mostBytes ? smallFreeList.withLock(body) : largeFreeList.withLock(body)
  }
}

#if os(Linux)
  private let mapAnonymous = MAP_ANONYMOUS
#else
  private let mapAnonymous = MAP_ANON
#endif
