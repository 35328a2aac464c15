import Synchronization
import Testing

@testable import Kernels

@Suite("Work on threads") struct ParallelTests {
  @Test(arguments: [1, 2, 3], [1, 7, 1000])
  func sweepsComeToEverythingOnceThereAndBack(threads: Int, count: Int) {
    let visits = Mutex([Int](repeating: 0, count: count))
    for sweep in 1...4 {
      Parallel.withThreads(threads) {
        Parallel.sweep(count, grain: 3) { range in visits.withLock { for i in range { $0[i] += 1 } } }
      }
      #expect(visits.withLock { $0 } == [Int](repeating: sweep, count: count))
    }
  }
}
