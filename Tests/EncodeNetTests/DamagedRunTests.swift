import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// The files of a run, damaged or edited: what follows from others is regenerated, and nothing stops the process.
@Suite struct DamagedRunTests {
  private func run(_ folder: URL) throws -> ExperimentReport {
    try Experiment(smallConfiguration(["A0", "A3"])).run(on: plantedData(), in: folder, model: { Tiny(&$0) })
  }

  /// `artifact` in other ways than the one that was written.
  private func damages(of artifact: String) throws -> [String] {
    // Still JSON of the right form: only the checksum can tell.
    func changed(after key: String) throws -> String {
      let value = try #require(artifact.range(of: "\"\(key)\""))
      let digit = try #require(artifact[value.upperBound...].firstIndex { "1234567".contains($0) })
      return artifact.replacingCharacters(
        in: digit...digit, with: "\(try #require(artifact[digit].wholeNumberValue) + 1)")
    }
    return [
      try changed(after: "value"), try changed(after: "key"), try changed(after: "checksum"),
      String(artifact.prefix(artifact.count / 2)), "",
    ]
  }

  @Test func anArtifactThatWasChangedIsMadeAnew() throws {
    try withFolder { folder in
      let whole = try run(folder)
      for name in ["clusters", "representatives", "diagnostics", "gallery"] {
        let url = folder.appendingPathComponent("seed-0/\(name).json")
        let before = try String(contentsOf: url, encoding: .utf8)
        for damaged in try damages(of: before) {
          try Data(damaged.utf8).write(to: url)
          let again = try run(folder)
          #expect(again.arms == whole.arms && again.seeds == whole.seeds, "\(name)")
          let after = try String(contentsOf: url, encoding: .utf8)
          #expect(after == before, "\(name)")
        }
      }
    }
  }

