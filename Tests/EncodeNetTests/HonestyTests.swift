import Foundation
import Testing

@testable import EncodeNet

/// That the library finds what is there, does not find what is not, and cannot be fooled by accident.
@Suite struct HonestyTests {
  /// An experiment of two arms that are methods of their own, on the synthetic images with known sub-classes.
  private func verdict(
    _ methods: [String: ExperimentRun.Method], seeds: [UInt64] = [0, 1, 2, 3, 4]
  ) throws -> ExperimentReport {
    var configuration = try smallConfiguration([])
    configuration.arms = ["first", "second"].map { id in
      var arm = Arm(id, id)
      (arm.start, arm.method) = (.random, id)
      return arm
    }
    configuration.model = "resnet8"
    configuration.widthMultiplier = 0.25
    configuration.seeds = seeds
    configuration.transfer.fineTuneEpochs = 3
    let data = try DatasetSplit.synthetic(
      classes: 4, patterns: 3, training: 240, test: 200, imageShape: [8, 8, 1], noise: 0.1)
    var experiment = Experiment(configuration)
    experiment.methods = methods
    return try withFolder { try experiment.run(on: data, in: $0) }
  }

  private static func training(_ label: @escaping @Sendable (_ label: Int, _ index: Int) -> Int) -> ExperimentRun.Method
  {
    { context in
      try context.train(
        context.model,
        loss: { softmaxCrossEntropy($0, labels: zip($1.labels, $1.indices).map(label)) }, learningRate: 0.05)
      return context.model
    }
  }

  @Test func aPlantedEffectIsFound() throws {
    // By construction: two labels of three are wrong for the first arm, none for the second.
    let report = try verdict([
      "first": Self.training { label, index in index % 3 == 0 ? label : (label + index) % 4 },
      "second": Self.training { label, _ in label },
    ])
    let primary = try #require(report.primary)
    #expect(primary.first == "second" && primary.verdict == .improves, "\(report.text)")
  }

  @Test func aPlantedNullIsNot() throws {
    // The same training of the same network, from other weights.
    func training(_ stream: String) -> ExperimentRun.Method {
      { context in
        let model = try context.makeModel(stream: stream)
        try context.train(model, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, learningRate: 0.05)
        return model
      }
    }
    let report = try verdict(["first": training("one"), "second": training("another")])
    #expect(report.primary?.verdict == .inconclusive, "\(report.text)")
  }

  @Test func anArmThatPeeksAtTheTestImagesIsRefused() throws {
    let data = try DatasetSplit.synthetic(
      classes: 4, patterns: 3, training: 240, test: 200, imageShape: [8, 8, 1], noise: 0.1)
    let peeking: ExperimentRun.Method = { context in
      try context.train(
        context.model, on: data.test, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, learningRate: 0.05)
      return context.model
    }
    let error = #expect(throws: EncodeNetError.self) {
      try verdict(["first": Self.training { label, _ in label }, "second": peeking], seeds: [0])
    }
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
        let error = #expect(throws: EncodeNetError.self) { try run(data, change) }
        #expect(error?.description.contains(text) == true, "\(text): \(error?.description ?? "")")
        #expect(try contents(folder) == before, "\(text)")
      }
      // More arms, another judge and the same settings again are no other settings.
      try run(data) { $0.arms.append(try! .named("A3")) }
      try run(data) { $0.judge = "none" }
    }
  }

  @Test func testImagesAmongTheTrainingImagesAreCounted() throws {
    let data = try plantedData()
    let leaky = try DatasetSplit(training: data.training, test: data.training.subset([0, 5, 9, 10]))
    let test = SealedTestSet(leaky.test)
    #expect(test.overlap(with: leaky.training) == 4 && SealedTestSet(data.test).overlap(with: data.training) == 0)
    try withFolder { folder in
      let report = try Experiment(smallConfiguration(["A0"])).run(on: leaky, in: folder, model: { Tiny(&$0) })
      #expect(report.run.leaked > 0)
      #expect(report.diagnosis.contains { $0.contains("also test images") })
    }
  }

  @Test func damageIsTheSameEveryTimeAndDoesWhatItSays() throws {
    let images = try plantedData().test
    for damage in Damage.allCases {
      let (a, b) = (damage(images), damage(images))
      #expect(a.pixels == b.pixels && a.pixels != images.pixels && a.labels == images.labels, "\(damage)")
    }
    let flat = try LabeledImages(
      name: "flat", pixels: [UInt8](repeating: 100, count: 32), labels: [0, 0], imageShape: [4, 4, 1], classNames: ["a"]
    )
    #expect(Damage.blur(flat).pixels == flat.pixels)
    #expect(Damage.brightness(flat).pixels.allSatisfy { $0 == 150 })
  }
}
