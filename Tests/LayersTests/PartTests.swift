import TestSupport
import Testing

@testable import Layers

private func linear(_ inputs: Int = 2, _ outputs: Int = 2, seed: UInt64 = 1) -> Linear {
  var g = generator(seed)
  return Linear(inputs, outputs, using: &g)
}

/// A layer that owns parameters in every way but as a plain property.
private final class Everywhere: Layer {
  struct Branch { var (first, scale) = (linear(seed: 5), Parameter(wrappedValue: .ones([2]))) }
  enum Head {
    case one(Linear)
    case none
  }
  let byName = ["b": linear(seed: 2), "a": linear(seed: 1)]
  let byNumber: [Int: any Layer] = [10: linear(seed: 4), 9: linear(seed: 3)]
  let branch = Branch()
  let nested: [[any Layer]] = [[linear(seed: 6)], [ReLU(), linear(seed: 7)]]
  let pair = (linear(seed: 8), name: "a name")
  let scales = [Parameter(wrappedValue: .ones([3])), Parameter(wrappedValue: .ones([4]))]
  let maybe: [Linear?]? = [nil, linear(seed: 9)]
  let head = Head.one(linear(seed: 10))
  lazy var late: Linear = linear(seed: 11)
  let numbers = [Scalar](repeating: 1, count: 1_000_000)
  func callAsFunction(_ x: Tensor) -> Tensor { late(x) }
}

/// The same layer twice, and one weight in two layers.
private final class Tied: Layer {
  let encoder: Linear
  let again: Linear
  let weight: Parameter
  init() {
    encoder = linear()
    (again, weight) = (encoder, encoder.$weight)
  }
  func callAsFunction(_ x: Tensor) -> Tensor { again(encoder(x)) }
}

private final class Child: Layer {
  weak var parent: Parent?
  unowned var owner: Parent?
  let inner = linear()
  func callAsFunction(_ x: Tensor) -> Tensor { inner(x) }
}
private final class Parent: Layer {
  let child = Child()
  var strong: Parent?
  init() {
    child.parent = self
    child.owner = self
    strong = self
  }
  func callAsFunction(_ x: Tensor) -> Tensor { child(x) }
}

private final class Helper { let layer = linear() }
private final class WithHelper: Layer {
  let helper = Helper()
  func callAsFunction(_ x: Tensor) -> Tensor { helper.layer(x) }
}
private final class WithKnownHelper: Layer {
  let helper = Helper()
  let layer: Linear
  init() { layer = helper.layer }
  func callAsFunction(_ x: Tensor) -> Tensor { layer(x) }
}

@Suite("Parts of a module") struct PartTests {
  @Test func areFoundInCollectionsTuplesStructsAndOptionals() {
    let names = Everywhere().namedParameters.map(\.name)
    let owners = [
      "by_name.a", "by_name.b", "by_number.9", "by_number.10", "branch.first", "branch.scale", "nested.0.0",
      "nested.1.1",
      "pair.0", "scales.0", "scales.1", "maybe.1", "head",
    ]
    #expect(
      names == owners.flatMap { $0.contains("scale") ? [$0] : ["\($0).weight", "\($0).bias"] })
    let lazy = Everywhere()
    _ = lazy(.ones([1, 2]))
    #expect(lazy.namedParameters.last?.name == "late.bias")
  }

  @Test func thatAreSharedCountOnce() throws {
    let model = Tied()
    #expect(model.namedParameters.map(\.name) == ["encoder.weight", "encoder.bias"])
    #expect(model.parameterCount == 6)
    let summary = ModelSummary(of: model, input: [2])
    #expect(summary.parameters == 6 && summary.rows.map(\.parameters) == [6, 0])
    #expect(Set(model.aliases.map(\.name)) == ["again.weight", "again.bias", "weight"])
    // One step of SGD, not two.
    let before = model.encoder.weight.detached
    let (_, gradients) = valueWithGradient(of: model) { $0(.ones([1, 2])).sum() }
    let optimizer = SGD(model, learningRate: 0.5, momentum: 0.9)
    optimizer.update(with: gradients)
    expectClose(model.encoder.weight.detached, before - 0.5 * gradients[model.weight]!, 1e-6)
    #expect(optimizer.state.keys.filter { $0.hasSuffix("momentum_buffer") }.count == 2)
    let other = SGD(Tied(), learningRate: 0.1, momentum: 0.9)
    try other.load(optimizer.state)
    #expect(
      other.state["0.encoder.weight.momentum_buffer"]?.scalars
        == optimizer.state["0.encoder.weight.momentum_buffer"]?.scalars)
  }

  @Test func backReferencesAreFollowedOnce() {
    let parent = Parent()
    #expect(parent.namedParameters.map(\.name) == ["child.inner.weight", "child.inner.bias"])
    parent.train()
    #expect(parent.child.parameterCount == 6)
  }

  @Test func parametersOfOneNameInAGroupHaveStatesOfTheirOwn() throws {
    let (a, b) = (linear(seed: 1), linear(seed: 2))
    let optimizer = SGD(
      [ParameterGroup(a.namedParameters + b.namedParameters + a.namedParameters)], learningRate: 0.1, momentum: 0.9)
    #expect(optimizer.groups[0].parameters.count == 4)
    let gradients =
      valueWithGradient(of: a) { $0(.ones([1, 2])).sum() }.gradients
      + valueWithGradient(of: b) { $0(.ones([1, 2])).sum() * 3 }.gradients
    optimizer.update(with: gradients)
    #expect(optimizer.state["0.bias.momentum_buffer"]?.scalars == [1, 1])
    #expect(optimizer.state["0.bias'.momentum_buffer"]?.scalars == [3, 3])
  }

  @Test func aHelperMayReferToWhatTheModelOwns() { #expect(WithKnownHelper().parameterCount == 6) }

  @Test func aWalkOfAModelIsCheap() {
    var g = generator()
    let model = ResNet(classes: 10, using: &g)
    let time = ContinuousClock().measure { for _ in 0..<20 { _ = model.parameters } } / 20
    #expect(time < .milliseconds(50), "\(time)")
    let large = Everywhere()
    #expect(ContinuousClock().measure { _ = large.parameters } < .milliseconds(200))
  }
}

