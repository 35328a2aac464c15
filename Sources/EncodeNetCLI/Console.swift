import ArgumentParser
import Foundation
import Logging
import Reports

/// The messages of a command on standard error, and its threads.
struct ConsoleOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Print results only, no progress.")
  var quiet = false

  @Flag(help: "Check the output of every operation for NaN and infinity, and name the first; slower.")
  var detectAnomaly = false

  @Option(
    help:
      "The number of threads, from 1 to \(Parallel.largestThreadCount) (default: the processors that this process may use)."
  )
  var threads: Int?

  @Option(
    help:
      "On several ranks: seconds after which one that stands still while others wait for it ends all, 0 for never (default: 300)."
  )
  var rankTimeout = 300.0

  func validate() throws {
    guard rankTimeout == 0 || (1...1e6).contains(rankTimeout) else {
      throw ValidationError("--rank-timeout is \(rankTimeout), it must be 0 or from 1 to 1000000 seconds")
    }
    if let threads, !(1...Parallel.largestThreadCount).contains(threads) {
      throw ValidationError("--threads is \(threads), it must be from 1 to \(Parallel.largestThreadCount)")
    }
  }

  /// Sets the threads, and gives the logger.
  ///
  /// - Throws: Where there is too little memory for them.
  func logger() throws -> Logger {
    if let threads = threads ?? World.usualThreadCount { Parallel.threadCount = threads }
    if let problem = OpenBLASMemory.problem(threads: Parallel.threadCount) { throw ExperimentError(problem) }
    Computation.detectsAnomalies = detectAnomaly
    var logger = Logger(label: "encodenet") { _ in LineHandler() }
    logger.logLevel = quiet ? .warning : .info
    let ranks = World.ranks
    if ranks.size > 1 {
      if rankTimeout > 0 { watchWorld(ranks, stall: .seconds(rankTimeout)) }
      let machines = Set(ranks.gathered(ranks.host)).count
      let threads = Parallel.threadCount
      logger.info(
        "\(ranks.size) ranks on \(machines) machine\(machines == 1 ? "" : "s"), the first with \(threads) thread\(threads == 1 ? "" : "s")"
      )
    }
    return logger
  }
}

/// Writes each message as a line to standard error.
struct LineHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { warn("\(event.message)") }
}

extension Logger {
  /// Logs the report of an epoch.
  func epoch(_ stage: String, _ report: EpochReport) {
    let space = String(repeating: " ", count: max(1, 12 - stage.count))
    info("\(stage)\(space)\(report)")
  }
}

/// Writes a line to standard error, quiet or not.
///
/// After all that was printed: to a pipe or a file that waits in a buffer.
func warn(_ text: String) {
  fflush(nil)
  writeNotice(text)
}

/// Warns of what the source of `data` has and was left out.
func warn(of data: DatasetSplit) {
  for notice in data.notices { warn("\(data.name): \(notice)") }
}

/// Columns of words, for a terminal.
func aligned(_ names: [String], _ rows: [[String]]) -> String {
  ReportTable(names: names, rows: rows, textColumns: .max).text
}

/// A line on standard error that is written over on a terminal.
final class StatusLine {
  private let isQuiet: Bool
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private var last = ContinuousClock.now

  init(isQuiet: Bool) { self.isQuiet = isQuiet || !World.ranks.isFirst }

  private func write(_ text: String) { writeToStandardError(text) }

  func say(_ text: String) { if !isQuiet { write((isTerminal ? "\r\u{1b}[K" : "") + text + "\n") } }

  /// Now and then.
  func show(_ text: String) {
    guard !isQuiet, ContinuousClock.now - last > (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
    last = .now
    write(isTerminal ? "\r\u{1b}[K\(text)" : text + "\n")
  }

  /// Makes room for another line.
  func clear() { if !isQuiet, isTerminal { write("\r\u{1b}[K") } }
}
