#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The blocks of the pool that a thread released last, for its own next requests of the same size.
///
/// What a thread has written lies in the caches of its core, where it finds it sooner than any other thread, and no thread waits
/// for another to release memory.
final class RecentBlocks {
  /// A larger block would leave the caches before it is used again.
  static let mostBytes = 512 << 10
  private static let mostTotalBytes = 4 << 20
  private static let mostBlocks = 16

  /// The last released is the last.
  private var blocks: [(start: UInt, bytes: Int)] = []
  private var totalBytes = 0

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let error = pthread_key_create(&key) { blocks in
      // Optional for some C libraries alone.
      let blocks: UnsafeMutableRawPointer? = blocks
      Unmanaged<RecentBlocks>.fromOpaque(blocks!).release()
    }
    require(error == 0, "out of keys for what belongs to a thread")
    return key
  }()

  private static var ofThread: RecentBlocks? {
    pthread_getspecific(key).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
  }

  private init() { pthread_setspecific(Self.key, Unmanaged.passRetained(self).toOpaque()) }

  deinit { for (start, bytes) in blocks { StoragePool.giveBack(start, bytes) } }

  /// A block of exactly `bytes`, if this thread has released one.
  static func take(_ bytes: Int) -> UInt? {
    guard let recent = ofThread, let index = recent.blocks.lastIndex(where: { $0.bytes == bytes }) else { return nil }
    recent.totalBytes -= bytes
    return recent.blocks.remove(at: index).start
  }

  /// Keeps a block, and has others go back to the pool where there are too many now; false if it is too large to be kept.
  static func give(_ start: UInt, _ bytes: Int) -> Bool {
    guard bytes <= mostBytes else { return false }
    let recent = ofThread ?? RecentBlocks()
    recent.blocks.append((start, bytes))
    recent.totalBytes += bytes
    while recent.totalBytes > mostTotalBytes || recent.blocks.count > mostBlocks {
      let first = recent.blocks.removeFirst()
      recent.totalBytes -= first.bytes
      StoragePool.giveBack(first.start, first.bytes)
    }
    return true
  }
}
