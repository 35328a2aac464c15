import EncodeNet

extension Case {
  /// Every distinct convolution of VGG16, ResNet20 and their decoders, in three passes.
  static let convolutions: [Case] = {
    let layers = [
      Convolution(network: "vgg16", side: 32, inputs: 3, outputs: 64),
      Convolution(network: "vgg16", side: 32, inputs: 64, outputs: 64),
      Convolution(network: "vgg16", side: 16, inputs: 64, outputs: 128),
      Convolution(network: "vgg16", side: 16, inputs: 128, outputs: 128),
      Convolution(network: "vgg16", side: 8, inputs: 128, outputs: 256),
      Convolution(network: "vgg16", side: 8, inputs: 256, outputs: 256),
      Convolution(network: "vgg16", side: 4, inputs: 256, outputs: 512),
      Convolution(network: "vgg16", side: 4, inputs: 512, outputs: 512),
      Convolution(network: "vgg16", side: 2, inputs: 512, outputs: 512),
      Convolution(network: "resnet20", side: 32, inputs: 3, outputs: 16),
      Convolution(network: "resnet20", side: 32, inputs: 16, outputs: 16),
      Convolution(network: "resnet20", side: 16, inputs: 32, outputs: 32),
      Convolution(network: "resnet20", side: 8, inputs: 64, outputs: 64),
      Convolution(network: "resnet20", side: 32, inputs: 16, outputs: 32, stride: 2),
      Convolution(network: "resnet20", side: 16, inputs: 32, outputs: 64, stride: 2),
      Convolution(network: "resnet20-b", side: 32, inputs: 16, outputs: 32, kernel: 1, stride: 2),
      Convolution(network: "resnet20-b", side: 16, inputs: 32, outputs: 64, kernel: 1, stride: 2),
      Convolution(network: "pointwise", side: 16, inputs: 128, outputs: 128, kernel: 1),
      Convolution(network: "decoder", side: 1, inputs: 512, outputs: 256, stride: 2, isTransposed: true),
      Convolution(network: "decoder", side: 2, inputs: 256, outputs: 128, stride: 2, isTransposed: true),
      Convolution(network: "decoder", side: 4, inputs: 128, outputs: 64, stride: 2, isTransposed: true),
      Convolution(network: "decoder", side: 8, inputs: 64, outputs: 32, stride: 2, isTransposed: true),
      Convolution(network: "decoder", side: 16, inputs: 32, outputs: 16, stride: 2, isTransposed: true),
      Convolution(network: "decoder", side: 32, inputs: 16, outputs: 3),
      Convolution(network: "vgg16", side: 32, inputs: 64, outputs: 64, allowsWinograd: false),
      Convolution(network: "vgg16", side: 16, inputs: 128, outputs: 128, allowsWinograd: false),
      Convolution(network: "vgg16", side: 8, inputs: 256, outputs: 256, allowsWinograd: false),
      Convolution(network: "vgg16", side: 4, inputs: 512, outputs: 512, allowsWinograd: false),
      Convolution(network: "resnet20", side: 32, inputs: 16, outputs: 16, allowsWinograd: false),
      Convolution(network: "resnet20", side: 16, inputs: 32, outputs: 32, allowsWinograd: false),
      Convolution(network: "resnet20", side: 8, inputs: 64, outputs: 64, allowsWinograd: false),
    ]
    return layers.flatMap { layer in
      // Nobody needs the gradient of the images.
      Pass.allCases.filter { layer.inputs > 3 || $0 != .backwardData }.map { .convolution(layer: layer, pass: $0) }
    }
  }()
}

extension Case.Convolution {
  var outputSide: Int { isTransposed ? side * stride : (side - 1) / stride + 1 }
  var operations: Double {
    let positions = isTransposed ? side : outputSide
    return 2 * Double(images) * Double(positions * positions) * Double(kernel * kernel * inputs * outputs)
  }
}

func convolving(_ layer: Case.Convolution, _ pass: Case.Pass) -> () -> Void {
  var generator = SplittableGenerator(seed: 1)
  let x = Tensor.normal([layer.images, layer.side, layer.side, layer.inputs], using: &generator)
  let (k, inputs, outputs) = (layer.kernel, layer.inputs, layer.outputs)
  let w = Tensor.normal(layer.isTransposed ? [k, k, outputs, inputs] : [k, k, inputs, outputs], using: &generator)
  @Sendable func run(_ x: Tensor, _ w: Tensor) -> Tensor {
    layer.isTransposed
      ? convTranspose2d(
        x, w, stride: layer.stride, padding: k / 2, outputPadding: layer.stride - 1)
      : conv2d(x, w, stride: layer.stride, padding: k / 2)
  }
  let work: () -> Void
  // The algorithm is chosen when the operation runs, for its derivatives too.
  Computation.allowsWinograd = layer.allowsWinograd
  defer { Computation.allowsWinograd = true }
  let y = run(x, w)
  switch pass {
  case .forward: work = { _ = run(x, w) }
  case .backwardData:
    let pullback = valueWithPullback(at: [x]) { run($0[0], w) }.pullback
    work = { _ = pullback(y) }
  case .backwardWeights:
    let pullback = valueWithPullback(at: [w]) { run(x, $0[0]) }.pullback
    work = { _ = pullback(y) }
  }
  guard !layer.allowsWinograd && pass == .forward else { return work }
  return {
    Computation.allowsWinograd = false
    work()
    Computation.allowsWinograd = true
  }
}
