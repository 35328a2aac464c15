import Tensors
import TestSupport
import Testing

/// A batch norm whose rows are spread over ranks is that of all rows: PyTorch's of the whole batch is what it is compared with, as its own
/// `SyncBatchNorm` runs on GPUs alone.
@Suite("Batch norm over ranks") struct SynchronisedBatchNormTests {
  @Test(arguments: [2, 3]) func valuesAndGradientsArePyTorchsOfTheWholeBatch(ranks: Int) throws {
    let cases = try fixture("images", in: .module, as: [OperationCase].self)
      .filter { $0.operation == "batchNorm2d" && $0.inputs[0].shape[0] >= ranks }
    #expect(!cases.isEmpty)
    for item in cases {
      let (value, pullback) = valueWithPullback(at: item.inputs.map(\.tensor)) { spread($0, ranks) }
      expectClose(value, item.output.tensor, isDouble ? 1e-8 : 1e-5, "\(item.testDescription)")
      for (index, gradient) in pullback(item.upstream.tensor).enumerated() {
        expectClose(
          gradient, item.gradients[index].tensor, isDouble ? 1e-8 : 5e-5, "gradient \(index) of \(item.testDescription)"
        )
      }
    }
  }

  /// In single precision a difference is so wide that the kinks of a ReLU lie in it.
  @Test(arguments: [false, true], isDouble ? [false, true] : [false])
  func gradientsAreDifferences(hasResidual: Bool, hasReLU: Bool) throws {
    let inputs = [normal([5, 2, 3, 4]), normal([4], seed: 2), normal([4], seed: 3)]
    let residual = hasResidual ? [normal([5, 2, 3, 4], seed: 4)] : []
    for ranks in [2, 3] { try checkGradient(of: { spread($0, ranks, relu: hasReLU) }, at: inputs + residual) }
  }

  /// Moments of the parts are joined: a mean far from 0 leaves the variance as it is.
  @Test func aLargeMeanIsNoLossOfVariance() {
    let x = normal([6, 2, 2, 3]) + 1000
    let (ones, zeros) = (Tensor.ones([3]), Tensor.zeros([3]))
    expectClose(spread([x, ones, zeros], 3), batchNorm2d(x, gamma: ones, beta: zeros).y, isDouble ? 1e-9 : 1e-3)
  }
}

/// The norm of `inputs`, x, γ, β and a residual where there is one, whose first axis is spread over threads; its gradient is what each
/// thread finds, joined for x and the residual, added for γ and β.
private func spread(_ inputs: [Tensor], _ ranks: Int, relu: Bool = false) -> Tensor {
  let (points, rows) = (inputs.map(\.detached), inputs[0].shape[0])
  @Sendable func run(_ upstream: Tensor?) -> [[Tensor]] {
    try! ThreadCommunicator.run(ranks) { communicator in
      let own = rows * communicator.rank / ranks..<rows * (communicator.rank + 1) / ranks
      let part = points.enumerated().map { index, point in index % 3 == 0 ? point[own] : point }
      let (y, pullback) = valueWithPullback(at: part) { inputs in
        batchNorm2d(
          inputs[0], gamma: inputs[1], beta: inputs[2], epsilon: 1e-5, adding: inputs.count > 3 ? inputs[3] : nil,
          relu: relu, summing: { communicator.sum(&$0) }
        ).y
      }
      return upstream.map { pullback($0[own]) } ?? [y]
    }
  }
  return customGradient(inputs) { _ in
    .concatenated(run(nil).map { $0[0] })
  } pullback: { dy in
    let parts = run(dy.detached)
    return points.indices.map { index in
      let gradients = parts.map { $0[index] }
      return index % 3 == 0 ? .concatenated(gradients) : gradients.dropFirst().reduce(gradients[0], +)
    }
  }
}
