// Not `@testable`: an optimizer of one's own is written with what is public.
import Layers
import TestSupport
import Testing

/// Steps of the rate against the sign of the running mean of the gradients.
private final class SignDescent: SlottedOptimizer {
  init(_ groups: [ParameterGroup], learningRate: Scalar) {
    super.init(groups, learningRate: learningRate, weightDecay: 0, slots: ["mean"])
  }

  override func step(_ s: Step) {
    for i in 0..<s.count {
      s.slots[0][i] = (s.slots[0][i] + s.g[i]) / 2
      s.w[i] -= s.rate * (s.slots[0][i] < 0 ? -1 : 1)
    }
  }
}

/// One that shares nothing with the library's.
private final class Frozen: Optimizer {
  var learningRate: Scalar = 0
  let groups: [ParameterGroup] = []
  func update(with gradients: Gradients) {}
  var state: [String: Tensor] { [:] }
  func load(_ state: [String: Tensor]) throws(OptimizerStateError) {
    throw OptimizerStateError(description: "there is nothing to load")
  }
}

private final class Pair: Module {
  @Parameter var a = Tensor([1, 2], shape: [2])
  @Parameter var b = Tensor([3], shape: [1])
  var loss: Tensor { (a * a).sum() + (b * b * b).sum() }
}

struct OwnOptimizerTests {
  private func gradients(_ model: Pair) -> Gradients { valueWithGradient(of: model) { $0.loss }.gradients }

  @Test func anOptimizerOfOnesOwnStepsAndIsSaved() throws {
    let model = Pair()
    let optimizer = SignDescent([ParameterGroup(model)], learningRate: 0.5)
    optimizer.update(with: gradients(model))
    #expect(model.a.scalars == [0.5, 1.5] && model.b.scalars == [2.5])
    #expect(optimizer.state["0.a.mean"]?.scalars == [1, 2])
    let other = SignDescent([ParameterGroup(Pair())], learningRate: 1)
    try other.load(optimizer.state)
    #expect(other.learningRate == 0.5 && other.state["0.a.mean"]?.scalars == [1, 2])
    #expect(throws: OptimizerStateError.self) { try Frozen().load([:]) }
  }

  @Test func groupsChangeBetweenUpdatesAndParametersKeepTheirState() {
    let (model, straight) = (Pair(), Pair())
    let optimizer = SGD([ParameterGroup([("a", model.$a)])], learningRate: 0.1, momentum: 0.9)
    let reference = SGD(
      [ParameterGroup([("a", straight.$a)]), ParameterGroup([("b", straight.$b)], learningRateScale: 0.5)],
      learningRate: 0.1, momentum: 0.9)
    for step in 0..<6 {
      if step == 2 { optimizer.groups.append(ParameterGroup([("b", model.$b)], learningRateScale: 0.5)) }
      if step == 4 {
        optimizer.groups[1].learningRateScale = 0
        reference.groups[1].learningRateScale = 0
      }
      optimizer.update(with: gradients(model))
      var given = gradients(straight)
      // Without a gradient a parameter waits.
      if step < 2 { given[straight.$b] = nil }
      reference.update(with: given)
      #expect(model.a.scalars == straight.a.scalars && model.b.scalars == straight.b.scalars, "step \(step)")
    }
    optimizer.groups.remove(at: 0)
    let before = model.a.scalars
    optimizer.update(with: gradients(model))
    #expect(model.a.scalars == before)
    #expect(optimizer.state.keys.sorted() == ["0.b.momentum_buffer", "0.b.step", "learning_rate"])
  }

  @Test func gradientsAreAddedAndScaled() {
    let model = Pair()
    let g = gradients(model)
    #expect((2 * g)[model.$a]?.scalars == [4, 8] && (g / 2)[model.$a]?.scalars == [1, 2])
    #expect((g - g * 0.5)[model.$b]?.scalars == [13.5])
    var sum = g
    sum += g
    sum /= 4
    sum *= 3
    sum -= g
    #expect(sum[model.$a]?.scalars == [1, 2])
    #expect((-g)[model.$b]?.scalars == [-27])
    var part = g
    part[model.$b] = nil
    #expect((part - g)[model.$b]?.scalars == [-27])
    #expect(g.map { $0 * $0 }[model.$a]?.scalars == [4, 16])
  }

  @Test func gradientsOfModelAndInputComeInOnePass() {
    let model = Pair()
    var runs = 0
    let (value, gradients, atInput) = valueWithGradient(of: model, at: Tensor([5, 7], shape: [2])) { model, x in
      runs += 1
      return (model.a * x * x).sum()
    }
    #expect(runs == 1 && value.item == 25 + 98)
    #expect(gradients[model.$a]?.scalars == [25, 49] && gradients[model.$b] == nil)
    #expect(atInput.scalars == [10, 28])
    let many = valueWithGradient(of: model, at: [Tensor(2), Tensor(3), Tensor(4)]) { model, xs in
      model.b.sum() * xs[0] * xs[1]
    }
    #expect(many.inputGradients.map(\.item) == [9, 6, 0])
    // And again, for gradients of gradients.
    let second = gradient(at: Tensor(2)) { x in
      valueWithGradient(of: model, at: x) { model, x in model.b.sum() * x * x * x }.inputGradient
    }
    #expect(second.item == 36)
  }
}
