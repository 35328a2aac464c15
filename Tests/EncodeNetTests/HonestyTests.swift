import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That the library finds what is there, does not find what is not, and cannot be fooled by accident.
@Suite struct HonestyTests {
  /// An experiment of two arms of one step each, on the synthetic images with known sub-classes.
  private func verdict(_ steps: [LabelStep], seeds: [UInt64] = [0, 1, 2, 3, 4]) throws -> ExperimentReport {
    var configuration = try smallConfiguration([])
    configuration.model = "resnet8"
    configuration.widthMultiplier = 0.25
    configuration.seeds = seeds
    configuration.transfer.fineTuneEpochs = 3
    var experiment = Experiment(configuration)
    experiment.arms = { _ in zip(["first", "second"], steps).map { Arm($0, $0, [$1]) } }
    let data = try data()
    return try withFolder { try experiment.run(on: data, in: $0) }
  }

  private func data() throws -> DatasetSplit {
    try .synthetic(classes: 4, patterns: 3, training: 240, test: 200, imageShape: [8, 8, 1], noise: 0.1)
  }

  @Test func aPlantedEffectIsFound() throws {
    // By construction: two labels of three are wrong for the first arm, none for the second.
    let report = try verdict([
      LabelStep("first") { label, index in index % 3 == 0 ? label : (label + index) % 4 }, LabelStep("second"),
    ])
    let primary = try #require(report.primary)
    #expect(primary.first == "second" && primary.verdict == .improves, "\(report.text)")
  }

  @Test func aPlantedNullIsNot() throws {
    // The same training of the same network, from other weights.
    var (first, second) = (LabelStep("first"), LabelStep("second"))
    (first.stream, second.stream) = ("one", "another")
    let report = try verdict([first, second])
    #expect(report.primary?.verdict == .inconclusive, "\(report.text)")
  }

  @Test func anArmThatPeeksAtTheTestImagesIsRefused() throws {
    var peeking = LabelStep("second")
    peeking.images = try data().test
    let error = #expect(throws: ExperimentError.self) { try verdict([LabelStep("first"), peeking], seeds: [0]) }
    #expect(error?.description.contains("arm 'second': 200 of the 200 images it trains on are test images") == true)
  }

