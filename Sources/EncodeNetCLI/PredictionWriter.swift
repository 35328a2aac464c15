import Foundation
import Reports

/// Writes the likeliest classes of images as they come: a table, CSV, or a JSON object a line.
final class PredictionWriter {
  private let format: Predict.Format
  private let classes: [String]
  private let top: Int
  private let file: GrowingFile?
  /// The widths of the table's columns, of which the last is not filled.
  private var widths: [Int]
  private var rows: [[String]] = []

  /// - Parameters:
  ///   - pathWidth: The length of the longest path.
  ///   - file: nil for standard output.
  init(_ format: Predict.Format, classes: [String], top: Int, pathWidth: Int, to file: GrowingFile?) {
    (self.format, self.classes, self.top, self.file) = (format, classes, min(top, classes.count), file)
    widths = [pathWidth] + [Int](repeating: 0, count: self.top)
  }

  /// Writes what stands before all predictions.
  func begin() throws {
    guard format == .csv else { return }
    let names = ["path"] + (1...top).flatMap { ["class\($0)", "probability\($0)"] } + ["error"]
    try put([names.joined(separator: ",")])
  }

  /// Adds the prediction of an image, of which `probabilities` are those of the classes.
  func add(_ path: String, _ probabilities: ArraySlice<Scalar>) {
    let best = probabilities.indices.sorted { (probabilities[$0], $1) > (probabilities[$1], $0) }.prefix(top)
      .map { (name: classes[$0 - probabilities.startIndex], probability: Double(probabilities[$0])) }
    switch format {
    case .table: rows.append([path.escaped()] + best.map { "\($0.name.escaped()) \(percent($0.probability))" })
    case .csv:
      rows.append([Self.quoted(path)] + best.flatMap { [Self.quoted($0.name), Self.text($0.probability)] } + [""])
    case .jsonl:
      let list = best.map { "{\"class\":\(Self.json($0.name)),\"probability\":\(Self.text($0.probability))}" }
      rows.append(["{\"path\":\(Self.json(path)),\"classes\":[\(list.joined(separator: ","))]}"])
    }
  }

  /// Adds a file that cannot be read.
  func add(_ path: String, unreadable problem: String) {
    switch format {
    case .table: rows.append([path.escaped(), "cannot be read: \(problem.escaped(.max))"])
    case .csv: rows.append([Self.quoted(path)] + [String](repeating: "", count: 2 * top) + [Self.quoted(problem)])
    case .jsonl: rows.append(["{\"path\":\(Self.json(path)),\"error\":\(Self.json(problem))}"])
    }
  }

  /// Writes out what was added.
  func flush() throws {
    defer { rows = [] }
    guard format == .table else { return try put(rows.map { $0.joined(separator: ",") }) }
    for row in rows where row.count == widths.count {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    try put(
      rows.map { row in
        row.enumerated().map { column, cell in
          column + 1 == row.count ? cell : cell + String(repeating: " ", count: max(0, widths[column] - cell.count))
        }.joined(separator: "  ")
      })
  }

  /// Writes out all, and gives the file its name.
  func end() throws {
    try flush()
    try file?.finish()
  }

  private func put(_ lines: [String]) throws {
    guard !lines.isEmpty else { return }
    if let file { return try file.append(lines.joined(separator: "\n") + "\n") }
    for line in lines { print(line) }
    // Whoever reads the lines may be gone.
    if let problem = StandardStreams.flush() { throw ExperimentError(problem) }
  }

  private static func text(_ probability: Double) -> String { String(format: "%.6f", probability) }

  /// A field of CSV, in quotation marks where it needs them.
  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { ",;\"".contains($0) || $0.isNewline }) else { return field }
    return "\"\(field.replacing("\"", with: "\"\""))\""
  }

  private static func json(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: (try? encoder.encode(text)) ?? Data("null".utf8), as: UTF8.self)
  }
}

/// A file that is written line by line as `NAME.partial`, and takes its name when it is whole.
final class GrowingFile {
  private let url: URL
  private let partial: URL?
  private let handle: FileHandle

  /// Opens it; a device or a pipe is written to as it is.
  init(_ url: URL) throws {
    var information = stat()
    let isOther = stat(url.path, &information) == 0 && information.st_mode & S_IFMT != S_IFREG
    let partial = isOther ? nil : url.appendingPathExtension("partial")
    (self.url, self.partial) = (url, partial)
    do {
      if let partial { try Data().write(to: partial) }
      handle = try FileHandle(forWritingTo: partial ?? url)
    } catch { throw Self.failure(url, error) }
  }

  func append(_ text: String) throws {
    do { try handle.write(contentsOf: Data(text.utf8)) } catch { throw Self.failure(url, error) }
  }

  func finish() throws {
    do {
      if partial != nil { try handle.synchronize() }
      try handle.close()
    } catch { throw Self.failure(url, error) }
    if let partial, rename(partial.path, url.path) != 0 {
      throw ExperimentError("\(url.path): cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  private static func failure(_ url: URL, _ error: any Error) -> ExperimentError {
    ExperimentError("\(url.path): cannot be written: \(error.localizedDescription)")
  }
}
