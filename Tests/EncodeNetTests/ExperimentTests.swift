import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// Settings with which an experiment on tiny images takes a moment.
func smallConfiguration(_ arms: [String] = ["A0", "A1", "A2", "A3", "A4"]) throws -> ExperimentConfiguration {
  var configuration = ExperimentConfiguration()
  configuration.model = "tiny"
  configuration.epochs = 3
  configuration.batchSize = 16
  configuration.conversion.epochs = 2
  configuration.clustering.smallestCluster = 5
  configuration.transfer.headEpochs = 2
  configuration.transfer.fineTuneEpochs = 2
  configuration.arms = try arms.map { try .named($0) }
  return configuration
}

@Suite struct ExperimentTests {
  @Test func aRunLeavesItsReportAndArmsOfEqualSize() throws {
    try withFolder { folder in
      var configuration = try smallConfiguration()
      configuration.seeds = [4, 5]
      let report = try Experiment(configuration).run(on: plantedData(), in: folder, model: { Tiny(&$0) })
      #expect(report.arms.map(\.id) == ["A0", "A1", "A2", "A3", "A4"])
      #expect(Set(report.arms.map(\.inference)).count == 1)
      #expect(report.arms.allSatisfy { $0.accuracies.count == 2 && $0.confusion.joined().reduce(0, +) == 48 })
      #expect(report.primary?.first == "A3" && report.primary?.second == "A2")
      #expect(report.comparisons.count { $0.family == .attribution } == 1)
      #expect(report.seeds.allSatisfy { $0.diagnostics != nil })
      for name in [
        "configuration.json", "report.json", "report.md", "report.html", "progress.html", "figures/entropies.svg",
        "seed-4/A3.safetensors", "seed-5/A0.csv",
      ] {
        #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path), "\(name)")
      }
      let data = try Data(contentsOf: folder.appendingPathComponent("report.json"))
      #expect(try JSONDecoder().decode(ExperimentReport.self, from: data) == report)
      // Without data or models, the same pages.
      let pages = ["report.md", "report.html"].map { folder.appendingPathComponent($0) }
      let before = try pages.map { try Data(contentsOf: $0) }
      for page in pages { try FileManager.default.removeItem(at: page) }
      #expect(try ExperimentReport.rebuilt(in: folder) == report)
      #expect(try pages.map { try Data(contentsOf: $0) } == before)
    }
  }

