import Foundation
import TestSupport
import Testing
import Training

@testable import Checkpoints

struct SavedCheckpointsTests {
  private func state(_ step: Int) -> TrainingCheckpoint {
    var position = TrainingPosition()
    position.step = step
    let model = toyModel(seed: UInt64(step))
    return TrainingCheckpoint(model, SGD(model, learningRate: 0.1), at: position)
  }

  @Test func theLastOnesAndTheBestAreKept() throws {
    try withFolder { folder in
      let states = SavedCheckpoints(folder.appendingPathComponent("run"), count: 3)
      #expect(try states.newest() == nil)
      for step in 1...5 { try states.save(state(step), isBest: step == 2) }
      #expect(try (0..<3).map { try TrainingCheckpoint.load(states.url($0)).position.step } == [5, 4, 3])
      #expect(try TrainingCheckpoint.load(states.best).position.step == 2)
      #expect(try states.newest()?.position.step == 5)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
          "run.1.safetensors", "run.2.safetensors", "run.best.safetensors", "run.safetensors",
        ])
      states.removeOlder()
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }
  }

  @Test(arguments: ["cut", "flipped", "empty", "missing"])
  func aDamagedNewestOneFallsBackToTheOneBefore(damage: String) throws {
    try withFolder { folder in
      let states = SavedCheckpoints(folder.appendingPathComponent("run"))
      for step in 1...2 { try states.save(state(step)) }
      var bytes = try [UInt8](Data(contentsOf: states.url()))
      switch damage {
      case "cut": bytes.removeLast(7)
      case "flipped": bytes[bytes.count - 3] ^= 16
      case "empty": bytes = []
      default: try FileManager.default.removeItem(at: states.url())
      }
      if damage != "missing" { try Data(bytes).write(to: states.url()) }
      var warnings: [String] = []
      #expect(try states.newest { warnings.append($0) }?.position.step == 1)
      // One that is missing was never whole: the process ended between two names.
      #expect(warnings.count == (damage == "missing" ? 0 : 1))
      #expect(warnings.allSatisfy { $0.contains("run.safetensors") && $0.contains("run.1.safetensors") }, "\(warnings)")
      try Data([1, 2, 3]).write(to: states.url(1))
      if damage != "missing" { #expect(throws: CheckpointError.self) { try states.newest() } }
    }
  }
}
