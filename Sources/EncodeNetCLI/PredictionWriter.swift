import Foundation
import Reports

/// Writes the likeliest classes of images: a table at the end, or CSV or JSON line by line.
struct PredictionWriter {
  private let format: Predict.Format
  private let classes: [String]
  private let top: Int
  /// Whether lines are kept until the end, and not printed.
  private let isHeld: Bool
  private var rows: [[String]] = []
  private var held = ""

  init(_ format: Predict.Format, classes: [String], top: Int, isHeld: Bool) {
    (self.format, self.classes, self.top, self.isHeld) = (format, classes, min(top, classes.count), isHeld)
  }

  /// Writes what stands before all predictions.
  mutating func begin() {
    guard format == .csv else { return }
    put((["path"] + (1...top).flatMap { ["class\($0)", "probability\($0)"] }).joined(separator: ","))
  }

  /// Writes the predictions of images, of which `probabilities` are `[images, classes]`.
  mutating func add(_ paths: [String], _ probabilities: Tensor) {
    let scalars = probabilities.scalars
    for (row, path) in paths.enumerated() {
      let values = scalars[row * classes.count..<(row + 1) * classes.count]
      let best = values.indices.sorted { (values[$0], $1) > (values[$1], $0) }.prefix(top)
        .map { (name: classes[$0 - row * classes.count], probability: Double(values[$0])) }
      switch format {
      case .table: rows.append([path.escaped()] + best.map { "\($0.name.escaped()) \(percent($0.probability))" })
      case .csv:
        put(
          ([Self.quoted(path)] + best.flatMap { [Self.quoted($0.name), Self.text($0.probability)] })
            .joined(separator: ","))
      case .jsonl:
        let list = best.map { "{\"class\":\(Self.json($0.name)),\"probability\":\(Self.text($0.probability))}" }
        put("{\"path\":\(Self.json(path)),\"classes\":[\(list.joined(separator: ","))]}")
      }
    }
  }

  /// What is not printed yet.
  func end() -> String { format == .table ? aligned([], rows) + "\n" : held }

  private mutating func put(_ line: String) {
    if isHeld { held += line + "\n" } else { print(line) }
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
