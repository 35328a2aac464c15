import Foundation
import Testing
import Training

struct EvaluationTests {
  @Test func aHandMadeSetIsMeasuredAsByHand() throws {
    // Logits that are logarithms of the probabilities.
    let rows: [[Double]] = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.25, 0.25, 0.5]]
    let batches = [0, 2].map { start in
      ToyBatch(
        images: Tensor(rows[start..<start + 2].joined().map { Scalar(log($0)) }, shape: [2, 3]),
        labels: Array([0, 2, 0, 0][start..<start + 2]))
    }
    let evaluation = try evaluate(Given(), on: batches, k: 2)
    #expect(evaluation.count == 4 && evaluation.correct == 2)
    #expect(evaluation.predictions == [0, 1, 0, 2])
    #expect(evaluation.top1 == 0.5)
    #expect(evaluation.topK == 1)
    #expect(evaluation.confusion == [[2, 0, 1], [0, 0, 0], [0, 1, 0]])
    let loss = -(log(0.7) + log(0.3) + log(0.5) + log(0.25)) / 4
    #expect(abs(evaluation.loss - loss) < 1e-6)
    for (row, entropy) in zip(rows, evaluation.entropies) {
      #expect(abs(entropy + row.reduce(0) { $0 + $1 * log($1) }) < 1e-6)
    }
    #expect(zip(evaluation.probabilities.scalars, rows.joined()).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    // 0.7 is in one bin, right; 0.6 in another, wrong; both 0.5 share a bin, one right: |1 - 1.0| = 0.
    #expect(abs(evaluation.calibrationError - (0.3 + 0.6 + 0) / 4) < 1e-6)
  }

  @Test func calibrationIsPerfectWhereConfidenceIsAccuracy() {
    let isRight = (0..<10).map { $0 < 8 }
    #expect(abs(expectedCalibrationError(confidences: .init(repeating: 0.8, count: 10), isRight: isRight)) < 1e-12)
    #expect(expectedCalibrationError(confidences: [1, 1], isRight: [false, false]) == 1)
    #expect(expectedCalibrationError(confidences: [], isRight: []) == 0)
  }
}
