import Foundation
import Testing

@testable import EncodeNet

@Suite struct ExperimentTests {
  private func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  private var small: ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.model = "tiny"
    configuration.epochs = 3
    configuration.batchSize = 16
    configuration.conversionEpochs = 2
    configuration.clustering.smallestCluster = 5
    configuration.transfer.headEpochs = 2
    configuration.transfer.fineTuneEpochs = 2
    return configuration
  }

  @Test func aRunLeavesItsReportAndArmsOfEqualSize() throws {
    try withFolder { folder in
      let report = try Experiment(small).run(on: plantedData(), in: folder) { Tiny(&$0) }
      #expect(report.arms.map(\.id) == ["A0", "A1", "A2", "A3", "A4"])
      #expect(Set(report.arms.map(\.parameters)).count == 1 && Set(report.arms.map(\.multiplyAdds)).count == 1)
      #expect(report.arms.allSatisfy { $0.total == 24 && $0.confusion.joined().reduce(0, +) == 24 })
      #expect(report.comparisons.allSatisfy { $0.verdict == "inconclusive" })
      #expect(report.arms[4].isUnequal && !report.arms[3].isUnequal)
      for name in ["configuration.json", "report.json", "report.md", "report.html", "figures/entropies.svg"] {
        #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path), "\(name)")
      }
      let data = try Data(contentsOf: folder.appendingPathComponent("report.json"))
      #expect(try JSONDecoder().decode(ExperimentReport.self, from: data) == report)
    }
  }

  @Test(arguments: ["A0", "gcae", "A3-all", "A2"])
  func aRunThatStopsInAStageEndsWithTheSameNumbers(stage: String) throws {
    let data = try plantedData()
    var whole = try withFolder { try Experiment(small).run(on: data, in: $0) { Tiny(&$0) } }
    var resumed = try withFolder { folder in
      // A folder in place of the stage's state stops the run after its next epoch, as a full disk would.
      var left = 1
      _ = try? Experiment(small).run(
        on: data, in: folder,
        progress: { name, _ in
          guard name == stage, left > 0 else { return }
          left -= 1
          let state = folder.appendingPathComponent("\(stage).state.safetensors")
          let kept = folder.appendingPathComponent("kept")
          try? FileManager.default.moveItem(at: state, to: kept)
          try? FileManager.default.createDirectory(
            at: state.appendingPathComponent("in-the-way"), withIntermediateDirectories: true)
        }
      ) { Tiny(&$0) }
      let state = folder.appendingPathComponent("\(stage).state.safetensors")
      try FileManager.default.removeItem(at: state)
      try FileManager.default.moveItem(at: folder.appendingPathComponent("kept"), to: state)
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("report.json").path))
      let resumed = try Experiment(small).run(on: data, in: folder) { Tiny(&$0) }
      var epochs = 0
      let repeated = try Experiment(small).run(on: data, in: folder, progress: { _, _ in epochs += 1 }) { Tiny(&$0) }
      #expect(epochs == 0, "nothing is trained again where everything is there")
      #expect(resumed == repeated)
      return resumed
    }
    // Times differ between runs; nothing else may.
    for index in whole.arms.indices {
      (whole.arms[index].latency1, whole.arms[index].latency128) = (0, 0)
      (resumed.arms[index].latency1, resumed.arms[index].latency128) = (0, 0)
    }
    func losses(_ report: ExperimentReport) -> [String: [Double]] { report.curves.mapValues(\.loss) }
    #expect(losses(whole) == losses(resumed))
    (whole.curves, resumed.curves) = ([:], [:])
    #expect(whole == resumed)
  }

  @Test func aFrozenEncoderDoesNotChangeAndTheHeadDoes() throws {
    var generator = SplittableGenerator(seed: 1)
    let tiny = Tiny(&generator)
    let data = try plantedData()
    let model = EncoderClassifier(encoder: tiny.features, head: tiny.classifier)
    let (encoder, head) = (tiny.features.stateDictionary, tiny.classifier.stateDictionary)
    let reports = try KnowledgeTransfer(.frozenEncoder)(
      model, data.training)
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
    let error = #expect(throws: EncodeNetError.self) {
      try ExperimentConfiguration.decoded(from: Data(#"{"transfer": {"epoch": 3}}"#.utf8))
    }
    #expect(error?.description.contains("no setting 'transfer.epoch'") == true)
    for wrong in [#"{"epochs": 0}"#, #"{"epochs": "x"}"#, "[]", "{", #"{"batchSize": 1}"#] {
      #expect(throws: EncodeNetError.self) { try ExperimentConfiguration.decoded(from: Data(wrong.utf8)) }
    }
  }

  @Test func aSubsetThatLeavesAClassEmptyIsRefused() throws {
    var configuration = small
    (configuration.subset, configuration.validationShare) = (2, 0.9)
    let error = try withFolder { folder in
      #expect(throws: EncodeNetError.self) {
        try Experiment(configuration).run(on: plantedData(), in: folder) { Tiny(&$0) }
      }
    }
    #expect(error?.description.contains("larger subset") == true)
  }
}
