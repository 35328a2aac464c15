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

  @Option(help: "The number of threads, at least 1 (default: all processors).")
  var threads: Int?

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads), it must be at least 1") }
  }

  /// Sets the threads, and gives the logger.
  func logger() -> Logger {
    if let threads { Parallel.threadCount = threads }
    Computation.detectsAnomalies = detectAnomaly
    var logger = Logger(label: "encodenet") { _ in LineHandler() }
    logger.logLevel = quiet ? .warning : .info
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

  func log(event: LogEvent) { writeError("\(event.message)") }
}

extension Logger {
  /// Logs the report of an epoch.
  func epoch(_ stage: String, _ report: EpochReport) {
    let space = String(repeating: " ", count: max(1, 12 - stage.count))
    info("\(stage)\(space)\(report)")
  }
}

/// Writes a line to standard error, quiet or not.
func warn(_ text: String) { writeError(text) }

/// Writes a line to standard error, after all that was printed: to a pipe or a file that waits in a buffer.
func writeError(_ text: String) {
  fflush(nil)
  FileHandle.standardError.write(Data("\(text)\n".utf8))
}

/// Warns of what the source of `data` has and was left out.
func warn(of data: DatasetSplit) {
  for notice in data.notices { warn("\(data.name): \(notice)") }
}

/// Columns of words, for a terminal.
func aligned(_ names: [String], _ rows: [[String]]) -> String {
  ReportTable(names: names, rows: rows, textColumns: .max).text
}
