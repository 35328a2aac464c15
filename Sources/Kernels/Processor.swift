import CKernels

#if canImport(Glibc)
  import Glibc
#endif

/// What the blocking of kernels depends on.
enum Processor {
  /// Bytes of a core's second-level cache; what servers have had at least, where the system does not tell.
  static let secondLevelCache: Int = {
    #if canImport(Glibc)
      max(512 << 10, sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)))
    #else
      512 << 10
    #endif
  }()

  /// Whether a core has registers for the sums of twelve rows of two panels, and a second-level cache of 2 MiB beside a third that
  /// is so much slower that it pays to come back to it less often. Intel's with AVX-512 have had both since 2021.
  static let isRoomy = en_most_rows() > 6 && secondLevelCache >= 2 << 20
}
