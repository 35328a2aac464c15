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

  @Test func aSecondLookAtTheTestImagesWithOtherWeightsIsRefused() throws {
    try withFolder { folder in
      let data = try plantedData()
      var configuration = try smallConfiguration(["A0", "A1"])
      _ = try Experiment(configuration).run(on: data, in: folder, model: { Tiny(&$0) })
      configuration.learningRate = 0.05
      let error = #expect(throws: EncodeNetError.self) {
        try Experiment(configuration).run(on: data, in: folder, model: { Tiny(&$0) })
      }
      #expect(error?.description.contains("choosing by test images") == true, "\(error?.description ?? "")")
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
