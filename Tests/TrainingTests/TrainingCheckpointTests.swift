import Foundation
import TestSupport
import Testing
import Training

@testable import Checkpoints

struct TrainingCheckpointTests {
  /// Everything a run leaves behind.
  private struct Outcome: Equatable {
    var model: [String: [Scalar]]
    var optimizer: [String: [Scalar]]
    var average: [String: [Scalar]]
    var reports: [EpochReport]
  }

  @Test(arguments: [3, 7, 10, 14])
  func aRunInterruptedAndResumedEqualsTheUninterruptedBitForBit(interruption: Int) throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file.safetensors")
      let whole = try run(resumingFrom: nil) { step, model, optimizer, average, reports in
        guard step.position.step == interruption else { return }
        try TrainingCheckpoint(model, optimizer, average: average, at: step.position, reports: reports).save(to: file)
      }
      // Another seed: nothing may come from how the objects are made.
      let resumed = try run(resumingFrom: file, seed: 99) { _, _, _, _, _ in }
      #expect(whole.reports.count == 3)
      #expect(resumed == whole)
    }
  }

  @Test func aMetricThatIsNoNumberIsSavedAsItIs() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file.safetensors")
      let model = toyModel()
      let optimizer = SGD(model, learningRate: 0.1)
      let fit = Fit(
        model, to: ToyBatches(), loss: crossEntropy, optimizer: optimizer, epochs: 1,
        metrics: ["nan": { _, _ in .nan }, "infinite": { _, _ in -.infinity }],
        onStep: { step in
          // In the middle of the epoch as well: the position has their sums.
          if step.position.batch == 2 { #expect(throws: Never.self) { try save(step.position, []) } }
        })
      func save(_ position: TrainingPosition, _ reports: [EpochReport]) throws {
        try TrainingCheckpoint(model, optimizer, at: position, reports: reports).save(to: file)
      }
      for report in fit { try save(fit.position, [report]) }
      let metrics = try #require(TrainingCheckpoint.load(file).reports[0].metrics)
      #expect(metrics["nan"]?.isNaN == true && metrics["infinite"] == -.infinity)
    }
  }

  private func run(
    resumingFrom file: URL?, seed: UInt64 = 1,
    onStep: @escaping (StepReport, Sequential, any Optimizer, WeightAverage, [EpochReport]) throws -> Void
  ) throws -> Outcome {
    let model = toyModel(seed: seed)
    let optimizer = Adam(model, learningRate: 0.05)
    let average = WeightAverage(of: model, .exponential(decay: 0.9))
    let state = try file.map(TrainingCheckpoint.load)
    try state?.restore(model, optimizer, average: average)
    var reports = state?.reports ?? []
    var problem: (any Error)?
    var fit = Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: optimizer, schedule: .cosine(from: 0.05, over: 15),
      validating: ToyBatches(), epochs: 3, average: average, startingAt: state?.position ?? TrainingPosition(),
      onStep: { step in
        do { try onStep(step, model, optimizer, average, reports) } catch { problem = error }
      })
    try fit.run { report in
      reports.append(report)
      return true
    }
    if let problem { throw problem }
    return Outcome(
      model: model.stateDictionary.mapValues(\.scalars), optimizer: optimizer.state.mapValues(\.scalars),
      average: average.state.mapValues(\.scalars),
      reports: reports.map { report in
        var report = report
        (report.seconds, report.imagesPerSecond) = (0, 0)
        return report
      })
  }

  @Test func whatIsNoStateOrOfAnotherRunIsRefused() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("file.safetensors")
      let model = toyModel()
      try model.save(to: file)
      #expect(throws: CheckpointError.self) { try TrainingCheckpoint.load(file) }

      let optimizer = SGD(model, learningRate: 0.1)
      try TrainingCheckpoint(model, optimizer, at: TrainingPosition()).save(to: file)
      let state = try TrainingCheckpoint.load(file)
      var g = SplittableGenerator(seed: 1)
      let other = Sequential { Linear(2, 2, using: &g) }
      let error = #expect(throws: CheckpointError.self) { try state.restore(other, SGD(other, learningRate: 0.1)) }
      #expect(error?.file == file.path)
      let average = WeightAverage(of: model, .equal)
      #expect(throws: CheckpointError.self) { try state.restore(model, optimizer, average: average) }
      try state.restore(model, optimizer)
    }
  }
}
