import Dispatch
import Synchronization

/// The groups of seeds that run side by side, and their threads: measured once for a run, then saved, since results
/// repeat only with the same threads.
package struct SeedSchedule: Codable, Equatable {
  /// Seeds that run at the same time, group by group.
  var groups: [[UInt64]]
  /// Threads of each seed of a group.
  var threads: [Int]

  /// All cores for one seed after the other.
  package init(oneByOne seeds: [UInt64], cores: Int) {
    groups = seeds.map { [$0] }
    threads = seeds.map { _ in cores }
  }

  /// Chooses the faster: all cores for each seed in turn, or seeds side by side and those left over in turn.
  ///
  /// - Parameter step: Makes a step of training, for each seed.
  package init(fastestFor seeds: [UInt64], cores: Int, step: @escaping @Sendable () throws -> () -> Void) throws {
    self.init(oneByOne: seeds, cores: cores)
    let abreast = min(seeds.count, cores)
    guard abreast > 1 else { return }
    let alone = try Self.seconds(1, threads: cores, step)
    let together = try Self.seconds(abreast, threads: cores / abreast, step) / Double(abreast)
    guard together < alone else { return }
    let full = seeds.count / abreast * abreast
    groups =
      stride(from: 0, to: full, by: abreast).map { Array(seeds[$0..<$0 + abreast]) } + seeds[full...].map { [$0] }
    threads = groups.map { $0.count == abreast ? cores / abreast : cores }
  }

  /// Whether it runs each of `seeds` once.
  package func fits(_ seeds: [UInt64], cores: Int) -> Bool {
    groups.joined().sorted() == seeds.sorted() && groups.count == threads.count
      && threads.allSatisfy { (1...cores).contains($0) }
  }

  /// The threads of each seed.
  package func threads(of seeds: [UInt64]) -> [Int] {
    seeds.map { seed in zip(groups, threads).first { $0.0.contains(seed) }?.1 ?? 0 }
  }

  /// The time of a step with so many at once.
  private static func seconds(_ count: Int, threads: Int, _ step: @escaping @Sendable () throws -> () -> Void) throws
    -> Double
  {
    let failure = Mutex<(any Error)?>(nil)
    let slowest = Mutex(0.0)
    DispatchQueue.concurrentPerform(iterations: count) { _ in
      do {
        let step = try step()
        let time = Parallel.withThreads(threads) {
          for _ in 0..<3 { step() }
          return ContinuousClock().measure { for _ in 0..<10 { step() } } / .seconds(10)
        }
        slowest.withLock { $0 = max($0, time) }
      } catch { failure.withLock { $0 = error } }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    return slowest.withLock { $0 }
  }

  /// Runs `body` for every seed; the first error stops the rest after their present step.
  package func run(
    _ body: @escaping @Sendable (_ seed: UInt64, _ shouldStop: @escaping @Sendable () -> Bool) throws -> Void
  )
    throws
  {
    for (group, threads) in zip(groups, threads) {
      let failure = Shared<(any Error)?>(nil)
      DispatchQueue.concurrentPerform(iterations: group.count) { index in
        do {
          try Parallel.withThreads(threads) { try body(group[index]) { failure.value.withLock { $0 != nil } } }
        } catch { failure.value.withLock { $0 = $0 ?? error } }
      }
      if let error = failure.value.withLock({ $0 }) { throw error }
    }
  }
}

/// A value that several threads share.
package final class Shared<Value>: Sendable {
  package let value: Mutex<Value>
  package init(_ value: sending Value) { self.value = Mutex(value) }
}
