import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The one place where work is spread over threads.
package enum Parallel {
  private static let requested = Atomic<Int>(0)

  /// How many threads share the work of one operation; at first the number of active processors.
  package static var threadCount: Int {
    get {
      let count = requested.load(ordering: .relaxed)
      return count > 0 ? count : processorCount
    }
    set { requested.store(max(1, newValue), ordering: .relaxed) }
  }
  private static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Runs `body` on consecutive ranges that cover `0..<count`, each of at least `grain` items but perhaps the last.
  ///
  /// The ranges depend on `count`, `grain` and `threadCount` alone, so results repeat for a given thread count.
  package static func forEach(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    let pieces = min(threadCount, (count + grain - 1) / max(grain, 1))
    guard pieces > 1 else { return body(0..<count) }
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: pieces) { piece in
        body(count * piece / pieces..<count * (piece + 1) / pieces)
      }
    }
  }
}
