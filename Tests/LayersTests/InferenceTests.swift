import Synchronization
import TestSupport
import Testing

@testable import Layers

struct InferenceTests {
  /// Running statistics and affine parameters as training might leave them.
  private func disturb(_ model: any Layer) {
    var g = generator()
    for (_, buffer) in model.namedBuffers {
      buffer.wrappedValue = .uniform(buffer.wrappedValue.shape, in: 0.5..<1.5, using: &g)
    }
    for (_, parameter) in model.namedParameters where parameter.wrappedValue.rank == 1 {
      parameter.wrappedValue = .uniform(parameter.wrappedValue.shape, in: 0.5..<1.5, using: &g)
    }
  }

  private func expectSameOutput(_ model: any Layer, _ input: Shape, _ name: String) throws {
    disturb(model)
    model.evaluate()
    let optimized = try model.optimizedForInference()
    var g = generator()
    for batch in [1, 2, 23] {
      let x = Tensor.normal(Shape([batch] + input.dimensions), using: &g)
      // Twice: the second time the weights lie ready.
      for _ in 0..<2 {
        let (expected, found) = (model(x), optimized(x))
        #expect(found.shape == expected.shape, "\(name)")
        let error = abs(found - expected).max().item / Swift.max(1e-3, abs(expected).max().item)
        #expect(error < (Scalar.self == Float.self ? 3e-4 : 1e-10), "\(name), batch \(batch): off by \(error)")
      }
    }
    #expect(optimized.namedParameters.filter { $0.parameter.wrappedValue.rank == 4 }.isEmpty, "\(name)")
    #expect(
      ModelSummary(of: optimized, input: input).multiplyAdds == ModelSummary(of: model, input: input).multiplyAdds,
      "\(name)")
  }

  @Test func foldedModelsGiveTheSameOutputs() throws {
    var g = generator()
    for input: Shape in [[32, 32, 3], [9, 13, 3]] {
      try expectSameOutput(VGG16(classes: 10, inputShape: input, widthMultiplier: 0.25, using: &g), input, "VGG16")
      try expectSameOutput(ResNet(classes: 10, inputShape: input, using: &g), input, "ResNet20")
      try expectSameOutput(
        ResNet(depth: 8, classes: 10, inputShape: input, shortcut: .projection, using: &g), input, "ResNet8, option B")
      try expectSameOutput(
        ResNet(depth: 8, classes: 10, inputShape: input, widthMultiplier: 0.3, using: &g), input, "a narrow ResNet8")
    }
    for depth in ImageNetResNet.Depth.allCases {
      try expectSameOutput(
        ImageNetResNet(depth: depth, classes: 10, inputShape: [40, 36, 3], widthMultiplier: 0.25, using: &g),
        [40, 36, 3],
        "ImageNet's ResNet\(depth.rawValue)")
    }
    for input: Shape in [[32, 32, 3], [9, 13, 3]] {
      try expectSameOutput(
        MobileNetV2(classes: 10, inputShape: input, widthMultiplier: 0.25, using: &g), input, "MobileNetV2")
    }
    try expectSameOutput(LeNet5(classes: 10, using: &g), [28, 28, 1], "LeNet5")
    try expectSameOutput(AlexNet(classes: 10, using: &g), [32, 32, 3], "AlexNet")
  }

  @Test func chainsAndSumsFoldToo() throws {
    var g = generator()
    let chain = Sequential([
      Conv2d(4, 32, kernelSize: 3, padding: 1, groups: 2, using: &g), BatchNorm2d(32), ReLU(),
      Residual(
        Sequential([Conv2d(32, 32, kernelSize: 3, padding: 1, bias: false, using: &g), BatchNorm2d(32)]),
        shortcut: Conv2d(32, 32, kernelSize: 1, using: &g)),
      ReLU(), Conv2d(32, 5, kernelSize: 3, padding: 2, dilation: 2, using: &g), ReLU(), MaxPool2d(2),
    ])
    try expectSameOutput(chain, [8, 8, 4], "a chain")
  }

  @Test func whatIsOptimizedKeepsItsWeights() throws {
    var g = generator()
    let conv = Conv2d(3, 16, kernelSize: 3, using: &g)
    let x = Tensor.normal([1, 5, 5, 3], using: &g)
    let optimized = try conv.optimizedForInference()
    let before = optimized(x)
    conv.weight = conv.weight * 2
    #expect(optimized(x).scalars == before.scalars)
  }

  /// A block of a user's own that holds what differs in training, in several ways.
  private final class Block: Layer {
    struct Gate { let scale: Linear }
    let body: Sequential
    let norms: [String: BatchNorm2d]
    let dropout: any Layer
    let gate: Gate
    let shapes: [Shape] = [[1, 2]]
    var calls = 0
    let activation: @Sendable (Tensor) -> Tensor = relu
    var isVerbose: Bool?
    init(_ seed: UInt64) {
      var g = generator(seed)
      body = Sequential {
        Linear(8, 8, using: &g)
        BatchNorm2d(8)
        silu
      }
      norms = ["out": BatchNorm2d(8)]
      dropout = Dropout(0.5, using: &g)
      gate = Gate(scale: Linear(8, 8, using: &g))
    }
    func callAsFunction(_ x: Tensor) -> Tensor {
      calls += 1
      return activation(norms["out"]!(dropout(body(x)) + gate.scale(x)))
    }
  }

  private func model() -> (Sequential, Block) {
    var g = generator()
    let block = Block(1)
    return (
      Sequential {
        Linear(8, 8, using: &g)
        BatchNorm2d(8)
        Dropout(0.5, using: &g)
        block
        Residual(block)
        Linear(8, 3, using: &g)
      }, block
    )
  }

  @Test func aTrainedModelIsFixedInEvaluationMode() async throws {
    let (model, block) = model()
    disturb(model)
    model.train()
    var g = generator()
    let x = Tensor.normal([4, 8], using: &g)
    let state = model.everything.mapValues(\.scalars)
    let inference = try model.optimizedForInference()
    let first = inference(x)
    // From many tasks at once, without marking anything.
    try await withThrowingTaskGroup(of: [Scalar].self) { group in
      for _ in 0..<16 { group.addTask { (0..<8).map { _ in inference(x) }.last!.scalars } }
      for try await scalars in group { #expect(scalars == first.scalars) }
    }
    #expect(model.everything.mapValues(\.scalars) == state, "the model's statistics have moved")
    #expect(block.norms["out"]!.isTraining && (model[2] as! Dropout).isTraining, "the model's mode has changed")
    #expect(block.calls == 0)
    expectClose(first, model.evaluating { model(x) }, 1e-4)
    // Training the model changes nothing.
    let optimizer = SGD(model, learningRate: 0.5)
    optimizer.update(with: valueWithGradient(of: model) { square($0(x)).mean() }.gradients)
    #expect(inference(x).scalars == first.scalars)
    #expect(try inference.optimizedForInference() === inference)
  }

  @Test func batchNormsAfterLinearLayersAreFolded() throws {
    let (model, _) = model()
    let types = ModelSummary(of: try model.optimizedForInference(), input: [8]).rows.map(\.type)
    // The block's own remains, of a dictionary; those of chains are folded.
    #expect(types.filter { $0 == "BatchNorm2d" }.count == 2, "\(types)")
  }

  private final class Handle {}
  private final class WithHandle: Layer {
    let handle = Handle()
    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }
  private final class WithFunction: Layer {
    let inner: (Tensor) -> Tensor
    init() {
      let layer = ReLU()
      inner = { layer($0) }
    }
    func callAsFunction(_ x: Tensor) -> Tensor { inner(x) }
  }
  private final class WithParent: Layer {
    weak var parent: WithParent?
    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }
  private final class WithItself: Layer {
    var itself: WithItself?
    func callAsFunction(_ x: Tensor) -> Tensor { itself == nil ? x : x + 1 }
  }

  @Test(arguments: [
    "WithHandle at '1.shortcut' cannot be copied: its property 'handle' is a Handle, a class that is no Module",
    "WithFunction at '1.shortcut' cannot be copied: its property 'inner' is a function that may hold layers; '@Sendable' it cannot",
    "WithParent at '1.shortcut' cannot be copied: its property 'parent' is weak or unowned",
  ]) func whatCannotBeCopiedIsNamed(message: String) {
    let layers: [any Layer] = [WithHandle(), WithFunction(), WithParent()]
    let layer = layers.first { message.hasPrefix("\(type(of: $0))") }!
    let error = #expect(throws: ModuleCopyError.self) {
      try Sequential([ReLU(), Residual(ReLU(), shortcut: layer)]).optimizedForInference()
    }
    #expect(error?.description == message)
  }

  /// Counts its objects, and is generic, inherits and has properties of many sizes.
  private class Counted<Element>: Layer {
    let count: Counter
    var (flag, small, wide): (Bool, UInt8, SIMD4<Float>) = (true, 3, .zero)
    var text = "a text that is too long to be kept inside of a string"
    var list: [Element]
    var pair: (Element, Linear?)
    var anything: Any
    var kind: Kind = .some("text")
    enum Kind {
      case none
      case some(String)
    }
    init(_ element: Element, _ count: Counter) {
      (self.count, list, pair, anything) = (count, [element], (element, nil), [element])
      count.change(by: 1)
    }
    deinit { count.change(by: -1) }
    func callAsFunction(_ x: Tensor) -> Tensor { x * small }
  }
  private final class CountedChild: Counted<any Layer> {
    let norm = BatchNorm2d(2)
    override func callAsFunction(_ x: Tensor) -> Tensor { norm(super.callAsFunction(x)) + pair.0(x) + list[0](x) }
  }
  private struct Counter: Sendable {
    final class Box: Sendable { let live = Mutex(0) }
    let box = Box()
    func change(by number: Int) { box.live.withLock { $0 += number } }
    var live: Int { box.live.withLock { $0 } }
  }

  @Test func copiesLiveAsLongAsTheModel() throws {
    let counter = Counter()
    do {
      var g = generator()
      let model = Sequential([CountedChild(Linear(2, 2, using: &g), counter), CountedChild(ReLU(), counter)])
      #expect(counter.live == 2)
      do {
        let inference = try model.optimizedForInference()
        let x = Tensor.normal([3, 2], using: &g)
        expectClose(inference(x), model.evaluating { model(x) }, 1e-5)
        expectClose(inference(x), model.evaluating { model(x) }, 1e-5)
        #expect((model[0] as! CountedChild).norm.isTraining && (model[0] as! CountedChild).text.hasPrefix("a text"))
      }
    }
    #expect(counter.live == -4, "each of two copies of two objects ends without having been counted at its beginning")
  }

  @Test func aCycleIsCopiedOnce() throws {
    let layer = WithItself()
    layer.itself = layer
    #expect(try layer.optimizedForInference()(Tensor([1])).item == 2)
    layer.itself = nil
  }

  @Test func everyLayerOfTheLibraryCanBeFixed() throws {
    var g = generator()
    let image: Shape = [16, 16, 3]
    let encoder = ResNet(depth: 8, classes: 4, inputShape: image, variation: .convolutionalBlockAttention, using: &g)
    let models: [any Layer] = [
      encoder, Sequential([encoder.features, Decoder(mirroring: encoder, imageShape: image, using: &g)]),
      DenseConvertingAutoencoder(imageShape: image, widths: [20, 8], using: &g),
      VGG16(classes: 4, inputShape: image, widthMultiplier: 0.1, variation: .squeezeExcitation, using: &g),
      ResNet(depth: 8, classes: 4, inputShape: image, variation: .asymmetricBranches, using: &g),
      AnyLayer(BatchNorm2d(3)), Lambda(gelu),
    ]
    let x = Tensor.normal([2, 16, 16, 3], using: &g)
    for model in models {
      disturb(model)
      let inference = try model.optimizedForInference()
      let (found, expected) = (inference(x), model.evaluating { model(x) })
      let error = abs(found - expected).max().item / Swift.max(1e-3, abs(expected).max().item)
      #expect(error < 1e-3, "\(type(of: model)): \(error)")
    }
  }
}