  /// Every file of a folder, with its bytes.
  private func contents(_ folder: URL) throws -> [String: Data] {
    let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
    return [String: Data](
      uniqueKeysWithValues: try files.compactMap { name in
        let url = folder.appendingPathComponent(name)
        guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return nil }
        return (name, try Data(contentsOf: url))
      })
  }

  /// Such a run would replace the weights that were scored, and could not score them again.
  @Test func aScoredRunWithOtherSettingsIsRefusedBeforeItChangesAnything() throws {
    try withFolder { folder in
      let data = try plantedData()
      let configuration = try smallConfiguration(["A0", "A2", "A4"])
      func run(_ data: DatasetSplit, _ change: (inout ExperimentConfiguration) -> Void) throws {
        var configuration = configuration
        change(&configuration)
        _ = try Experiment(configuration).run(on: data, in: folder, model: { Tiny(&$0) })
      }
      try run(data) { _ in }
      let before = try contents(folder)
      let changes: [(text: String, data: DatasetSplit, change: (inout ExperimentConfiguration) -> Void)] = [
        ("'A0' was scored on the test images with other settings: learningRate", data, { $0.learningRate = 0.05 }),
        ("epochs was 3 and is 4", data, { $0.epochs = 4 }),
        ("batchSize was 16 and is 8", data, { $0.batchSize = 8 }),
        ("conversion.epochs was 2 and is 3", data, { $0.conversion.epochs = 3 }),
        ("arms.A4.transfer was frozenEncoder", data, { $0.arms[2].transfer = .headThenFineTune }),
        ("the data differ", try plantedData(seed: 4), { _ in }),
      ]
      for (text, data, change) in changes {
        let error = #expect(throws: ExperimentError.self) { try run(data, change) }
        #expect(error?.description.contains(text) == true, "\(text): \(error?.description ?? "")")
        #expect(try contents(folder) == before, "\(text)")
      }
      // More arms, another judge and the same settings again are no other settings.
      try run(data) { $0.arms.append(try! .named("A3")) }
      try run(data) { $0.judge = "none" }
    }
  }

  /// Trained weights cost hours: other settings do not replace them, scored or not.
  @Test func weightsAreNotReplacedByThoseOfOtherSettings() throws {
    try withFolder { folder in
      let data = try plantedData()
      let configuration = try smallConfiguration(["A0", "A2"])
      func baseline(_ data: DatasetSplit, _ change: (inout ExperimentConfiguration) -> Void) throws {
        var configuration = configuration
        change(&configuration)
        _ = try ExperimentRun(configuration, on: data, in: folder, model: { Tiny(&$0) }).baseline()
      }
      try baseline(data) { _ in }
      let before = try contents(folder)
      let changes: [(text: String, data: DatasetSplit, change: (inout ExperimentConfiguration) -> Void)] = [
        ("'A0' was begun with other settings: epochs was 3 and is 4; nothing was changed", data, { $0.epochs = 4 }),
        ("learningRate was", data, { $0.learningRate = 0.05 }), ("the data differ", try plantedData(seed: 4), { _ in }),
      ]
      for (text, data, change) in changes {
        let error = #expect(throws: ExperimentError.self) { try baseline(data, change) }
        #expect(error?.description.contains(text) == true, "\(text): \(error?.description ?? "")")
        #expect(try contents(folder) == before, "\(text)")
      }
      // What is not trained yet may change.
      try baseline(data) { $0.transfer.fineTuneEpochs += 1 }
    }
  }

  /// Without a list of its files nothing tells whether it has weights.
  @Test func aFolderThatCannotBeListedIsRefused() throws {
    try withFolder { folder in
      let settings = RecordedSettings(["A0": [:]])
      #expect(throws: Never.self) { try settings.check(in: folder.appendingPathComponent("none yet")) }
      let file = folder.appendingPathComponent("file")
      try Data().write(to: file)
      let error = #expect(throws: ExperimentError.self) { try settings.check(in: file) }
      #expect(error?.description.contains("the folder cannot be read") == true, "\(error?.description ?? "")")
    }
  }

  @Test func testImagesAmongTheTrainingImagesAreCounted() throws {
    let data = try plantedData()
    let leaky = try DatasetSplit(training: data.training, test: data.training.subset([0, 5, 9, 10]))
    let test = HeldOutTestSet(leaky.test)
    #expect(test.overlap(with: leaky.training) == 4 && HeldOutTestSet(data.test).overlap(with: data.training) == 0)
    try withFolder { folder in
      let report = try Experiment(smallConfiguration(["A0"])).run(on: leaky, in: folder, model: { Tiny(&$0) })
      #expect(report.run.leaked > 0)
      #expect(report.diagnosis.contains { $0.contains("also test images") })
    }
  }

  @Test func corruptionIsTheSameEveryTimeAndDoesWhatItSays() throws {
    let images = try plantedData().test
    for corruption in Corruption.allCases {
      let (a, b) = (corruption(images), corruption(images))
      #expect(a.pixels == b.pixels && a.pixels != images.pixels && a.labels == images.labels, "\(corruption)")
    }
    let flat = try LabeledImages(
      name: "flat", pixels: [UInt8](repeating: 100, count: 32), labels: [0, 0], imageShape: [4, 4, 1], classNames: ["a"]
    )
    #expect(Corruption.blur(flat).pixels == flat.pixels)
    #expect(Corruption.brightness(flat).pixels.allSatisfy { $0 == 150 })
  }
}

/// Trains a network on labels of the test's own for what the budget leaves.
private struct LabelStep: Step {
  private enum CodingKeys: CodingKey { case stage, stream, epochs }
  let stage: String
  var stream = "weights"
  var images: LabeledImages?
  private var epochs = Epochs.rest
  private let label: @Sendable (_ label: Int, _ index: Int) -> Int

  init(_ stage: String, _ label: @escaping @Sendable (_ label: Int, _ index: Int) -> Int = { label, _ in label }) {
    (self.stage, self.label) = (stage, label)
  }

  func planned(in plan: inout ArmPlan) throws -> LabelStep {
    var step = self
    let count = plan.count(epochs, costPerEpoch: 1)
    step.epochs = .count(count)
    plan.train("training", count)
    return step
  }

  func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    guard case .count(let epochs) = epochs else { return }
    state.network = try run.network(stream: stream)
    try run.train(
      &state, stage, on: images, loss: { softmaxCrossEntropy($0, labels: zip($1.labels, $1.indices).map(label)) },
      epochs: epochs, learningRate: 0.05)
  }
}
