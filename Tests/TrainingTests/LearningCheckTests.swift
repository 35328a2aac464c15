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

  private func evaluation(_ accuracy: Double, loss: Double, count: Int = 1000) -> Evaluation.Summary {
    .init(count: count, loss: loss, top1: accuracy, topK: 1, k: 3, calibrationError: 0)
  }

  @Test func aClassifierThatGuessesHasNotLearnt() {
    let check = LearningCheck(labels: labels)
    func problem(_ accuracy: Double, loss: Double) -> String? {
      check.problem(with: evaluation(accuracy, loss: loss), of: ReLU())
    }
    #expect(problem(0.5, loss: 0.98)?.contains("right on 50.0 % of the training images") == true)
    #expect(problem(0.2, loss: .nan) != nil)
    #expect(problem(0.9, loss: 0.3) == nil)
    // Right far more often than by guessing, if too sure of it.
    #expect(problem(0.8, loss: 3) == nil)
    // One class can be learnt by guessing.
    #expect(LearningCheck(labels: [1, 1]).problem(with: evaluation(1, loss: 0), of: ReLU()) == nil)
  }

  @Test func amongFewOfAClassMuchCanBeLearntWithoutBeingRightMoreOften() {
    let check = LearningCheck(labels: [Int](repeating: 0, count: 980) + [Int](repeating: 1, count: 20))
    #expect(check.problem(with: evaluation(0.98, loss: 0.03), of: ReLU()) == nil)
    #expect(check.problem(with: evaluation(1, loss: 0.2), of: ReLU()) == nil)
    #expect(check.problem(with: evaluation(0.98, loss: 0.098), of: ReLU()) != nil)
  }

  @Test func deadReLUsAreNamedAsTheCause() {
    let check = LearningCheck(labels: labels)
    let guesses = evaluation(0.5, loss: 0.98)
    let dead = Tensor(repeating: -1, shape: [2, 4])
    #expect(check.problem(with: guesses, of: ReLU(), on: dead)?.contains("100.0 % of the channels") == true)
    let half = Tensor([-1, 1, -2, 0, -1, -1, 3, 0], shape: [2, 4])
    #expect(check.problem(with: guesses, of: ReLU(), on: half)?.contains("channels") == false)
  }
}
