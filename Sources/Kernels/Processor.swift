import CKernels

#if canImport(Glibc)
  import Glibc
#endif

/// The properties that the blocking of kernels depends on.
enum Processor {
  /// Bytes of a core's second-level cache; 512 KiB where the system does not tell.
  static let secondLevelCache: Int = {
    #if canImport(Glibc)
      max(Tuning.Cache.secondLevel, sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)))
    #else
      Tuning.Cache.secondLevel
    #endif
  }()

  /// Whether a core has registers for the sums of twelve rows of two panels, and a second-level cache of 2 MiB: then larger blocks,
  /// which read the much slower third-level cache less often, pay. Intel's cores with AVX-512 have had both since 2021.
  static let hasLargeBlocks = en_max_mr() > 6 && secondLevelCache >= Tuning.Cache.largeSecondLevel
}
