import Layers
import Testing

/// A network of one's own with tied weights, random layers and running statistics.
private final class Tied: Layer {
  let table: Embedding
  let body: Sequential
  @Parameter var bias = Tensor.zeros([6])
  init(using g: inout SplittableGenerator) {
    table = Embedding(6, 4, using: &g)
    body = Sequential {
      MultiHeadAttention(4, heads: 2, using: &g)
      Dropout(0.5, using: &g)
      BatchNorm2d(4)
    }
  }
  func callAsFunction(_ x: Tensor) -> Tensor { matmul(body(table(x)), table.weight, transposeB: true) + bias }
}

struct ModuleCopyTests {
  @Test func aCopyIsEqualAndChangesApart() throws {
    var g = SplittableGenerator(seed: 1)
    let model = Tied(using: &g)
    let x = Tensor([0, 5, 2, 2], shape: [2, 2])
    _ = model(x)
    model.table.freeze()
    let copy = try model.copy()
    #expect(copy.namedParameters.map(\.name) == model.namedParameters.map(\.name))
    #expect(copy.parameters.map(\.isTrainable) == model.parameters.map(\.isTrainable))
    // In training mode, with the same numbers drawn and the same statistics.
    let (a, b) = (model(x), copy(x))
    #expect(a.scalars == b.scalars)
    #expect(
      copy.namedBuffers.map(\.buffer.wrappedValue.scalars) == model.namedBuffers.map(\.buffer.wrappedValue.scalars))
    let before = model.evaluating { model(x).scalars }
    copy.unfreeze()
    let gradients = valueWithGradient(of: copy) { ($0(x) * $0(x)).mean() }.gradients
    SGD(copy, learningRate: 1).update(with: gradients)
    #expect(model.evaluating { model(x).scalars } == before)
    #expect(copy.evaluating { copy(x).scalars } != before)
    #expect(!model.table.$weight.isTrainable && copy.table.$weight.isTrainable)
  }

  @Test func aCopyOfAnyLayerIsOfItsClass() throws {
    var g = SplittableGenerator(seed: 2)
    let layer: any Layer = Residual(
      Conv2d(2, 2, kernelSize: (1, 3), padding: .same, using: &g), shortcut: GroupNorm(1, 2))
    let copy = try layer.copy()
    let x = Tensor.normal([1, 3, 4, 2], using: &g)
    #expect(copy is Residual && copy !== layer && copy(x).scalars == layer(x).scalars)
    let model = ResNet(depth: 8, classes: 3, inputShape: [8, 8, 3], using: &g)
    let twin = try model.copy()
    #expect(twin.stages.map(\.name) == model.stages.map(\.name))
    #expect(twin.parameters.map(\.wrappedValue.scalars) == model.parameters.map(\.wrappedValue.scalars))
  }

  @Test func newLayersAreFixedForInference() throws {
    var g = SplittableGenerator(seed: 3)
    let model = Sequential {
      Conv2d(2, 4, kernelSize: (2, 3), padding: .same, using: &g)
      BatchNorm2d(4)
      ReLU()
      Conv2d(4, 4, kernelSize: 3, padding: .reflect(height: 2, width: 1), using: &g)
      GroupNorm(2, 4)
      AdaptiveMaxPool2d(2, 3)
      Linear(4, 3, using: &g)
    }
    let x = Tensor.normal([3, 5, 4, 2], using: &g)
    _ = model(x)
    let wanted = model.evaluating { model(x) }
    #expect(abs(try model.optimizedForInference()(x) - wanted).max().item < 1e-5)
  }
}
