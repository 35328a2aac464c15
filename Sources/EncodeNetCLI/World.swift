import Foundation
import Reports

extension Communicator {
  /// The numbers of all ranks, one after the other.
  func joined(_ numbers: [Scalar]) -> [Scalar] {
    guard size > 1 else { return numbers }
    return gathered(numbers.withUnsafeBytes { Array($0) }).flatMap { bytes in
      bytes.withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
    }
  }
}

/// The ranks that a launcher, such as `mpirun`, has started with this process.
enum World {
  /// All ranks; joined before anything is printed, and set once.
  nonisolated(unsafe) private(set) static var ranks: any Communicator = SingleProcess()

  /// Joins the others. Results and messages are those of the first rank alone: what another prints goes nowhere.
  static func join() throws {
    ranks = try joinWorld()
    guard !ranks.isFirst else { return }
    StandardError.isSilent = true
    let nowhere = open("/dev/null", O_WRONLY)
    if nowhere >= 0 {
      dup2(nowhere, STDOUT_FILENO)
      close(nowhere)
    }
  }

  /// The number of threads of each rank where nothing says: the machine's processors are shared by its ranks, but for those that the
  /// launcher has bound to processors of their own.
  static var usualThreadCount: Int? {
    guard ranks.localSize > 1 else { return nil }
    let available = Parallel.threadCount
    return available * ranks.localSize <= ProcessInfo.processInfo.processorCount
      ? available : max(1, available / ranks.localSize)
  }

  /// Runs `body`, which reads files and may write a cache of them, on the first rank, then on the first of every other machine, then on
  /// all others.
  static func inTurns<R>(_ body: () throws -> R) throws -> R {
    guard ranks.size > 1 else { return try body() }
    let ownTurn = ranks.isFirst ? 0 : ranks.localRank == 0 ? 1 : 2
    var result: R?
    for turn in 0..<3 {
      if turn == ownTurn { result = try body() }
      ranks.meet()
    }
    return result!
  }

  /// Throws on all ranks where they were not started alike, or have other data.
  static func requireAgreement(_ settings: String, data: String) throws(ExperimentError) {
    guard ranks.size > 1 else { return }
    let problem = ranks.disagreement(about: [
      RankFact("the version of encodenet", libraryVersion), RankFact("the settings", settings),
      RankFact("the images", data),
    ])
    if let problem { throw ExperimentError("the ranks do not agree: \(problem)") }
  }

  /// Ends this rank where all end.
  static func leave(_ code: Int32) -> Never {
    leaveWorld(ranks)
    Foundation.exit(code)
  }

  /// Ends all ranks for an error of this one, which the first writes. Where it is not the first rank's, another tells its own.
  static func fail(_ line: String, _ code: Int32) -> Never {
    if !ranks.isFirst {
      // The first rank has most likely the same error, and ends all.
      Thread.sleep(forTimeInterval: 1 + 0.2 * Double(min(ranks.rank, 20)))
      StandardError.isSilent = false
    }
    warn(ranks.isFirst ? line : "\(line), on \(ranks.name)")
    guard ranks.size > 1 else { Foundation.exit(code) }
    ranks.abort(code)
  }
}