  @Test func aDamagedOutcomeIsNotScoredAgain() throws {
    try withFolder { folder in
      let whole = try run(folder)
      let seed = folder.appendingPathComponent("seed-0")
      let url = seed.appendingPathComponent("test-A3.json")
      let before = try String(contentsOf: url, encoding: .utf8)
      // The outcome of another arm is whole, but not of this one.
      let other = try String(contentsOf: seed.appendingPathComponent("test-A0.json"), encoding: .utf8)
      for damaged in try damages(of: before) + [other] {
        try Data(damaged.utf8).write(to: url)
        let error = #expect(throws: ExperimentError.self) { try run(folder) }
        let text = "\(String(describing: error))"
        #expect(
          text.contains("test-A3.json: is damaged") && text.contains("remove the folder \(seed.path) "), "\(text)")
        #expect(try String(contentsOf: url, encoding: .utf8) == damaged)
      }
      try FileManager.default.removeItem(at: seed)
      #expect(try run(folder).arms.map(\.accuracies) == whole.arms.map(\.accuracies))
    }
  }

  @Test func valuesThatPointNowhereAreNotTaken() {
    let group = Clusters.Class(label: 1, clusters: [[0, 2], [3]], silhouette: 0, inertia: 0, curve: [])
    let labels = [1, 0, 1, 1]
    let other = Clusters.Class(label: 0, clusters: [[1]], silhouette: 0, inertia: 0, curve: [])
    func clusters(_ lists: [[Int]]) -> Clusters {
      var changed = group
      changed.clusters = lists
      return Clusters(classes: [other, changed])
    }
    #expect(clusters([[0, 2], [3]]).fits(labels: labels))
    for wrong in [[[0, 2], [4]], [[0, 2], [-1]], [[0, 2], []], [[0, 2], [2]], [[0, 2]], [[0, 2], [3, 1]]] {
      #expect(!clusters(wrong).fits(labels: labels), "\(wrong)")
    }
    #expect(Representatives(classes: [[1], [2, 3]]).fits(clusters([[0, 2], [3]])))
    for wrong in [[[1], [3, 3]], [[1], [2]], [[1]], [[1], [2, 9]]] {
      #expect(!Representatives(classes: wrong).fits(clusters([[0, 2], [3]])), "\(wrong)")
    }
  }

  @Test func aReportThatPointsNowhereIsRefused() throws {
    try withFolder { folder in
      let report = try Experiment(smallConfiguration(["A0", "A3"])).run(
        on: plantedData(), in: folder, model: { Tiny(&$0) })
      func expect(_ says: String, _ change: (inout ExperimentReport) -> Void) throws {
        var changed = report
        change(&changed)
        let json = try JSONEncoder().encode(changed)
        try json.write(to: folder.appendingPathComponent("report.json"))
        let error = #expect(throws: ExperimentError.self) { try ExperimentReport.rebuilt(in: folder) }
        let text = "\(String(describing: error))"
        #expect(text.contains("report.json: ") && text.contains(says), "\(says): \(text)")
      }
      try expect("arms are none") { $0.arms = [] }
      try expect("arms[1] has no name") { $0.arms[1].name = "" }
      try expect("arms[0] has 2 accuracies for 1 seeds") { $0.arms[0].accuracies.append(1) }
      try expect("arms[0] has 3 quartiles") { $0.arms[0].quartiles.removeLast() }
      try expect("confusion that is not of 2 classes") { $0.arms[1].confusion[0] = [] }
      try expect("confusion that is not of 2 classes") { $0.arms[1].confusion[0][1] = .max }
      try expect("arms[0] has an impossible inference") { $0.arms[0].inference.parameters = .max }
      try expect("comparisons[0] is of 'A9' and 'A0'") { $0.comparisons[0].first = "A9" }
      try expect("1 differences for 2 classes") { $0.comparisons[0].classDifferences.removeLast() }
      try expect("counts impossible images") { $0.comparisons[0].mcNemar[0].onlyFirst = -1 }
      try expect("seeds[0].diagnostics points") { $0.seeds[0].diagnostics?.clusters[0].label = 2 }
      try expect("seeds[0].diagnostics points") { $0.seeds[0].diagnostics?.entropies.after.removeLast() }
      try expect("seeds[0].diagnostics points") { $0.seeds[0].diagnostics?.conversions = [] }
      try expect("seeds[0].diagnostics points") { $0.seeds[0].diagnostics?.conversions[0].arms = [] }
      try expect("seeds have conversions of different arms") {
        var other = $0.seeds[0]
        other.diagnostics?.conversions[0].arms = ["A9"]
        $0.seeds.append(other)
        for arm in $0.arms.indices { $0.arms[arm].accuracies.append(1) }
      }
      try expect("run has [-1") { $0.run.training = -1 }
    }
  }

  @Test func aDescriptionOfANetworkLargerThanItsFileIsRefused() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("x.safetensors")
      var generator = SplittableGenerator(seed: 0)
      let small = try ModelChoice("lenet5").make(classes: 2, inputShape: [8, 8, 1], using: &generator)
      for (model, isTooLarge) in [
        (ModelChoice("vgg16", widthMultiplier: 4), true), (ModelChoice("resnet1202", widthMultiplier: 4), true),
        (ModelChoice("lenet5", widthMultiplier: 4), false),
      ] {
        try SavedClassifier(
          model: model, imageShape: [8, 8, 1], classNames: ["a", "b"],
          normalization: Normalization(mean: [0.5], deviation: [0.25])
        ).save(small, to: file)
        let saved = try #require(try SavedClassifier.read(from: file))
        if isTooLarge {
          let error = #expect(throws: ExperimentError.self) { try saved.load(file) }
          #expect(error?.description.contains("cannot be the weights of a \(model) of width 4") == true)
        } else {
          #expect(try saved.load(file).parameterCount == small.parameterCount)
        }
      }
    }
  }

  @Test(arguments: ["[-1, 2]", "[4294967296, 4294967296]", "[9223372036854775807, 2]"])
  func whatIsNoShapeIsNotDecoded(dimensions: String) throws {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Shape.self, from: Data(#"{"dimensions": \#(dimensions)}"#.utf8))
    }
  }
}
