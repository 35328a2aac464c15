import Foundation
import Synchronization
import Testing

@testable import Kernels

@Suite("Work on threads") struct ParallelTests {
  /// How often each item was visited.
  private final class Visits: Sendable {
    private let counts: Mutex<[Int]>
    init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
    func add(_ range: Range<Int>) { counts.withLock { for i in range { $0[i] += 1 } } }
    func areAll(_ times: Int) -> Bool { counts.withLock { $0.allSatisfy { $0 == times } } }
  }

  @Test(arguments: [1, 2, 3], [1, 7, 1000])
  func sweepsComeToEverythingOnceThereAndBack(threads: Int, count: Int) {
    let visits = Visits(count)
    for sweep in 1...4 {
      Parallel.withThreads(threads) { Parallel.sweep(count, grain: 3) { visits.add($0) } }
      #expect(visits.areAll(sweep))
    }
  }

  /// A call inside another one finds the pool taken, and does its work itself.
  @Test(arguments: [1, 2, 5]) func nestedCallsComeToEverythingOnce(threads: Int) {
    let visits = Visits(40 * 50 * 3)
    Parallel.withThreads(threads) {
      Parallel.forEach(40) { outer in
        for i in outer {
          Parallel.sweep(50) { inner in
            for j in inner {
              let first = (i * 50 + j) * 3
              Parallel.forEach(3) { visits.add(first + $0.lowerBound..<first + $0.upperBound) }
            }
          }
        }
      }
    }
    #expect(visits.areAll(1))
  }

  /// One caller at a time has the pool; the others go on without it, and none waits for another.
  @Test(arguments: [2, Processors.count + 1, 4 * Processors.count + 3])
  func anyNumberOfCallersAtOnceComeToEverythingOnce(callers: Int) {
    let visits = (0..<callers).map { _ in Visits(100) }
    atOnce(callers) { caller in
      // Callers disagree on the number of threads, so that the pool grows and shrinks between their jobs.
      Parallel.withThreads(caller % 4 + 1) {
        for _ in 0..<300 { Parallel.forEach(100, grain: 1 + caller % 3) { visits[caller].add($0) } }
      }
    }
    for (caller, visits) in visits.enumerated() { #expect(visits.areAll(300), "caller \(caller) of \(callers)") }
  }

  /// A caller whose own pieces are done first waits for those that others still have.
  @Test func aCallReturnsWhenTheSlowestPieceIsDone() {
    for slow in 0..<4 {
      let done = Counter()
      Parallel.withThreads(4) {
        Parallel.forEach(4) { range in
          if range.contains(slow) { Thread.sleep(forTimeInterval: 0.02) }
          done.add(range.count)
        }
      }
      #expect(done.value == 4, "returned before piece \(slow) was done")
    }
  }

  /// How the work is cut depends on the number of threads asked for, not on how many were free: so results repeat.
  @Test func piecesAreTheSameUnderContention() {
    @Sendable func pieces() -> Set<Range<Int>> {
      let found = Mutex<Set<Range<Int>>>([])
      Parallel.withThreads(3) { Parallel.forEach(1000, grain: 7) { range in found.withLock { _ = $0.insert(range) } } }
      return found.withLock { $0 }
    }
    let alone = pieces()
    let different = Counter()
    atOnce(5) { _ in
      for _ in 0..<50 where pieces() != alone { different.add(1) }
    }
    #expect(alone.count > 1 && different.value == 0)
  }

  private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ n: Int) { count.add(n, ordering: .relaxed) }
  }

  /// Runs `body` on `count` threads of the system's, which wait for each other first.
  private func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let (group, arrived) = (DispatchGroup(), Counter())
    for i in 0..<count {
      group.enter()
      Thread.detachNewThread {
        arrived.add(1)
        while arrived.value < count { sched_yield() }
        body(i)
        group.leave()
      }
    }
    group.wait()
  }
}
