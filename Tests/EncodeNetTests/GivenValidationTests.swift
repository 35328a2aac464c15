import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That validation images which a set has itself are used, and none are drawn from its training images.
@Suite struct GivenValidationTests {
  private func data() throws -> DatasetSplit {
    let (data, other) = (try plantedData(), try plantedData(5, test: 1, seed: 8))
    return try DatasetSplit(training: data.training, validation: other.training, test: data.test)
  }
  private func run(_ data: DatasetSplit, share: Double = 0.1, in folder: URL) throws -> ExperimentRun {
    var configuration = try smallConfiguration(["A0", "A2"])
    configuration.validationShare = share
    return try ExperimentRun(configuration, on: data, in: folder, model: { Tiny(&$0) })
  }

  @Test func allTrainingImagesAreTrainedOn() throws {
    try withFolder { folder in
      let data = try data()
      let run = try run(data, in: folder.appendingPathComponent("given"))
      #expect(run.data.rows == Array(0..<96) && run.data.validation.isEmpty && run.data.audit.isEmpty)
      #expect(run.data.validationCount == 20 && run.validationSet?.count == 20)
      #expect(run.data.validationImages?.fingerprint == data.validation?.fingerprint)
      // The share says nothing then.
      let other = try self.run(data, share: 0.5, in: folder.appendingPathComponent("share"))
      #expect(other.data.rows == run.data.rows && other.validationSet?.count == 20)
      // Without them it does, as ever.
      let drawn = try self.run(plantedData(), in: folder.appendingPathComponent("drawn"))
      #expect(drawn.data.rows.count == 86 && drawn.validationSet?.count == 10 && drawn.data.validationCount == 10)
      #expect(drawn.data.givenValidation == nil && drawn.data.fingerprint != run.data.fingerprint)
      // A subset is one of the training images alone.
      #expect(try data.divided(validationShare: 0.1, subset: 40, audit: 0, seed: 0).training.count == 40)
    }
  }

  @Test func theReportCountsThemAndSaysWhoseTheyAre() throws {
    try withFolder { folder in
      let report = try Experiment(smallConfiguration(["A0", "A2"])).run(
        on: data(), in: folder, model: { Tiny(&$0) })
      #expect(report.run.training == 96 && report.run.validation == 20 && report.run.hasOwnValidation == true)
      let page = try String(contentsOf: folder.appendingPathComponent("report.md"), encoding: .utf8)
      #expect(
        page.contains("96 images trained on, 20 for validation, the set's own, 24 tested"), "\(page.prefix(2000))")
      let read = try JSONDecoder().decode(
        ExperimentReport.self, from: Data(contentsOf: folder.appendingPathComponent("report.json")))
      #expect(read == report)
    }
  }

  @Test func noArmMayTrainOnThem() throws {
    try withFolder { folder in
      let run = try run(data(), in: folder)
      let images = try #require(run.data.validationImages)
      let error = #expect(throws: ExperimentError.self) { try run.data.refuseHeldOutImages(in: images, for: "own") }
      #expect(error?.description.contains("20 of the 20 images it trains on are kept for validation") == true)
      try run.data.refuseHeldOutImages(in: run.images, for: "own")
    }
  }

  @Test func otherValidationImagesAreOtherData() throws {
    try withFolder { folder in
      let data = try data()
      let first = try run(data, in: folder)
      _ = try first.trained(.baseline)
      var other = data
      other.validation = data.validation?.subset(Array(0..<19))
      let error = #expect(throws: (any Error).self) { try run(other, in: folder) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("the data differ"))
    }
  }
}
