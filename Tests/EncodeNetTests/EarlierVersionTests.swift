import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That what version 0.1 wrote still opens, and that its unfinished runs are left alone.
@Suite struct EarlierVersionTests {
  /// A folder with a run of version 0.1 in it, of two epochs on 54 digits.
  private func withOldRun(_ body: (URL) throws -> Void) throws {
    let old = try fixture("version-0.1", in: .module)
    try withFolder { folder in
      let run = folder.appendingPathComponent("run")
      try FileManager.default.copyItem(at: old, to: run)
      try body(run)
    }
  }

  @Test func itsReportOpens() throws {
    try withOldRun { folder in
      let report = try ExperimentReport.rebuilt(in: folder)
      #expect(report.version == 3 && report.arms.map(\.id) == ["A0", "A2", "A4", "kd", "mixed"])
      #expect(report.configuration.arms.map(\.isBaseline) == [true, false, false, false, false])
      #expect(report.text.contains("A4 − A2"))
      #expect(try ExperimentReport.rebuilt(in: folder) == report)
    }
  }

  @Test func itsConfigurationMeansTheSame() throws {
    try withOldRun { folder in
      let json = try Data(contentsOf: folder.appendingPathComponent("configuration.json"))
      let c = try ExperimentConfiguration.decoded(from: json)
      #expect(c.clustering.clustersPerClass == .fixed(1) && c.seeds == [1] && c.judge == "none")
      #expect(c.arms[3].recipe.distillation?.teacher == .model(ModelChoice("resnet14", widthMultiplier: 0.05)))
      #expect(c.arms[4].recipe.rho == 0.05 && c.arms[4].recipe.average == .stochastic(share: 0.5))
      #expect(c.arms[4].recipe.mixing == .cutMix(alpha: 0.5))
    }
  }

  @Test func itsWeightsAndStatesOpen() throws {
    try withOldRun { folder in
      let weights = folder.appendingPathComponent("seed-1/A0.safetensors")
      let saved = try #require(try SavedClassifier.read(from: weights))
      let network = try saved.load(weights)
      let images = Batches(of: DatasetSplit.digits.test, size: 100, normalization: saved.normalization)
      let report = try ExperimentReport.rebuilt(in: folder)
      #expect(try evaluate(network, on: images).top1 == report.arms[0].mean)
      let state = try TrainingCheckpoint.load(folder.appendingPathComponent("seed-1/A0.state.safetensors"))
      #expect(state.position.epoch == 2 && state.reports.count == 2)
    }
  }

  @Test func itsUnfinishedRunIsRefusedAndUntouched() throws {
    try withOldRun { folder in
      let json = try Data(contentsOf: folder.appendingPathComponent("configuration.json"))
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
      let error = #expect(throws: ExperimentError.self) {
        try ExperimentRun(
          .decoded(from: json), on: .digits, in: folder.appendingPathComponent("seed-1"))
      }
      #expect(error?.description.contains("begun by an earlier version") == true)
      #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
    }
  }
}
