#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The address space that OpenBLAS takes for each thread: where it gets none, it tries again for ever.
package enum OpenBLASMemory {
  /// Its `BUFFER_SIZE` on processors with AVX-512, the largest.
  private static let bytesPerThread = 128 << 20

  /// The problem where the system does not give so much: it is asked for, and given back.
  package static func problem(threads: Int) -> String? {
    let threads = min(threads, Parallel.largestThreadCount)
    // A buffer more, for what else is allocated in between.
    let bytes = (threads + 1) * bytesPerThread
    if let space = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | mapAnonymous, -1, 0), space != MAP_FAILED {
      munmap(space, bytes)
      return nil
    }
    return "out of memory: OpenBLAS takes \(bytes >> 20) MiB of address space for \(threads) "
      + "thread\(threads == 1 ? "" : "s"), which the system does not give: use fewer threads, or raise the limit 'ulimit -v'"
  }
}
