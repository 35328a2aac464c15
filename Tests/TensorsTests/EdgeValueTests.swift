import TestSupport
import Testing

@testable import Tensors

@Suite("Zeros, infinities, NaN and nothing") struct EdgeValueTests {
  private static let operations: [String: @Sendable ([Tensor]) -> Tensor] = [
    "relu": { relu($0[0]) }, "elu": { elu($0[0]) }, "leakyReLU": { leakyReLU($0[0]) },
    "pow": { (x: [Tensor]) in pow(x[0], x[1]) }, "pow to the 0": { pow($0[0], 0) }, "pow to the 2": { pow($0[0], 2) },
    "topK": { $0[0].topK(4).values }, "product": { $0[0].product() },
    "product of rows": { $0[0].product(alongAxes: [1]) },
    "maximum": { maximum($0[0], $0[1]) }, "minimum": { minimum($0[0], $0[1]) },
    "softmax": { softmax($0[0]) * Tensor([[0, 1, 2], [3, 4, 5]]) }, "logSoftmax": { logSoftmax($0[0]) },
    "scaledDotProductAttention": { scaledDotProductAttention($0[0], $0[0], $0[0], mask: $0[1]) },
    "variance of one": { $0[0].variance(correction: 2) },
    "conv2d": { conv2d($0[0], $0[1], stride: 2, padding: 1) },
    "convTranspose2d": { convTranspose2d($0[0], $0[1], stride: 2) },
    "maxPool2d": { maxPool2d($0[0], size: 2) },
    "averagePool2d": { averagePool2d($0[0], size: 3, stride: 2, padding: 1) },
    "globalAveragePool2d": { globalAveragePool2d($0[0]) },
  ]

  @Test func giveWhatPyTorchGives() throws {
    let cases: [EdgeCase] = try fixture("edges", in: .module)
    #expect(cases.count == Self.operations.count)
    for edge in cases { edge.expect(try #require(Self.operations[edge.name], "no operation \(edge.name)")) }
  }

  @Test func theLargestElementsBeginWithNaN() {
    let (values, indices) = Tensor([3, .nan, .infinity, 1, .nan, 3]).topK(5)
    #expect(indices == [[1, 4, 2, 0, 5]] && values.scalars.suffix(3) == [.infinity, 3, 3])
  }

  @Test func aReLUAgreesWithTheOneInABatchNorm() {
    // γ = ∞ makes ±∞ of every number but the mean, and NaN of that.
    let x = Tensor([[-2, 1], [2, -1]])
    func norm(_ relu: Bool) -> Tensor {
      batchNorm2d(
        x, gamma: Tensor([.infinity, 1]), beta: .zeros([2]), mean: .zeros([2]), variance: .ones([2]), relu: relu)
    }
    #expect(norm(true).scalars.prefix(3) == relu(norm(false)).scalars.prefix(3))
    #expect(norm(true).scalars[0] == 0 && relu(norm(false)).scalars[0] == 0)
  }

  @Test func probabilitiesOfLargeLogitsAddUpToOne() {
    for top in [0, 1e4, 1e6, -1e7] as [Scalar] {
      let shares = softmax(Tensor([top, top - 1, top - 2]))
      #expect(abs(shares.sum().item - 1) < 1e-6, "\(top): \(shares)")
      #expect(
        logSoftmax(Tensor([top, top - 1])).isApproximatelyEqual(
          to: Tensor([-0.313_261_687_518_223, -1.313_261_687_518_223])))
    }
  }

  @Test func theMeanOfEqualNumbersIsThatNumber() {
    for count in 1...300 { #expect(Tensor.ones([count]).mean().item == 1, "\(count) ones") }
    // Their squared distances from a mean that is a digit off would be as large as the variance.
    let numbers = Tensor((0..<10_000).map { 1e6 + Scalar($0 % 7) })
    #expect(abs(numbers.variance().item - 3.9998) < 1e-3)
  }

  @Test func longCumulativeSumsKeepTheirDigits() {
    let tenths = Tensor(repeating: 0.1, shape: [1_000_000])
    #expect(abs(Double(tenths.cumulativeSum().scalars.last!) - 100_000) < 0.01)
    let columns = tenths.reshaped(to: [250_000, 4]).cumulativeSum(axis: 0)
    #expect(columns.scalars.suffix(4).allSatisfy { abs(Double($0) - 25_000) < 0.01 })
  }

  @Test func emptyBatchesPassThroughBatchNorm() {
    let x = Tensor.zeros([0, 4, 4, 3])
    let (value, gradients) = valueWithGradient(at: [x, .ones([3]), .zeros([3])]) {
      batchNorm2d($0[0], gamma: $0[1], beta: $0[2], mean: .zeros([3]), variance: .ones([3])).sum()
    }
    #expect(value.item == 0 && gradients.map(\.shape) == [[0, 4, 4, 3], [3], [3]])
    let fixed = FixedConvolution(.ones([3, 3, 3, 8]), bias: nil, stride: 1, padding: 1, dilation: 1, groups: 1)
    #expect(fixed(x).shape == [0, 4, 4, 8])
  }
}
