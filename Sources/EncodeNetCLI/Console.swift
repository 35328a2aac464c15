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

  func log(event: LogEvent) { FileHandle.standardError.write(Data("\(event.message)\n".utf8)) }
}

extension Logger {
  /// Logs the report of an epoch.
  func epoch(_ stage: String, _ report: EpochReport) {
    let space = String(repeating: " ", count: max(1, 12 - stage.count))
    info("\(stage)\(space)\(report)")
  }
}

/// Writes a line to standard error, quiet or not.
func warn(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

/// 0.9173 as "91.73 %".
func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }

/// Rows of cells in columns of equal width, the first row being their names.
func aligned(_ rows: [[String]]) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
    return cells.dropLast().map { $0 + "  " }.joined() + (row.last ?? "")
  }.joined(separator: "\n")
}
