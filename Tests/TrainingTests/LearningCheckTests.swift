import Layers
import Testing

@testable import Training

struct LearningCheckTests {
  private let labels = [0, 0, 0, 1, 2, 2, 2, 2]

  private func report(_ epoch: Int, steps: Int = 60, loss: Double, accuracy: Double? = nil, validation: Double? = nil)
    -> EpochReport
  {
    EpochReport(
      epoch: epoch, step: (epoch + 1) * steps, loss: loss, accuracy: accuracy, learningRate: 0.1, seconds: 1,
      imagesPerSecond: 1,
      validation: validation.map { .init(count: 40, loss: loss, top1: $0, topK: 1, k: 3, calibrationError: 0) },
      isBest: false, stopped: nil)
  }

  @Test func theEntropyIsThatOfTheFrequencies() {
    let check = LearningCheck(labels: labels)
    // -(3/8 ln 3/8 + 1/8 ln 1/8 + 1/2 ln 1/2)
    #expect(abs(check.entropy - 0.974_314_74) < 1e-6)
    #expect(check.largest == 0.5)
  }

  @Test func aLossThatIsNoBetterIsToldAfterTheSecondEpochAlone() {
    let check = LearningCheck(labels: labels)
    #expect(check.problem(after: report(0, loss: 3)) == nil)
    #expect(check.problem(after: report(1, loss: 0.98))?.contains("0.98, no better than 0.9743") == true)
    #expect(check.problem(after: report(1, loss: 0.97)) == nil)
    #expect(check.problem(after: report(2, loss: 3)) == nil)
    // With 30 steps an epoch it is told after the fourth.
    #expect((0..<9).filter { check.problem(after: report($0, steps: 30, loss: 3)) != nil } == [3])
  }

  @Test func aRunThatGuessesHasNotLearnt() {
    let check = LearningCheck(labels: labels)
    let model = ReLU()
    #expect(check.problem(afterAll: [report(0, loss: 0.5, accuracy: 0.9)], of: model) == nil)
    #expect(check.problem(afterAll: [report(0, loss: 0.5, accuracy: 0.5)], of: model)?.contains("50.0 %") == true)
    #expect(check.problem(afterAll: [report(0, loss: 0.98, accuracy: 0.9)], of: model)?.contains("loss") == true)
    let overfit = [report(0, loss: 0.1, accuracy: 1, validation: 0.5)]
    #expect(check.problem(afterAll: overfit, of: model)?.contains("validation") == true)
    #expect(check.problem(afterAll: [], of: model) == nil)
    // One class can be learnt by guessing.
    #expect(LearningCheck(labels: [1, 1]).problem(afterAll: [report(0, loss: 0, accuracy: 1)], of: model) == nil)
  }

  @Test func deadReLUsAreNamedAsTheCause() {
    let check = LearningCheck(labels: labels)
    let guesses = [report(0, loss: 0.98, accuracy: 0.5)]
    let dead = Tensor(repeating: -1, shape: [2, 4])
    #expect(check.problem(afterAll: guesses, of: ReLU(), on: dead)?.contains("100.0 % of the channels") == true)
    let half = Tensor([-1, 1, -2, 0, -1, -1, 3, 0], shape: [2, 4])
    #expect(check.problem(afterAll: guesses, of: ReLU(), on: half)?.contains("channels") == false)
  }
}
