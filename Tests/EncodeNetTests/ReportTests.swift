import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct ReportTests {
  /// Returns the parts of `value` that do not fit `schema`: as much of JSON Schema as the report's needs.
  private func problems(_ value: Any, _ schema: [String: Any], _ path: String = "") -> [String] {
    var found: [String] = []
    func has(_ type: String) -> Bool {
      switch type {
      case "object": value is [String: Any]
      case "array": value is [Any]
      case "string": value is String
      case "null": value is NSNull
      case "boolean": value is Bool
      case "integer": (value as? Double).map { $0 == $0.rounded() } ?? false
      default: value is Double
      }
    }
    let types = schema["type"].map { $0 as? [String] ?? [$0 as? String ?? ""] } ?? []
    if !types.isEmpty, !types.contains(where: has) { found.append("\(path) is \(value), not \(types)") }
    if let choices = schema["enum"] as? [String], !choices.contains(value as? String ?? "") {
      found.append("\(path) is \(value), not one of \(choices)")
    }
    if let expected = schema["const"] as? Double, value as? Double != expected {
      found.append("\(path) is not \(expected)")
    }
    if let object = value as? [String: Any] {
      let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
      let required = schema["required"] as? [String] ?? []
      found += required.filter { object[$0] == nil }.map { "\(path) lacks \($0)" }
      for (name, inner) in object {
        if let inside = properties[name] ?? schema["additionalProperties"] as? [String: Any] {
          found += problems(inner, inside, "\(path)/\(name)")
        } else if schema["additionalProperties"] as? Bool == false {
          found.append("\(path) has \(name), which the schema does not know")
        }
      }
    }
    if let list = value as? [Any], let items = schema["items"] as? [String: Any] {
      for (index, item) in list.enumerated() { found += problems(item, items, "\(path)/\(index)") }
    }
    return found
  }

  private func schema() throws -> [String: Any] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: root.appendingPathComponent("Docs/report.schema.json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test(arguments: [["A0", "A2", "A3", "A5"], ["A0", "A1"], ["A0"]])
  func theReportIsWhatItsSchemaSays(arms: [String]) throws {
    try withFolder { folder in
      var configuration = try smallConfiguration(arms)
      configuration.seeds = [0, 1]
      configuration.validationShare = arms.count == 1 ? 0 : 0.1
      let report = try Experiment(configuration).run(on: plantedData(), in: folder, model: { Tiny(&$0) })
      let json = try Data(contentsOf: folder.appendingPathComponent("report.json"))
      let found = problems(try JSONSerialization.jsonObject(with: json), try schema())
      #expect(found.isEmpty, "\(found.prefix(5))")
      #expect(report.comparisons.allSatisfy { Verdict.allCases.contains($0.verdict) })
    }
  }

  @Test func theReadmeAndTheChangelogNameThisVersion() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    func text(_ name: String) throws -> String {
      try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
    }
    #expect(try text("README.md").contains("from: \"\(libraryVersion)\""))
    #expect(try text("CHANGELOG.md").contains("## \(libraryVersion)\n"))
  }

  @Test func theSchemaRefusesWhatIsNoReport() throws {
    let json = Data(#"{"version": 3, "arms": [{"id": 3}], "verdict": "great"}"#.utf8)
    let found = problems(try JSONSerialization.jsonObject(with: json), try schema())
    #expect(found.contains { $0.contains("lacks comparisons") } && found.contains { $0.contains("/arms/0/id is 3") })
  }

  @Test func whatIsNoReportIsNamed() throws {
    try withFolder { folder in
      let missing = folder.appendingPathComponent("missing")
      #expect(throws: ExperimentError.self) { try ExperimentReport.rebuilt(in: missing) }
      let error = #expect(throws: ExperimentError.self) { try ExperimentReport.rebuilt(in: folder) }
      #expect(error?.description.contains("report.json: there is no report") == true)
      try Data("{}".utf8).write(to: folder.appendingPathComponent("report.json"))
      #expect(throws: ExperimentError.self) { try ExperimentReport.rebuilt(in: folder) }
    }
  }

  @Test func aSecondProcessIsKeptOut() throws {
    try withFolder { folder in
      try RunLock.requireFree(folder)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      let lock = try RunLock(folder)
      #expect(throws: ExperimentError.self) { try RunLock.requireFree(folder) }
      let error = #expect(throws: ExperimentError.self) { try RunLock(folder) }
      #expect(error?.description.contains("another process") == true)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func namesFromOutsideStayText() throws {
    let data = try plantedData()
    func renamed(_ images: LabeledImages) throws -> LabeledImages {
      try LabeledImages(
        name: "<script>alert(1)</script>", pixels: images.pixels, labels: images.labels, imageShape: images.imageShape,
        classNames: ["a\"><b>", "c|d\ne"])
    }
    try withFolder { folder in
      var configuration = try smallConfiguration(["A0", "A3"])
      configuration.arms[1].name = "<i>arm</i>"
      _ = try Experiment(configuration).run(
        on: DatasetSplit(training: renamed(data.training), test: renamed(data.test)), in: folder, model: { Tiny(&$0) })
      for page in ["report.html", "progress.html"] {
        let html = try String(contentsOf: folder.appendingPathComponent(page), encoding: .utf8)
        for wrong in ["<script", "<b>", "<i>"] { #expect(!html.contains(wrong), "\(page) has \(wrong)") }
      }
      let markdown = try String(contentsOf: folder.appendingPathComponent("report.md"), encoding: .utf8)
      for wrong in ["<script", "<b>", "<i>"] { #expect(!markdown.contains(wrong), "report.md has \(wrong)") }
      #expect(markdown.contains("| c\\|d\\ne |"))
      // Every row of a table has as many bars as its head.
      var bars: Int?
      for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
        guard line.hasPrefix("|") else {
          bars = nil
          continue
        }
        let found = line.replacing("\\|", with: "").count { $0 == "|" }
        #expect(found == bars ?? found && line.hasSuffix("|"), "\(line)")
        bars = found
      }
    }
  }

  @Test func ticksAreRoundAndFew() {
    for range in [0.0...1, 0.123...0.456, -3...17, 0...1e6, 99.1...99.2] {
      let found = ticks(range)
      #expect((2...6).contains(found.count) && found.allSatisfy { range.contains($0) }, "\(range): \(found)")
    }
  }
}
