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
  package nonisolated(unsafe) let pointer: UnsafeMutablePointer<Scalar>
  package let count: Int
  private let capacity: Int

  /// Room for `count` scalars, not initialised.
  package init(count: Int) {
    capacity = StoragePool.sizeClass(for: max(count, 1) * MemoryLayout<Scalar>.stride)
    pointer = StoragePool.take(capacity).bindMemory(to: Scalar.self, capacity: count)
    self.count = count
  }

  package convenience init(repeating value: Scalar, count: Int) {
    self.init(count: count)
    pointer.update(repeating: value, count: count)
  }

  package convenience init(copying other: Storage) {
    self.init(count: other.count)
    pointer.update(from: other.pointer, count: count)
  }

  deinit { StoragePool.give(pointer, capacity) }

  package var byteCount: Int { count * MemoryLayout<Scalar>.stride }
}

/// Where released blocks wait.
package enum StoragePool {
  private struct State: ~Copyable {
    var waiting: [Int: [UInt]] = [:]
    var bytesWaiting = 0
    var bytesInUse = 0
    var peakBytesInUse = 0
  }
  private static let state = Mutex(State())

  /// Blocks below this size are left to malloc, which reuses them well by itself.
  private static let smallestPooled = 16 << 10
  private static let hugePage = 2 << 20

  /// `bytes` rounded up to an eighth of a power of two, so that shapes that differ by a few rows share blocks.
  static func sizeClass(for bytes: Int) -> Int {
    let step = max(64, 1 << max(0, bytes.bitWidth - bytes.leadingZeroBitCount - 4))
    return (bytes + step - 1) / step * step
  }

  fileprivate static func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let reused: UInt? = state.withLock { state in
      state.bytesInUse += bytes
      state.peakBytesInUse = max(state.peakBytesInUse, state.bytesInUse)
      guard bytes >= smallestPooled, let block = state.waiting[bytes]?.popLast() else { return nil }
      state.bytesWaiting -= bytes
      return block
    }
    if let reused { return UnsafeMutableRawPointer(bitPattern: reused)! }
    var block: UnsafeMutableRawPointer?
    let alignment = bytes >= hugePage ? hugePage : 64
    require(posix_memalign(&block, alignment, bytes) == 0, "out of memory: \(bytes) bytes for a tensor")
    #if os(Linux)
      if bytes >= hugePage { madvise(block!, bytes, MADV_HUGEPAGE) }
    #endif
    return block!
  }

  fileprivate static func give(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let pooled = state.withLock { state in
      state.bytesInUse -= bytes
      guard bytes >= smallestPooled else { return false }
      state.waiting[bytes, default: []].append(UInt(bitPattern: pointer))
      state.bytesWaiting += bytes
      return true
    }
    if !pooled { free(pointer) }
  }

  /// Hands all waiting blocks back to the system.
  package static func trim() {
    let blocks = state.withLock { state in
      defer {
        state.waiting = [:]
        state.bytesWaiting = 0
      }
      return state.waiting.values.flatMap { $0 }
    }
    for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
  }

  /// Bytes held by living tensors now, at the most so far, and waiting for reuse.
  package static var statistics: (inUse: Int, peak: Int, waiting: Int) {
    state.withLock { ($0.bytesInUse, $0.peakBytesInUse, $0.bytesWaiting) }
  }
}
