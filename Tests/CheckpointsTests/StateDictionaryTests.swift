import TestSupport
import Testing

@testable import Checkpoints

struct StateDictionaryTests {
  @Test func convolutionWeightsAreTurnedAtTheBorder() {
    let hwio = Tensor((0..<24).map { Scalar($0) }, shape: [1, 2, 3, 4])
    let oihw = hwio.inPyTorchLayout
    #expect(oihw.shape == [4, 3, 1, 2])
    // o = 1, i = 2, h = 0, w = 1 lies at 11 of OIHW and at (1 * 3 + 2) * 4 + 1 of HWIO.
    #expect(oihw.scalars[11] == 21)
    #expect(oihw.fromPyTorchLayout.scalars == hwio.scalars)
  }

  @Test func aModelTakesAnothersWeightsOverAndComputesTheSame() throws {
    let (first, second) = (model(1), model(2))
    try second.load(first.stateDictionary)
    let x = Tensor((0..<128).map { Scalar($0) / 64 }, shape: [1, 8, 8, 2])
    #expect(first.evaluating { first(x) }.scalars == second.evaluating { second(x) }.scalars)
  }

  @Test func whatDoesNotFitIsNamedAndChangesNothing() {
    let model = model(1)
    let before = model.stateDictionary.mapValues(\.scalars)
    var state = model.stateDictionary.mapValues { Tensor.zeros($0.shape) }
    state["conv1.weight"] = .zeros([1, 2, 3, 3])
    state["linear.bias"] = nil
    state["stranger"] = Tensor(0)
    state["bn1.num_batches_tracked"] = Tensor(0)
    let problem = #expect(throws: CheckpointError.self) { try model.load(state) }?.problem ?? ""
    for name in ["'conv1.weight' has shape [1, 2, 3, 3]", "missing: 'linear.bias'", "unexpected: 'stranger'"] {
      #expect(problem.contains(name))
    }
    #expect(!problem.contains("num_batches_tracked"))
    #expect(model.stateDictionary.mapValues(\.scalars) == before)
  }

  @Test func leniencyLoadsSomethingOrSaysThatNothingFits() throws {
    let model = model(1)
    try model.load(["linear.bias": Tensor([1, 2, 3]), "stranger": Tensor(0)], strict: false)
    #expect(model.stateDictionary["linear.bias"]?.scalars == [1, 2, 3])
    let problem = #expect(throws: CheckpointError.self) { try model.load(["fc.bias": Tensor(0)], strict: false) }?
      .problem
    #expect(problem?.contains("no weight has the name of one of the model: they are 'fc.bias'") == true)
    try withFolder { folder in
      let file = folder.appendingPathComponent("w.safetensors")
      try Safetensors.save(["stranger": Tensor([1, 2])], to: file)
      let problem = #expect(throws: CheckpointError.self) { try model.load(from: file, strict: false) }?.problem
      #expect(problem?.contains("do not fit the model: missing: ") == true)
    }
  }

  @Test func wrappersAreRemovedOnlyWhereAllNamesHaveThem() {
    let x = Tensor(1)
    let wrapped = ["module.a.weight": x, "module.b": x, "module.bn.num_batches_tracked": x]
    #expect(Set(wrapped.withPlainNames.keys) == ["a.weight", "b"])
    #expect(Set(["module.a": x, "b": x].withPlainNames.keys) == ["module.a", "b"])
  }

  private func model(_ seed: UInt64) -> ResNet {
    var g = SplittableGenerator(seed: seed)
    return ResNet(depth: 8, classes: 3, inputShape: [8, 8, 2], widthMultiplier: 0.25, using: &g)
  }
}
