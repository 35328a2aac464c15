import TestSupport
import Testing

@testable import Layers

@Suite("Infinite logits and empty batches") struct LayerEdgeValueTests {
  @Test func giveWhatPyTorchGives() throws {
    let operations: [String: @Sendable ([Tensor]) -> Tensor] = [
      "softmaxCrossEntropy": { softmaxCrossEntropy($0[0], labels: [0, 2]) },
      "softmaxCrossEntropy of an impossible label": { softmaxCrossEntropy($0[0], labels: [1]) },
      "softmaxCrossEntropy of ignored labels": { softmaxCrossEntropy($0[0], labels: [-1, -1], ignoring: -1) },
      "Flatten": { Flatten()($0[0]) },
    ]
    let cases: [EdgeCase] = try fixture("edges", in: .module)
    #expect(cases.count == operations.count)
    for edge in cases { edge.expect(try #require(operations[edge.name])) }
  }

  @Test func emptyBatchesPassThroughModels() throws {
    var g = generator()
    for model in [
      LeNet5(classes: 4, inputShape: [16, 16, 1], using: &g),
      ResNet(depth: 8, classes: 4, inputShape: [16, 16, 1], using: &g),
    ]
      as [any Layer]
    {
      model.evaluate()
      #expect(model(.zeros([0, 16, 16, 1])).shape == [0, 4])
      #expect(try model.optimizedForInference()(.zeros([0, 16, 16, 1])).shape == [0, 4])
    }
  }
}
