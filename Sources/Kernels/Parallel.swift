import CKernels
import Synchronization

/// Spreads work over threads.
package enum Parallel {
  private static let requested = Atomic<Int>(0)

  /// The number of threads for one operation; initially ``Processors/count``.
  package static var threadCount: Int {
    get {
      if let limit { return limit }
      let count = requested.load(ordering: .relaxed)
      return count > 0 ? count : Processors.count
    }
    set { requested.store(max(1, newValue), ordering: .relaxed) }
  }
  @TaskLocal private static var limit: Int?

  /// The largest number of threads that help with one operation.
  package static let largestThreadCount = 256

  /// Runs `body` with `count` threads for each operation, whatever ``threadCount`` is.
  package static func withThreads<R>(_ count: Int, _ body: () throws -> R) rethrows -> R {
    try $limit.withValue(max(1, count), operation: body)
  }

  /// Runs `body` on consecutive ranges that cover `0..<count`, each of at least `grain` items but perhaps the last.
  ///
  /// There are a few ranges for each thread, so that a slow thread does not delay the others. The ranges depend on `count`,
  /// `grain` and `threadCount` only, so results repeat for a given thread count. Nested calls run on the calling thread; any
  /// number of threads may call at once.
  package static func forEach(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    run(count, grain: grain, piecesPerThread: Tuning.Tasks.perThread, isReversed: false, body)
  }

  /// `forEach` over a large tensor, every other call from its end to its beginning.
  ///
  /// The operation before most likely swept over the same memory, and its last part is still in a cache.
  package static func sweep(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    let isReversed = reversesNext.logicalXor(true, ordering: .relaxed).oldValue
    run(count, grain: grain, piecesPerThread: Tuning.Tasks.perThreadOfSweep, isReversed: isReversed, body)
  }
  private static let reversesNext = Atomic<Bool>(false)

  private static func run(
    _ count: Int, grain: Int, piecesPerThread: Int, isReversed: Bool, _ body: (Range<Int>) -> Void
  ) {
    guard count > 0 else { return }
    let threads = threadCount
    let pieces = threads == 1 && !isReversed ? 1 : min(threads * piecesPerThread, (count + grain - 1) / max(grain, 1))
    guard pieces > 1 else { return body(0..<count) }
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body, count: count, pieces: pieces)
      withUnsafeMutablePointer(to: &job) { job in
        en_parallel(
          pieces, threads, isReversed ? 1 : 0,
          { job, piece in
            let job = job!.assumingMemoryBound(to: Job.self).pointee
            job.body(job.count * piece / job.pieces..<job.count * (piece + 1) / job.pieces)
          }, job)
      }
    }
  }

  private struct Job {
    let body: (Range<Int>) -> Void
    let count: Int
    let pieces: Int
  }
}
