import TestSupport
import Testing

@testable import Layers

struct OptimizerTests {
  struct Fixture: Decodable {
    let start: [Numbers]
    let gradients: [[Numbers]]
    let after: [String: [[Numbers]]]
    let norm: Double
    let clipped: [Numbers]
  }

  final class Two: Module {
    let a: Parameter
    let b: Parameter
    init(_ values: [Numbers]) {
      a = Parameter(wrappedValue: values[0].tensor)
      b = Parameter(wrappedValue: values[1].tensor)
    }
    func gradients(_ values: [Numbers]) -> Gradients {
      Gradients(byID: [a.id: values[0].tensor, b.id: values[1].tensor])
    }
  }

  static func optimizer(_ name: String, _ model: Two) throws -> any Optimizer {
    switch name {
    case "sgd": SGD(model, learningRate: 0.1)
    case "sgd momentum": SGD(model, learningRate: 0.1, momentum: 0.9, weightDecay: 0.01)
    case "sgd nesterov": SGD(model, learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01)
    case "sgd groups":
      SGD(
        [ParameterGroup([("a", model.a)]), ParameterGroup([("b", model.b)], learningRateScale: 0.1, weightDecay: 0)],
        learningRate: 0.1, momentum: 0.9, weightDecay: 0.1)
    case "adam": Adam(model, learningRate: 0.1)
    case "adam decay": Adam(model, learningRate: 0.05, betas: (0.8, 0.99), epsilon: 1e-6, weightDecay: 0.1)
    case "adamw": AdamW(model, learningRate: 0.1, weightDecay: 0.1)
    case "rmsprop": RMSprop(model, learningRate: 0.05)
    case "rmsprop momentum":
      RMSprop(model, learningRate: 0.05, smoothing: 0.9, momentum: 0.9, weightDecay: 0.1)
    default: try #require(nil as SGD?, "no optimizer for the fixture '\(name)'")
    }
  }

  @Test func everyOptimizerFollowsPyTorchsPath() throws {
    let fixture: Fixture = try fixture("optimizers", in: .module)
    #expect(fixture.after.count == 9)
    for (name, steps) in fixture.after {
      let model = Two(fixture.start)
      let optimizer = try Self.optimizer(name, model)
      for (gradients, expected) in zip(fixture.gradients, steps) {
        optimizer.update(with: model.gradients(gradients))
        expectClose(model.a.wrappedValue, expected[0].tensor, 5e-6, name)
        expectClose(model.b.wrappedValue, expected[1].tensor, 5e-6, name)
      }
    }
  }

  @Test func aSavedStateContinuesBitForBit() throws {
    let fixture: Fixture = try fixture("optimizers", in: .module)
    for name in fixture.after.keys {
      let straight = Two(fixture.start)
      let optimizer = try Self.optimizer(name, straight)
      for gradients in fixture.gradients[..<3] { optimizer.update(with: straight.gradients(gradients)) }

      let resumed = Two(fixture.start)
      resumed.a.wrappedValue = straight.a.wrappedValue
      resumed.b.wrappedValue = straight.b.wrappedValue
      let second = try Self.optimizer(name, resumed)
      try second.load(optimizer.state)
      for gradients in fixture.gradients[3...] {
        optimizer.update(with: straight.gradients(gradients))
        second.update(with: resumed.gradients(gradients))
      }
      #expect(straight.a.wrappedValue.scalars == resumed.a.wrappedValue.scalars, "\(name)")
      #expect(straight.b.wrappedValue.scalars == resumed.b.wrappedValue.scalars, "\(name)")
    }
  }

  @Test func aStateThatDoesNotFitIsRefusedAndChangesNothing() throws {
    let fixture: Fixture = try fixture("optimizers", in: .module)
    let model = Two(fixture.start)
    let optimizer = SGD(model, learningRate: 0.1, momentum: 0.9)
    optimizer.update(with: model.gradients(fixture.gradients[0]))
    let good = optimizer.state
    for (change, word) in [
      (good.filter { $0.key != "0.a.momentum_buffer" }, "lacks"),
      (good.merging(["0.a.momentum_buffer": .zeros([7])]) { $1 }, "[7]"),
      (good.merging(["0.c.step": Tensor(1)]) { $1 }, "0.c.step"),
      (good.filter { $0.key != "learning_rate" }, "learning_rate"),
      (good.merging(["0.a.step": Tensor(.nan)]) { $1 }, "0.a.step"),
    ] {
      let error = #expect(throws: OptimizerStateError.self) { try optimizer.load(change) }
      #expect(error?.description.contains(word) == true)
    }
    #expect(optimizer.state.keys == good.keys)
  }

  @Test func frozenParametersStayAndSparedOnesDoNotDecay() throws {
    var g = generator()
    let model = Linear(2, 2, using: &g)
    let bias = try #require(model.bias)
    let (weight, before) = (model.weight.scalars, bias.wrappedValue.scalars)
    let zero = Gradients(byID: [model.$weight.id: .zeros([2, 2]), bias.id: .zeros([2])])
    let optimizer = SGD(ParameterGroup(model).sparingBiasesAndNorms(), learningRate: 1, weightDecay: 0.5)
    optimizer.update(with: zero)
    #expect(bias.wrappedValue.scalars == before)
    #expect(model.weight.scalars == weight.map { $0 - 0.5 * $0 })
    optimizer.update(with: Gradients(byID: [:]))
    #expect(model.weight.scalars == weight.map { $0 - 0.5 * $0 })
  }

  @Test func clippingOfNaNLeavesNoGradientAsItIs() {
    final class Pair: Module {
      @Parameter var a = Tensor([1, 1])
      @Parameter var b = Tensor([0, 1])
    }
    let pair = Pair()
    // As PyTorch's: the norm is NaN, and what is divided by it.
    let (_, gradients) = valueWithGradient(of: pair) { ($0.a * 1e6).sum() + (sqrt($0.b - 1) * 0).sum() }
    #expect(gradients[pair.$a]?.isFinite == true && gradients.norm.isNaN)
    #expect(gradients.clipped(toNorm: 1)[pair.$a]?.scalars.allSatisfy(\.isNaN) == true)
  }

  @Test func clippingByNormAndValueIsPyTorchs() throws {
    let fixture: Fixture = try fixture("optimizers", in: .module)
    let model = Two(fixture.start)
    let gradients = model.gradients(fixture.gradients[0])
    expectClose(Tensor(gradients.norm), Tensor(Scalar(fixture.norm)), 1e-6)
    let clipped = gradients.clipped(toNorm: 0.5)
    expectClose(clipped[model.a], fixture.clipped[0].tensor, 1e-6)
    expectClose(clipped[model.b], fixture.clipped[1].tensor, 1e-6)
    #expect(gradients.clipped(toNorm: 1e6)[model.a]?.scalars == gradients[model.a]?.scalars)
    #expect(
      gradients.clipped(toValue: 0.3)[model.a]?.scalars == gradients[model.a]?.scalars.map { min(max($0, -0.3), 0.3) })
  }
}
