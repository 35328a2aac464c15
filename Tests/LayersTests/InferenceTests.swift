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

  private func expectSameOutput(_ model: any Layer, _ input: Shape, _ name: String) {
    disturb(model)
    model.evaluate()
    let optimized = model.optimizedForInference()
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

  @Test func foldedModelsGiveTheSameOutputs() {
    var g = generator()
    for input: Shape in [[32, 32, 3], [9, 13, 3]] {
      expectSameOutput(VGG16(classes: 10, inputShape: input, widthMultiplier: 0.25, using: &g), input, "VGG16")
      expectSameOutput(ResNet(classes: 10, inputShape: input, using: &g), input, "ResNet20")
      expectSameOutput(
        ResNet(depth: 8, classes: 10, inputShape: input, shortcut: .projection, using: &g), input, "ResNet8, option B")
      expectSameOutput(
        ResNet(depth: 8, classes: 10, inputShape: input, widthMultiplier: 0.3, using: &g), input, "a narrow ResNet8")
    }
    expectSameOutput(LeNet5(classes: 10, using: &g), [28, 28, 1], "LeNet5")
    expectSameOutput(AlexNet(classes: 10, using: &g), [32, 32, 3], "AlexNet")
  }

  @Test func chainsAndSumsFoldToo() {
    var g = generator()
    let chain = Sequential([
      Conv2d(4, 32, kernelSize: 3, padding: 1, groups: 2, using: &g), BatchNorm2d(32), ReLU(),
      Residual(
        Sequential([Conv2d(32, 32, kernelSize: 3, padding: 1, bias: false, using: &g), BatchNorm2d(32)]),
        shortcut: Conv2d(32, 32, kernelSize: 1, using: &g)),
      ReLU(), Conv2d(32, 5, kernelSize: 3, padding: 2, dilation: 2, using: &g), ReLU(), MaxPool2d(2),
    ])
    expectSameOutput(chain, [8, 8, 4], "a chain")
  }

  @Test func whatIsOptimizedKeepsItsWeights() {
    var g = generator()
    let conv = Conv2d(3, 16, kernelSize: 3, using: &g)
    let x = Tensor.normal([1, 5, 5, 3], using: &g)
    let optimized = conv.optimizedForInference()
    let before = optimized(x)
    conv.weight = conv.weight * 2
    #expect(optimized(x).scalars == before.scalars)
  }
}
