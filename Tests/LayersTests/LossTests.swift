import Foundation
import TestSupport
import Testing

@testable import Layers

struct LossTests {
  struct Case: Decodable {
    let name: String
    let input: Numbers
    let target: Numbers?
    let labels: [Int]?
    let value: Double
    let gradient: Numbers
  }

  @Test func everyLossGivesPyTorchsValueAndGradient() throws {
    let cases: [Case] = try fixture("losses", in: .module) + fixture("more-losses", in: .module)
    #expect(cases.count == 17)
    let weights = Tensor([0.5, 2, 1, 0, 3], shape: [5])
    for fixture in cases {
      let target = fixture.target?.tensor ?? Tensor(0)
      let labels = fixture.labels ?? []
      let (value, gradient) = try valueWithGradient(at: fixture.input.tensor) { x in
        switch fixture.name {
        case "cross-entropy", "cross-entropy of large logits": softmaxCrossEntropy(x, labels: labels)
        case "label smoothing": softmaxCrossEntropy(x, labels: labels, labelSmoothing: 0.1)
        case "soft targets": softmaxCrossEntropy(x, targets: target)
        case "mean squared error": meanSquaredError(x, target)
        case "huber": huber(x, target, threshold: 0.7)
        case "binary cross-entropy": binaryCrossEntropyWithLogits(x, target)
        case "kl": klDivergence(x, targets: target)
        case "class weights": softmaxCrossEntropy(x, labels: labels, weights: weights)
        case "class weights, summed": softmaxCrossEntropy(x, labels: labels, weights: weights, reduction: .sum)
        case "class weights, smoothed":
          softmaxCrossEntropy(x, labels: labels, labelSmoothing: 0.2, weights: weights)
        case "ignored label": softmaxCrossEntropy(x, labels: labels, ignoring: -1)
        case "ignored label, weighted and smoothed":
          softmaxCrossEntropy(x, labels: labels, labelSmoothing: 0.1, weights: weights, ignoring: -1)
        case "no reduction":
          (softmaxCrossEntropy(x, labels: labels, weights: weights, ignoring: -1, reduction: .none)
            * Tensor([1, -2, 0.5, 3], shape: [4])).sum()
        case "l1": meanAbsoluteError(x, target)
        case "l1, summed": meanAbsoluteError(x, target, reduction: .sum)
        case "l1, no reduction": (meanAbsoluteError(x, target, reduction: .none) * target).sum()
        default: try #require(nil as Tensor?, "no loss for the fixture '\(fixture.name)'")
        }
      }
      expectClose(value, Tensor(Scalar(fixture.value)), 1e-5, fixture.name)
      expectClose(gradient, fixture.gradient.tensor, 1e-5, "\(fixture.name): gradient")
    }
  }

  @Test func aClassThatCannotBeCostsNothingButWhereItIsTheLabel() {
    let logits = Tensor([-.infinity, 0, 0, 1, 0, -.infinity], shape: [2, 3])
    #expect(abs(softmaxCrossEntropy(logits[0..<1], labels: [2]).item - log(2)) < 1e-6)
    #expect(softmaxCrossEntropy(logits, labels: [2, 2]).item == .infinity)
    let gradient = gradient(at: logits) { softmaxCrossEntropy($0, labels: [2, 0]) }
    #expect(gradient.scalars.allSatisfy(\.isFinite) && gradient.scalars[0] == 0)
    // As PyTorch: the mean of nothing is not a number.
    #expect(softmaxCrossEntropy(logits, labels: [7, 7], ignoring: 7).item.isNaN)
  }

  @Test func klDivergenceOfEqualDistributionsIsZero() {
    let p = Tensor([0.5, 0.25, 0.25], shape: [1, 3])
    let logits = Tensor([0, 0, 0].enumerated().map { $0.offset == 0 ? 0.693_147_2 : $0.element }, shape: [1, 3])
    expectClose(klDivergence(logits, targets: p), Tensor(0), 1e-6)
  }

  @Test func softmaxEntropyIsThatOfTheProbabilities() {
    let ln = { (x: Double) in log(x) }
    let logits = Tensor([0, 0, 0, 0, 1e4, 0, 0, 0, 0, 0, -.infinity, -.infinity], shape: [3, 4])
    let (entropies, confidences) = softmaxEntropy(logits)
    for (found, expected) in zip(entropies, [ln(4), 0, ln(2)]) { #expect(abs(found - expected) < 1e-12) }
    #expect(confidences == [0.25, 1, 0.5])
    // A temperature of 2 halves the logits: probabilities 2/3 and 1/3.
    let warm = softmaxEntropy(Tensor([Scalar(2 * ln(2)), 0], shape: [1, 2]), temperature: 2)
    #expect(abs(warm.entropies[0] - (ln(3) - ln(2) * 2 / 3)) < 1e-6 && abs(warm.confidences[0] - 2.0 / 3) < 1e-6)
  }

  @Test func aLabelOutOfRangeTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = softmaxCrossEntropy(.zeros([1, 3]), labels: [3])
    }
  }
}
