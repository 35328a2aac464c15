#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A thread-local cache of the blocks that the thread released last, for its next requests of the same size.
///
/// What a thread wrote is in the caches of its core, and threads do not contend for the pool.
final class RecentBlocks {
  /// In the order of release.
  private var blocks: [(start: UInt, bytes: Int)] = []
  private var totalBytes = 0

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let error = pthread_key_create(&key) { blocks in
      // Optional with some C libraries only.
      let blocks: UnsafeMutableRawPointer? = blocks
      Unmanaged<RecentBlocks>.fromOpaque(blocks!).release()
    }
    require(error == 0, "out of keys for thread-local storage")
    return key
  }()

  private static var ofThread: RecentBlocks? {
    pthread_getspecific(key).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
  }

  private init() { pthread_setspecific(Self.key, Unmanaged.passRetained(self).toOpaque()) }

  deinit { for (start, bytes) in blocks { StoragePool.giveBack(start, bytes) } }

  /// Takes a block of exactly `bytes` that this thread has released.
  static func take(_ bytes: Int) -> UInt? {
    guard let recent = ofThread, let index = recent.blocks.lastIndex(where: { $0.bytes == bytes }) else { return nil }
    recent.totalBytes -= bytes
    return recent.blocks.remove(at: index).start
  }

  /// Caches a block, and returns the oldest ones to the pool where there are too many.
  ///
  /// - Returns: Whether the block is small enough to be cached.
  static func give(_ start: UInt, _ bytes: Int) -> Bool {
    guard bytes <= Tuning.Memory.largestRecent else { return false }
    let recent = ofThread ?? RecentBlocks()
    recent.blocks.append((start, bytes))
    recent.totalBytes += bytes
    while recent.totalBytes > Tuning.Memory.recentBytes || recent.blocks.count > Tuning.Memory.recentBlocks {
      let first = recent.blocks.removeFirst()
      recent.totalBytes -= first.bytes
      StoragePool.giveBack(first.start, first.bytes)
    }
    return true
  }
}
