import TestSupport
import Testing

@testable import Layers

struct LayerFixtureTests {
  struct Case: Decodable {
    let name: String
    let training: Bool
    let state: [String: Numbers]
    let input: Numbers
    let output: Numbers
    let upstream: Numbers
    let inputGradient: Numbers
    let gradients: [String: Numbers]
    let stateAfter: [String: Numbers]
  }

  static func layer(_ name: String) throws -> any Layer {
    var g = generator()
    return try #require(
      [
        "linear": Linear(5, 3, using: &g),
        "linear without bias": Linear(3, 2, bias: false, using: &g),
        "conv": Conv2d(3, 4, kernelSize: 3, padding: 1, using: &g),
        "conv stride 2": Conv2d(2, 3, kernelSize: 3, stride: 2, padding: 1, bias: false, using: &g),
        "conv dilated grouped": Conv2d(4, 6, kernelSize: 3, padding: 2, dilation: 2, groups: 2, using: &g),
        "transposed conv": ConvTranspose2d(3, 2, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, using: &g),
        "transposed conv grouped": ConvTranspose2d(
          4, 6, kernelSize: 2, stride: 2, groups: 2, bias: false, using: &g),
        "batch norm in training": BatchNorm2d(3), "batch norm in evaluation": BatchNorm2d(3),
        "batch norm of vectors": BatchNorm2d(3),
        "max pool": MaxPool2d(3, stride: 2, padding: 1), "average pool": AveragePool2d(2),
        "global average pool": GlobalAveragePool(),
        "upsample nearest": Upsample(scale: 2), "upsample bilinear": Upsample(scale: 2, mode: .bilinear),
        "flatten": Flatten(), "relu": ReLU(), "leaky relu": LeakyReLU(slope: 0.1), "gelu": GELU(), "silu": SiLU(),
        "sigmoid": Sigmoid(), "tanh": Tanh(),
        "squeeze-and-excitation": SqueezeExcitation(8, reduction: 4, using: &g),
        "efficient channel attention": EfficientChannelAttention(16, using: &g),
        "channel and spatial attention": ConvolutionalBlockAttention(8, reduction: 4, using: &g),
        "asymmetric convolution": AsymmetricConv2d(3, 4, using: &g),
        "asymmetric convolution, stride 2": AsymmetricConv2d(2, 3, stride: 2, using: &g),
      ][name] ?? sequenceLayer(name, &g), "no layer for the fixture '\(name)'")
  }

  private static func sequenceLayer(_ name: String, _ g: inout SplittableGenerator) -> (any Layer)? {
    switch name {
    case "linear of sequences": Linear(5, 3, using: &g)
    case "layer norm": LayerNorm(6)
    case "layer norm without bias": LayerNorm(6, bias: false)
    case "group norm": GroupNorm(2, 6)
    case "instance norm": GroupNorm(3, 3)
    case "embedding": Embedding(7, 3, using: &g)
    case "multi-head attention": MultiHeadAttention(6, heads: 2, using: &g)
    case "multi-head attention, causal": MultiHeadAttention(6, heads: 3, bias: false, isCausal: true, using: &g)
    case "conv 1 by 3": Conv2d(2, 3, kernelSize: (1, 3), padding: .zeros(height: 0, width: 1), using: &g)
    case "conv same": Conv2d(2, 3, kernelSize: (2, 5), padding: .same, using: &g)
    case "conv reflect": Conv2d(2, 3, kernelSize: 3, stride: 2, padding: .reflect(2), using: &g)
    case "transposed conv 2 by 3": ConvTranspose2d(3, 2, kernelSize: (2, 3), stride: 2, using: &g)
    case "max pool, ceil": MaxPool2d(3, stride: 2, ceilMode: true)
    case "average pool, ceil": AveragePool2d(3, stride: 2, padding: 1, ceilMode: true)
    case "adaptive average pool": AdaptiveAveragePool2d(2, 3)
    case "adaptive max pool": AdaptiveMaxPool2d(2, 3)
    case "resize": Resize(height: 7, width: 3, interpolation: .bilinear)
    case "resize nearest": Resize(height: 7, width: 3, interpolation: .nearest)
    case "basic block": BasicBlock(3, 4, stride: 2, shortcut: .projection, shortcutName: "downsample", using: &g)
    case "bottleneck": BottleneckBlock(8, 2, using: &g)
    case "relu6": ReLU6()
    case "inverted residual": InvertedResidual(4, 4, expansion: 3, using: &g)
    case "inverted residual, stride 2": InvertedResidual(3, 5, expansion: 2, stride: 2, using: &g)
    case "inverted residual without expansion": InvertedResidual(4, 6, expansion: 1, using: &g)
    case "bottleneck, stride 2": BottleneckBlock(3, 2, stride: 2, using: &g)
    default: nil
    }
  }

  @Test func everyLayerGivesPyTorchsOutputsGradientsAndState() throws {
    let cases: [Case] =
      try fixture("layers", in: .module) + fixture("blocks", in: .module) + fixture("sequences", in: .module)
      + fixture("residuals", in: .module) + fixture("inverted-residuals", in: .module)
    #expect(cases.count == 52)
    for fixture in cases {
      let layer = try Self.layer(fixture.name)
      #expect(Set(layer.everything.keys) == Set(fixture.state.keys), "\(fixture.name)")
      try layer.assign(fixture.state.mapValues(\.tensor))
      layer.train(fixture.training)

      let x = Parameter(wrappedValue: fixture.input.tensor)
      let model = WithInput(x, layer)
      var output = Tensor(0)
      let (_, gradients) = valueWithGradient(of: model) { model in
        output = model.layer(x.wrappedValue)
        return (output * fixture.upstream.tensor).sum()
      }
      expectClose(output, fixture.output.tensor, 2e-5, "\(fixture.name): output")
      // The numbers of an embedding have no gradient.
      expectClose(
        gradients[x] ?? .zeros(x.wrappedValue.shape), fixture.inputGradient.tensor, 1e-4,
        "\(fixture.name): input gradient")
      for (name, parameter) in layer.namedParameters {
        let expected = try #require(fixture.gradients[name])
        expectClose(gradients[parameter], expected.tensor, 1e-4, "\(fixture.name): gradient of \(name)")
      }
      for (name, value) in layer.everything {
        let expected = try #require(fixture.stateAfter[name])
        expectClose(value, expected.tensor, 2e-5, "\(fixture.name): \(name) afterwards")
      }
    }
  }
}

/// A layer with its input as a parameter, so that both get gradients.
final class WithInput: Module {
  let input: Parameter
  let layer: any Layer
  init(_ input: Parameter, _ layer: any Layer) { (self.input, self.layer) = (input, layer) }
}
