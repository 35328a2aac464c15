import Testing

@testable import Layers

/// Derivatives against central differences: at 1e-6 under `swift test --traits DoublePrecision`, else as float allows.
struct GradientCheckTests {
  /// Checks the gradients of `layer` with respect to its input and every parameter.
  private func check(_ layer: any Layer, _ shape: Shape, _ what: String) {
    var g = generator(11)
    let x = Parameter(wrappedValue: .normal(shape, using: &g))
    check(WithInput(x, layer), what) { layer(x.wrappedValue) }
  }

  private func check(_ model: some Module, _ what: String, _ value: () -> Tensor) {
    #expect(throws: Never.self, "\(what)") { try checkGradient(of: model) { _ in value() } }
  }

  @Test func everyLayerPasses() {
    var g = generator(3)
    check(Linear(4, 3, using: &g), [2, 4], "Linear")
    check(Conv2d(2, 4, kernelSize: 3, stride: 2, padding: 1, groups: 2, using: &g), [2, 5, 4, 2], "Conv2d")
    check(
      ConvTranspose2d(3, 2, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, using: &g), [1, 3, 2, 3],
      "ConvTranspose2d")
    check(BatchNorm2d(3), [2, 3, 2, 3], "BatchNorm2d")
    let norm = BatchNorm2d(3)
    norm.evaluate()
    check(norm, [2, 3, 2, 3], "BatchNorm2d in evaluation")
    check(MaxPool2d(3, stride: 2, padding: 1), [1, 5, 4, 2], "MaxPool2d")
    check(AveragePool2d(2), [1, 4, 5, 2], "AveragePool2d")
    check(GlobalAveragePool(), [2, 3, 2, 2], "GlobalAveragePool")
    check(Upsample(scale: 2), [1, 2, 3, 2], "Upsample")
    check(Upsample(scale: 2, mode: .bilinear), [1, 2, 3, 2], "Upsample, bilinear")
    check(Flatten(), [2, 2, 3, 2], "Flatten")
    check(Unflatten([2, 1, 3]), [2, 6], "Unflatten")
    check(Crop(2, 3), [1, 4, 4, 2], "Crop")
    check(SubsampledIdentity(2, 4, stride: 2), [1, 5, 4, 2], "SubsampledIdentity")
    for layer in [ReLU(), ReLU6(), LeakyReLU(), GELU(), SiLU(), Sigmoid(), Tanh(), Identity()] as [any Layer] {
      check(layer, [3, 5], "\(type(of: layer))")
    }
    check(Residual(Linear(3, 3, using: &g)), [2, 3], "Residual")
    for shape: Shape in [[4], [2, 3, 4], [2, 2, 3, 4]] { check(Linear(4, 3, using: &g), shape, "Linear of \(shape)") }
    check(LayerNorm(5), [2, 3, 5], "LayerNorm")
    check(GroupNorm(2, 4), [2, 3, 2, 4], "GroupNorm")
    check(MultiHeadAttention(4, heads: 2, using: &g), [2, 3, 4], "MultiHeadAttention")
    check(MultiHeadAttention(4, heads: 1, isCausal: true, using: &g), [2, 3, 4], "MultiHeadAttention, causal")
    check(Conv2d(2, 3, kernelSize: (1, 4), padding: .same, using: &g), [1, 3, 5, 2], "Conv2d, same")
    check(Conv2d(2, 3, kernelSize: 3, stride: 2, padding: .reflect(1), using: &g), [1, 5, 4, 2], "Conv2d, reflect")
    check(AveragePool2d(3, stride: 2, ceilMode: true), [1, 4, 6, 2], "AveragePool2d, ceil")
    check(MaxPool2d(3, stride: 2, ceilMode: true), [1, 4, 6, 2], "MaxPool2d, ceil")
    check(AdaptiveAveragePool2d(2, 3), [1, 5, 4, 2], "AdaptiveAveragePool2d")
    check(AdaptiveMaxPool2d(2, 3), [1, 5, 4, 2], "AdaptiveMaxPool2d")
    check(Resize(height: 3, width: 7, interpolation: .bilinear), [1, 5, 4, 2], "Resize")
    let table = Embedding(5, 3, using: &g)
    check(table, "Embedding") { table(Tensor([4, 0, 4, 2], shape: [2, 2])) }
    let attention = MultiHeadAttention(4, heads: 2, using: &g)
    let (query, key) = (Tensor.normal([2, 2, 4], using: &g), Tensor.normal([2, 3, 4], using: &g))
    let mask = Tensor([0, -.infinity, 0, 0, 0, -.infinity], shape: [2, 3])
    check(attention, "attention to other keys") { attention(query, key, key, mask: mask) }
    // The steps that float needs cross the kinks of a whole block.
    guard Scalar.self == Double.self else { return }
    check(BasicBlock(2, 4, stride: 2, shortcut: .projection, using: &g), [2, 4, 4, 2], "BasicBlock")
    check(BottleneckBlock(2, 2, stride: 2, using: &g), [2, 4, 4, 2], "BottleneckBlock")
    check(SqueezeExcitation(4, reduction: 2, using: &g), [2, 3, 2, 4], "SqueezeExcitation")
    check(EfficientChannelAttention(16, using: &g), [2, 2, 3, 16], "EfficientChannelAttention")
    check(ConvolutionalBlockAttention(4, reduction: 2, using: &g), [2, 3, 4, 4], "ConvolutionalBlockAttention")
    check(AsymmetricConv2d(2, 3, stride: 2, using: &g), [2, 5, 4, 2], "AsymmetricConv2d")
  }

