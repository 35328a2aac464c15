import ArgumentParser
import Foundation
import Logging
import Reports

/// What is said while a command works, on standard error, and with how many threads it works.
struct ConsoleOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say only what was found, not how it goes.")
  var quiet = false

  @Flag(help: "Look at every operation for what is not finite, and name the first; slower.")
  var detectAnomaly = false

  @Option(help: "Threads that share the work (default: all processors).")
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
  /// Says what an epoch of a stage did.
  func epoch(_ stage: String, _ report: EpochReport) {
    let space = String(repeating: " ", count: max(1, 12 - stage.count))
    info("\(stage)\(space)\(report)")
  }
}

/// Writes a line to standard error, quiet or not.
func warn(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

/// Columns of words, for a terminal.
func aligned(_ names: [String], _ rows: [[String]]) -> String {
  ReportTable(names: names, rows: rows, textColumns: .max).text
}