  @Test(arguments: [3, 9, 14, 20, 31, 40])
  func aRunThatIsInterruptedAtAStepEndsWithTheSameNumbers(steps: Int) throws {
    let data = try plantedData()
    let configuration = try smallConfiguration(["A0", "ema", "A3", "swa"])
    func run(_ folder: URL, _ shouldStop: @escaping @Sendable () -> Bool = { false }) throws -> ExperimentReport {
      var report = try Experiment(configuration).run(
        on: data, in: folder, shouldStop: shouldStop, model: { Tiny(&$0) })
      // Times differ between runs; nothing else may.
      for index in report.arms.indices {
        (report.arms[index].seconds, report.arms[index].inference.latency1) = (0, 0)
        report.arms[index].inference.latency128 = 0
      }
      return report
    }
    let whole = try withFolder { try run($0) }
    try withFolder { folder in
      let left = Shared(steps)
      let error = #expect(throws: TrainingError.self) {
        try run(folder) {
          left.value.withLock {
            $0 -= 1
            return $0 <= 0
          }
        }
      }
      guard case .interrupted = error else {
        Issue.record("stopped by \(String(describing: error))")
        return
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("report.json").path))
      let resumed = try run(folder)
      #expect(resumed.arms.map(\.curves) == whole.arms.map(\.curves))
      let isSame = resumed == whole
      #expect(isSame)
    }
  }

  @Test func aFinishedRunTrainsNothingAgain() throws {
    try withFolder { folder in
      let (data, configuration) = (try plantedData(), try smallConfiguration(["A0", "A3"]))
      let first = try Experiment(configuration).run(on: data, in: folder, model: { Tiny(&$0) })
      let epochs = Shared(0)
      let again = try Experiment(configuration).run(
        on: data, in: folder, progress: { _, _ in epochs.value.withLock { $0 += 1 } }, model: { Tiny(&$0) })
      #expect(epochs.value.withLock { $0 } == 0)
      #expect(first == again)
    }
  }

  @Test func armsThatBeginAtTheBaselineShareIt() throws {
    try withFolder { folder in
      let stages = Shared<[String]>([])
      _ = try Experiment(smallConfiguration(["A0", "A2", "A3", "A4", "A13"])).run(
        on: plantedData(), in: folder, progress: { stage, _ in stages.value.withLock { $0.append(stage) } },
        model: { Tiny(&$0) })
      let all = stages.value.withLock { $0 }
      #expect(all.count { $0 == "A0" } == 3)
    }
  }

  @Test func everyArmRuns() throws {
    try withFolder { folder in
      var configuration = try smallConfiguration(ArmSettings.standard.map(\.id))
      configuration.model = "resnet8"
      configuration.widthMultiplier = 0.25
      // The weights of hints and attention are those of larger networks.
      configuration.learningRate = 0.01
      (configuration.epochs, configuration.conversion.epochs) = (1, 1)
      (configuration.transfer.headEpochs, configuration.transfer.fineTuneEpochs) = (1, 1)
      for index in configuration.arms.indices {
        if case .model = configuration.arms[index].recipe.distillation?.teacher {
          configuration.arms[index].recipe.distillation?.teacher = .model(
            ModelChoice("resnet14", widthMultiplier: 0.25))
        }
      }
      let data = try DatasetSplit.synthetic(classes: 2, patterns: 2, training: 80, test: 20, imageShape: [8, 8, 1])
      var experiment = Experiment(configuration)
      // Nothing is learnt in one epoch.
      (experiment.force, experiment.notice) = (true, { _ in })
      let report = try experiment.run(on: data, in: folder)
      #expect(report.arms.count == ArmSettings.standard.count)
      let plain = report.arm("A0")!.inference
      // Branches are folded; attention costs what it costs.
      #expect(report.arm("acb")!.inference == plain)
      for id in ["se", "eca", "cbam"] { #expect(report.arm(id)!.inference.parameters > plain.parameters, "\(id)") }
      let parts = report.comparisons.filter { $0.family == .attribution }.compactMap(\.part)
      #expect(parts.count == 12 && parts.contains("decoder") && parts.contains("pixels"))
    }
  }

  @Test func aFrozenEncoderDoesNotChangeAndTheHeadDoes() throws {
    var generator = SplittableGenerator(seed: 1)
    let tiny = Tiny(&generator)
    let data = try plantedData()
    let model = EncoderClassifier(encoder: tiny.features, head: tiny.classifier)
    let (encoder, head) = (tiny.features.stateDictionary, tiny.classifier.stateDictionary)
    let reports = try KnowledgeTransfer(.frozenEncoder)(model, data.training)
    #expect(reports.count == 10 && reports.last!.loss < reports[0].loss)
    #expect(encoder.mapValues(\.scalars) == tiny.features.stateDictionary.mapValues(\.scalars))
    #expect(head.mapValues(\.scalars) != tiny.classifier.stateDictionary.mapValues(\.scalars))
  }

  @Test func theInferenceModelCostsWhatTheBaselineDoes() {
    var generator = SplittableGenerator(seed: 1)
    let baseline = LeNet5(classes: 3, inputShape: [16, 16, 1], using: &generator)
    let gcae = GeneralizedConvertingAutoencoder(of: baseline, imageShape: [16, 16, 1], using: &generator)
    let inference = EncoderClassifier(encoder: gcae.encoder, head: baseline.classifier)
    let (a, b) = (ModelSummary(of: baseline, input: [16, 16, 1]), ModelSummary(of: inference, input: [16, 16, 1]))
    #expect(a.parameters == b.parameters && a.multiplyAdds == b.multiplyAdds && a.multiplyAdds > 0)
    #expect(gcae(.zeros([2, 16, 16, 1])).shape == [2, 16, 16, 1])
  }

  @Test func settingsMayBeLeftOutButNotMisspelt() throws {
    let json = Data(#"{"epochs": 3, "clustering": {"clustersPerClass": {"fixed": {"_0": 2}}}}"#.utf8)
    let configuration = try ExperimentConfiguration.decoded(from: json)
    #expect(configuration.epochs == 3 && configuration.clustering.clustersPerClass == .fixed(2))
    #expect(configuration.batchSize == ExperimentConfiguration().batchSize)
    let error = #expect(throws: ExperimentError.self) {
      try ExperimentConfiguration.decoded(from: Data(#"{"transfer": {"epoch": 3}}"#.utf8))
    }
    #expect(error?.description.contains("'transfer.epoch' is no setting") == true)
    for wrong in [#"{"epochs": 0}"#, #"{"epochs": "x"}"#, "[]", "{", #"{"batchSize": 1}"#] {
      #expect(throws: ExperimentError.self) { try ExperimentConfiguration.decoded(from: Data(wrong.utf8)) }
    }
  }

  @Test func aSubsetThatLeavesAClassEmptyIsRefused() throws {
    var configuration = try smallConfiguration()
    (configuration.subset, configuration.validationShare) = (2, 0.9)
    let error = try withFolder { folder in
      #expect(throws: ExperimentError.self) {
        try Experiment(configuration).run(on: plantedData(), in: folder, model: { Tiny(&$0) })
      }
    }
    #expect(error?.description.contains("larger subset") == true)
  }
}
