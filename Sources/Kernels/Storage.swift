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
/// A fresh large block costs more in page faults than most kernels cost in arithmetic, so released blocks are pooled for the
/// next request that fits.
package final class Storage: Sendable {
  package let count: Int
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<Scalar>?
  private let lazyRows: LazyRows?
  /// The storage of which this is a part.
  private let whole: Storage?

  /// `count` scalars, not initialised.
  package init(count: Int) {
    self.count = count
    memory = StoragePool.take(count)
    (lazyRows, whole) = (nil, nil)
  }

  /// The scalars `range` of `whole`, shared with it. Materializes lazy storage.
  package init(sharing range: Range<Int>, of whole: Storage) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count)
    count = range.count
    memory = whole.pointer + range.lowerBound
    (lazyRows, self.whole) = (nil, whole.whole ?? whole)
  }

  /// Whether sharing `count` scalars costs less than a copy of them, and holds no large block for the sake of a few.
  package static func isWorthSharing(_ count: Int) -> Bool {
    count * MemoryLayout<Scalar>.stride >= Tuning.Memory.smallestShared
  }

  /// Whether nobody else reads what is written into `storage`.
  package static func isUnique(_ storage: inout Storage) -> Bool {
    storage.whole == nil && isKnownUniquelyReferenced(&storage)
  }

  /// The storage that holds the memory: this one, unless it is a part of another.
  package var owner: Storage { whole ?? self }

  /// Lazy storage: rows are computed at the first use of `pointer`, or never where every consumer fuses the `producer`.
  package init(producer: RowProducer) {
    count = producer.count * producer.width
    (memory, whole) = (nil, nil)
    lazyRows = LazyRows(producer)
  }

  package convenience init(repeating value: Scalar, count: Int) {
    self.init(count: count)
    Movement.fill(count, with: value, pointer)
  }

  package convenience init(copying other: Storage) {
    self.init(count: other.count)
    pointer.update(from: other.pointer, count: count)
  }

  deinit {
    if whole != nil { return }
    if let memory = memory ?? lazyRows?.memory { StoragePool.give(memory, count) }
  }

  /// Materializes lazy storage.
  package var pointer: UnsafeMutablePointer<Scalar> { memory ?? lazyRows!.materialized() }

  /// The producer of lazy rows, nil once they are materialized.
  package var producer: RowProducer? { lazyRows?.producer }

  /// Bytes of memory in use.
  package var byteCount: Int { producer == nil ? count * MemoryLayout<Scalar>.stride : 0 }
}

/// Released blocks: cached by the thread that released them, then in a best-fit free list that coalesces neighbours.
enum StoragePool {
  /// Memory for blocks that threads cache: between larger blocks they would keep those from coalescing.
  private static let smallFreeList = Mutex(FreeList())
  private static let largeFreeList = Mutex(FreeList())

  private static let hugePage = 2 << 20

  static func take(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    take(bytes: bytes(count)).bindMemory(to: Scalar.self, capacity: max(count, 1))
  }

  static func give(_ pointer: UnsafeMutablePointer<Scalar>, _ count: Int) { give(pointer, bytes: bytes(count)) }

  /// The size of `count` scalars in whole cache lines.
  private static func bytes(_ count: Int) -> Int {
    // More than any address space has, and so little that no size of a block overflows.
    require(count < 1 << 48, "out of memory: \(count) scalars for a tensor")
    return (max(count, 1) * MemoryLayout<Scalar>.stride + 63) / 64 * 64
  }

  private static func take(bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= Tuning.Memory.smallestPooled else {
      var block: UnsafeMutableRawPointer?
      require(posix_memalign(&block, 64, bytes) == 0, "out of memory: \(bytes) bytes for a tensor")
      return block!
    }
    let start =
      RecentBlocks.take(bytes)
      ?? withFreeList(bytes) { free in
        if let start = free.take(bytes) { return start }
        let size = (max(bytes, Tuning.Memory.smallestArena) + hugePage - 1) / hugePage * hugePage
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
    guard bytes >= Tuning.Memory.smallestPooled else { return free(pointer) }
    let start = UInt(bitPattern: pointer)
    if !RecentBlocks.give(start, bytes) { giveBack(start, bytes) }
  }

  static func giveBack(_ start: UInt, _ bytes: Int) { withFreeList(bytes) { $0.give(start, bytes) } }

  /// The list of memory for blocks of that size.
  private static func withFreeList<R>(_ bytes: Int, _ body: (inout sending FreeList) -> sending R) -> sending R {
    bytes <= Tuning.Memory.largestRecent ? smallFreeList.withLock(body) : largeFreeList.withLock(body)
  }
}

#if os(Linux)
  let mapAnonymous = MAP_ANONYMOUS
#else
  let mapAnonymous = MAP_ANON
#endif
