import Layers
import Testing

private final class Network: Layer {
  let body: Sequential
  let attention: MultiHeadAttention?
  @Parameter var scale = Tensor.ones([3])
  let depth = 2
  weak var parent: Network?

  init(using g: inout SplittableGenerator) {
    body = Sequential {
      Conv2d(3, 8, kernelSize: 3, padding: 1, using: &g)
      BatchNorm2d(8)
      ReLU()
      Conv2d(8, 4, kernelSize: (1, 5), stride: 2, padding: .reflect(2), bias: false, using: &g)
      MaxPool2d(2)
    }
    attention = MultiHeadAttention(8, heads: 2, using: &g)
  }
  func callAsFunction(_ x: Tensor) -> Tensor { body(x) }
}

struct DescriptionTests {
  @Test func aModelIsPrintedWithItsPartsOneBelowTheOther() {
    var g = SplittableGenerator(seed: 1)
    let expected = """
      Network(scale: [3], depth: 2
        (body): Sequential(
          (0): Conv2d(3, 8, kernelSize: 3, padding: 1)
          (1): BatchNorm2d(8, epsilon: 1e-05, momentum: 0.1)
          (2): ReLU()
          (3): Conv2d(8, 4, kernelSize: (1, 5), stride: 2, padding: .reflect(2), bias: false)
          (4): MaxPool2d(size: 2, stride: 2, padding: 0, ceilMode: false)
        )
        (attention): MultiHeadAttention(8, heads: 2
          (out_proj): Linear(8, 8)
        )
      )
      """
    #expect("\(Network(using: &g))" == expected)
    #expect("\(Linear(3, 2, bias: false, using: &g))" == "Linear(3, 2, bias: false)")
    #expect("\(Dropout(0.25, using: &g))" == "Dropout(rate: 0.25)")
  }

  @Test func newLayersHavePyTorchsNamesInStateAndSummary() {
    var g = SplittableGenerator(seed: 1)
    let model = Sequential {
      Embedding(10, 8, using: &g)
      MultiHeadAttention(8, heads: 2, using: &g)
      LayerNorm(8)
      Linear(8, 4, using: &g)
    }
    #expect(
      model.namedParameters.map(\.name) == [
        "0.weight", "1.in_proj_weight", "1.in_proj_bias", "1.out_proj.weight", "1.out_proj.bias", "2.weight", "2.bias",
        "3.weight", "3.bias",
      ])
    let summary = ModelSummary(of: model, input: [5])
    #expect(summary.rows.map(\.name) == ["0", "1.out_proj", "1", "2", "3"])
    #expect(summary.rows.last?.output == [1, 5, 4])
    // Projections of query, key, value and output, and two products of 5 by 5 by 8.
    #expect(summary.rows[1].multiplyAdds + summary.rows[2].multiplyAdds == 4 * 5 * 64 + 2 * 25 * 8)
    #expect(summary.rows[4].multiplyAdds == 5 * 32)
  }
}