/// What would be wrong without a word stops the program, and says what to do.
@Suite("Traps of modules") struct ModuleTrapTests {
  private static let traps: [String: (message: String, body: @Sendable () -> Void)] = [
    "a parameter in two groups": (
      "SGD: the parameter 'bias' is in the groups 0 and 1",
      {
        let layer = linear()
        _ = SGD([ParameterGroup(layer), ParameterGroup([("bias", layer.bias!)])], learningRate: 0.1)
      }
    ),
    "a computed weight": (
      "Parameter 'weight': a tensor that the gradient's scope has computed",
      {
        let layer = linear()
        _ = valueWithGradient(of: layer) { layer in
          layer.weight = layer.weight * 2
          return layer(.ones([1, 2])).sum()
        }
      }
    ),
    "a computed weight of a new layer": (
      "Parameter: made of a tensor that a gradient tracks",
      { _ = gradient(at: Tensor(2)) { Parameter(wrappedValue: $0 * 3).wrappedValue } }
    ),
    "a layer in a class": (
      "the property 'helper' is a Helper, a class that is no Module", { _ = WithHelper().parameters }
    ),
    "a negative learning rate": ("optimizer: the learning rate is -0.1", { _ = SGD(linear(), learningRate: -0.1) }),
    "a schedule below 0": (
      "optimizer: the learning rate is nan", { SGD(linear(), learningRate: 0.1).learningRate = .nan }
    ),
    "a negative weight decay": ("optimizer: the weight decay is -1.0", { _ = Adam(linear(), weightDecay: -1) }),
    "a negative limit of gradients": (
      "optimizer: the limit of the gradients' norm is -1.0",
      { _ = valueWithGradient(of: linear()) { $0(.ones([1, 2])).sum() }.gradients.clipped(toNorm: -1) }
    ),
    "an average that grows": (
      "WeightAverage: the decay 2.0 is not in 0...1", { _ = WeightAverage(of: linear(), .exponential(decay: 2)) }
    ),
    "labels smoothed away": (
      "softmaxCrossEntropy: the label smoothing -0.1 is not in 0...1",
      { _ = softmaxCrossEntropy(.ones([1, 2]), labels: [0], labelSmoothing: -0.1) }
    ),
    "statistics of no batch": (
      "recomputeRunningStatistics: there is no batch", { BatchNorm2d(2).recomputeRunningStatistics(over: []) }
    ),
    "a weight of another shape": (
      "Parameter: a tensor of shape [5, 5] was assigned to one of shape [2, 2]",
      {
        linear().weight = .ones([5, 5])
      }
    ),
    "a buffer of another shape": (
      "Buffer: a tensor of shape [4] was assigned to one of shape [3]",
      {
        BatchNorm2d(3).runningMean = .ones([4])
      }
    ),
    "an unknown parameter": (
      "with: no parameter is named 'wieght', the model has weight, bias",
      {
        linear().with(["wieght": .ones([2, 2])]) { _ in }
      }
    ),
    "an update inside of with": (
      "Parameter: assigned inside of with(_:_:)",
      {
        linear().with(["weight": .ones([2, 2])]) { $0.weight = .zeros([2, 2]) }
      }
    ),
    "a gradient of an inference model": (
      "InferenceModel: a gradient tracks the input",
      {
        let model = try! linear().optimizedForInference()
        _ = gradient(at: .ones([1, 2])) { model($0).sum() }
      }
    ),
  ]

  @Test(arguments: traps.keys.sorted()) func stopTheProgram(name: String) async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [name] in
      Self.traps[name]!.body()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(Self.traps[name]!.message), "\(text.prefix(500))")
  }
}

@Suite("Chains of layers") struct ChainTests {
  @Test func layersAreListedAsArgumentsToo() {
    let chain = Sequential(linear(2, 3), ReLU(), linear(3, 1))
    #expect(chain.count == 3 && chain.namedParameters.map(\.name).first == "0.weight")
    #expect(chain(.ones([2, 2])).shape == [2, 1])
  }
}
