import TestSupport
import Testing

@testable import Layers

/// A weight of length g along v. Salimans, Kingma, 2016.
private final class WeightNorm: Layer {
  let linear: Linear
  @Parameter var v: Tensor
  @Parameter var g: Tensor
  init(_ linear: Linear) {
    self.linear = linear
    v = linear.weight.detached
    g = .ones([linear.weight.shape[0], 1])
    linear.$weight.isTrainable = false
  }
  var weight: Tensor { g * v / sqrt(square(v).sum(alongAxes: [1], keepingDimensions: true)) }
  func callAsFunction(_ x: Tensor) -> Tensor { linear.with(["weight": weight]) { $0(x) } }
}

/// A frozen weight plus a trained product of low rank. Hu et al., 2021.
private final class LowRank: Layer {
  let base: Linear
  @Parameter var a: Tensor
  @Parameter var b: Tensor
  init(_ base: Linear, rank: Int, using generator: inout some RandomNumberGenerator) {
    base.freeze()
    self.base = base
    a = .normal([rank, base.weight.shape[1]], using: &generator)
    b = .normal([base.weight.shape[0], rank], using: &generator)
  }
  func callAsFunction(_ x: Tensor) -> Tensor { base.with(["weight": base.weight + matmul(b, a)]) { $0(x) } }
}

@Suite("A model with other parameters") struct FunctionalCallTests {
  @Test func gradientsFlowThroughThem() {
    var g = generator()
    let layer = Linear(1, 1, bias: false, using: &g)
    layer.weight = Tensor([[3]])
    // w² at 3: the gradient is 6, and not 1.
    let (value, gradients) = valueWithGradient(of: layer) { layer in
      layer.with(["weight": layer.weight * layer.weight]) { $0(.ones([1, 1])).sum() }
    }
    #expect(value.item == 9 && gradients[layer.$weight]?.item == 6)
    #expect(layer.weight.item == 3)
  }

  @Test func weightNormalisationTrainsLengthAndDirection() throws {
    var g = generator()
    let layer = WeightNorm(Linear(4, 3, using: &g))
    let x = Tensor.normal([5, 4], using: &g)
    try checkGradient(of: layer) { tanh($0(x)).sum() }
    let gradients = valueWithGradient(of: layer) { tanh($0(x)).sum() }.gradients
    #expect(gradients[layer.$v] != nil && gradients[layer.$g] != nil && gradients[layer.linear.$weight] == nil)
  }

  @Test func lowRankAdaptationTrainsItsFactorsAlone() throws {
    var g = generator()
    let layer = LowRank(Linear(4, 3, using: &g), rank: 2, using: &g)
    let x = Tensor.normal([5, 4], using: &g)
    let before = layer.base.weight.scalars
    try checkGradient(of: layer) { tanh($0(x)).sum() }
    let optimizer = SGD(layer, learningRate: 0.01)
    func step() -> Scalar {
      let (value, gradients) = valueWithGradient(of: layer) { square($0(x)).mean() }
      optimizer.update(with: gradients)
      return value.item
    }
    let first = step()
    for _ in 0..<20 { _ = step() }
    #expect(step() < first && layer.base.weight.scalars == before)
  }

  @Test func metaLearningDifferentiatesThroughInnerSteps() {
    // MAML with the loss (w - 1)² / 2 inside and w² / 2 outside: after two steps of rate 0.1 w is 1 + 0.81 (w - 1).
    var g = generator()
    let layer = Linear(1, 1, bias: false, using: &g)
    layer.weight = Tensor([[3]])
    let (value, gradients) = valueWithGradient(of: layer) { layer in
      func adapted(_ steps: Int) -> Tensor {
        guard steps > 0 else { return (square(layer(.ones([1, 1]))) * 0.5).sum() }
        let inner = valueWithGradient(of: layer) { (square($0(.ones([1, 1])) - 1) * 0.5).sum() }.gradients
        let fast = layer.weight - 0.1 * inner[layer.$weight]!
        return layer.with(["weight": fast]) { _ in adapted(steps - 1) }
      }
      return adapted(2)
    }
    expectClose(value, Tensor(2.62 * 2.62 / 2), 1e-5)
    expectClose(gradients[layer.$weight], Tensor([[2.62 * 0.81]]), 1e-5)
  }

  @Test func namesOfTiedParametersAreTheirs() {
    var g = generator()
    let tied = Linear(2, 2, bias: false, using: &g)
    let model = Sequential([tied, tied])
    let y = model.with(["1.weight": Tensor([[2, 0], [0, 2]])]) { $0(.ones([1, 2])) }
    #expect(y.scalars == [4, 4])
  }
}