  @Test func everyLossPasses() {
    var g = generator(4)
    let draw = Initializer.normal(std: 2)
    let logits = Parameter(wrappedValue: draw([3, 4], using: &g))
    let other = draw([3, 4], using: &g)
    let probabilities = Tensor([0.1, 0.2, 0.3, 0.4, 0, 0.5, 0.5, 0, 1, 0, 0, 0], shape: [3, 4])
    let model = Sequential(named: [])
    let holder = WithInput(logits, model)
    let losses: [(String, (Tensor) -> Tensor)] = [
      ("softmaxCrossEntropy", { softmaxCrossEntropy($0, labels: [3, 0, 1]) }),
      ("label smoothing", { softmaxCrossEntropy($0, labels: [3, 0, 1], labelSmoothing: 0.2) }),
      ("soft targets", { softmaxCrossEntropy($0, targets: probabilities) }),
      (
        "weights",
        {
          softmaxCrossEntropy(
            $0, labels: [3, 0, 1], labelSmoothing: 0.1, weights: Tensor([1, 2, 0.5, 3], shape: [4]), ignoring: 0)
        }
      ), ("no reduction", { softmaxCrossEntropy($0, labels: [3, 0, 1], reduction: .none) }),
      ("meanAbsoluteError", { meanAbsoluteError($0, other) }), ("meanSquaredError", { meanSquaredError($0, other) }),
      ("huber", { huber($0, other, threshold: 0.8) }),
      ("binaryCrossEntropyWithLogits", { binaryCrossEntropyWithLogits($0, probabilities) }),
      ("klDivergence", { klDivergence($0, targets: probabilities) }),
      ("distillation", { distillation($0, from: other, temperature: 3) }),
      ("decoupledDistillation", { decoupledDistillation($0, from: other, labels: [3, 0, 1]) }),
      ("standardizedLogits", { distillation(standardizedLogits($0), from: standardizedLogits(other)) }),
      ("mutualLearning", { mutualLearning($0, from: other) }),
      ("teacherFreeTargets", { klDivergence($0, targets: teacherFreeTargets([3, 0, 1], classes: 4)) }),
      (
        "attentionTransfer",
        { attentionTransfer($0.reshaped(to: [1, 3, 2, 2]), from: other.reshaped(to: [1, 3, 2, 2])) }
      ),
    ]
    for (name, loss) in losses { check(holder, name) { loss(logits.wrappedValue) } }
  }
}
