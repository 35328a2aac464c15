import EncodeNet

extension Report {
  /// One layer's shape: square images and kernels.
  private struct Layer {
    var (network, side, inputs, outputs): (String, Int, Int, Int)
    var kernel = 3
    var stride = 1
  }

  /// Every distinct convolution of VGG16 and ResNet20 at batch 128: forward, backward-data, backward-weights.
  ///
  /// Operations are counted as the definition has them, so Winograd's filtering may pass the machine's peak.
  mutating func convolutions() {
    section("Convolutions, batch 128: share of the peak as if by the definition")
    let layers = [
      Layer(network: "vgg16", side: 32, inputs: 3, outputs: 64),
      Layer(network: "vgg16", side: 32, inputs: 64, outputs: 64),
      Layer(network: "vgg16", side: 16, inputs: 64, outputs: 128),
      Layer(network: "vgg16", side: 16, inputs: 128, outputs: 128),
      Layer(network: "vgg16", side: 8, inputs: 128, outputs: 256),
      Layer(network: "vgg16", side: 8, inputs: 256, outputs: 256),
      Layer(network: "vgg16", side: 4, inputs: 256, outputs: 512),
      Layer(network: "vgg16", side: 4, inputs: 512, outputs: 512),
      Layer(network: "vgg16", side: 2, inputs: 512, outputs: 512),
      Layer(network: "resnet20", side: 32, inputs: 3, outputs: 16),
      Layer(network: "resnet20", side: 32, inputs: 16, outputs: 16),
      Layer(network: "resnet20", side: 32, inputs: 16, outputs: 32, stride: 2),
      Layer(network: "resnet20", side: 16, inputs: 32, outputs: 32),
      Layer(network: "resnet20", side: 16, inputs: 32, outputs: 64, stride: 2),
      Layer(network: "resnet20", side: 8, inputs: 64, outputs: 64),
      Layer(network: "resnet20-b", side: 32, inputs: 16, outputs: 32, kernel: 1, stride: 2),
    ]
    for layer in layers { convolution(layer) }
  }

  private mutating func convolution(_ layer: Layer) {
    let stride = layer.stride == 1 ? "" : " stride \(layer.stride)"
    let name =
      "conv\(layer.kernel)x\(layer.kernel) \(layer.network) \(layer.inputs)-\(layer.outputs)@\(layer.side)\(stride)"
    guard wants(name) else { return }
    var generator = SplittableGenerator(seed: 1)
    let x = Tensor.normal([128, layer.side, layer.side, layer.inputs], using: &generator)
    let w = Tensor.normal([layer.kernel, layer.kernel, layer.inputs, layer.outputs], using: &generator)
    func run(_ x: Tensor, _ w: Tensor) -> Tensor {
      conv2d(x, w, stride: layer.stride, padding: layer.kernel / 2)
    }
    let y = run(x, w)
    let operations = 2 * Double(y.count) * Double(layer.kernel * layer.kernel * layer.inputs)
    arithmetic("\(name) forward", operations: operations) { _ = run(x, w) }
    // Nobody needs the gradient of the images.
    if layer.inputs > 3 {
      let backwardData = valueWithPullback(at: [x]) { run($0[0], w) }.pullback
      arithmetic("\(name) backward-data", operations: operations) { _ = backwardData(y) }
    }
    let backwardWeights = valueWithPullback(at: [w]) { run(x, $0[0]) }.pullback
    arithmetic("\(name) backward-weights", operations: operations) { _ = backwardWeights(y) }
  }
}
