import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

struct DefaultsTests {
  @Test func theRateFollowsTheNetworkAndTheBatchSize() throws {
    #expect(ModelChoice("resnet56").learningRate(batchSize: 128) == 0.1)
    #expect(ModelChoice("resnet110").learningRate(batchSize: 128) == 0.04)
    #expect(ModelChoice("mobilenetv2").learningRate(batchSize: 128) == 0.1)
    #expect(ModelChoice("vgg16").learningRate(batchSize: 128) == 0.05)
    #expect(ModelChoice("lenet5").learningRate(batchSize: 32) == 0.02)
    #expect(ModelChoice("resnet20").learningRate(batchSize: 32) == 0.05)
    #expect(ModelChoice("resnet20").learningRate(batchSize: 4096) == 0.2)

    let data = try DatasetSplit.synthetic(classes: 2, patterns: 2, training: 40, test: 4, imageShape: [8, 8, 1])
    func rates(_ change: (inout ExperimentConfiguration) -> Void) throws -> [Double?] {
      var configuration = ExperimentConfiguration()
      change(&configuration)
      return try withFolder { folder in
        let c = try ExperimentRun(configuration, on: data, in: folder).configuration
        return [c.learningRate, c.continuedLearningRate, c.transfer.fineTuneLearningRate]
      }
    }
    #expect(try rates { $0.model = "vgg16" } == [0.025, 0.005, 0.005])
    #expect(try rates { ($0.model, $0.learningRate) = ("vgg16", 0.5) } == [0.5, 0.1, 0.1])
    #expect(try rates { ($0.learningRate, $0.continuedLearningRate) = (0.5, 0.2) } == [0.5, 0.2, 0.2])
    #expect(try rates { ($0.learningRate, $0.transfer.fineTuneLearningRate) = (0.5, 0.2) } == [0.5, 0.1, 0.2])
  }

  @Test func aNetworkOfTheCallersOwnHasTheRateOfItsKind() throws {
    let data = try plantedData()
    func rate(_ make: @escaping SeedRun.Maker) throws -> Double? {
      try withFolder { try ExperimentRun(.init(), on: data, in: $0, model: make).configuration.learningRate }
    }
    #expect(try rate { Tiny(&$0) } == 0.05)
    #expect(try rate { Plain(&$0) } == 0.02)
  }

  @Test func aBaselineThatHasNotLearntEndsTheRunUnlessForced() throws {
    // All images are the same: nothing can be told from them.
    func images(_ count: Int) throws -> LabeledImages {
      try LabeledImages(
        name: "grey", pixels: [UInt8](repeating: 90, count: count * 16), labels: (0..<count).map { $0 % 2 },
        imageShape: [4, 4, 1], classNames: ["a", "b"])
    }
    let data = try DatasetSplit(training: images(80), test: images(20))
    var configuration = try smallConfiguration(["A0", "A2"])
    configuration.epochs = 30
    let notices = Shared<[String]>([])
    func run(_ force: Bool, _ folder: URL) throws -> ExperimentReport {
      var experiment = Experiment(configuration)
      experiment.force = force
      experiment.notice = { text in notices.value.withLock { $0.append(text) } }
      return try experiment.run(on: data, in: folder, model: { Plain(&$0) })
    }
    try withFolder { folder in
      let error = #expect(throws: ExperimentError.self) { try run(false, folder) }
      #expect("\(error!)".contains("A0 has not learnt") && "\(error!)".contains("another learning rate"), "\(error!)")
      #expect(notices.value.withLock { $0 }.contains { $0.contains("epochs the loss is") })
      let report = try run(true, folder)
      #expect(report.arms.count == 2)
      #expect(report.diagnosis.contains { $0.contains("has not learnt") }, "\(report.diagnosis)")
    }
  }
}

/// A classifier without batch norm.
private final class Plain: SplitClassifier {
  let features: any Layer
  let classifier: any Layer
  init(_ generator: inout SplittableGenerator) {
    features = Sequential([Flatten(), Linear(16, 8, using: &generator), ReLU()])
    classifier = Sequential([Linear(8, 2, using: &generator)])
  }
}
