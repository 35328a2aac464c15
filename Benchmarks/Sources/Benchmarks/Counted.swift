extension Case {
  /// Small cases of every family of kernels: `Scripts/instruction-check` counts their instructions, one by one under an emulator.
  static let counted: [Case] = products + directConvolutions + winograd + others

  /// By panels packed before, by panels packed on the way, and along few columns.
  private static let products: [Case] = [
    .matrixProduct(m: 512, n: 32, k: 288), .matrixProduct(m: 128, n: 128, k: 128),
    .matrixProduct(m: 128, n: 10, k: 512),
  ]

  /// Panels that stay in a cache, padded images, strides, few outputs, one tap, and panels that are deep.
  private static let directConvolutions: [Case] = [
    passes(Convolution(network: "small", side: 32, inputs: 16, outputs: 16, allowsWinograd: false, images: 4)),
    [forward(Convolution(network: "small", side: 32, inputs: 3, outputs: 16, images: 4))],
    passes(Convolution(network: "small", side: 16, inputs: 32, outputs: 64, stride: 2, images: 4)),
    [forward(Convolution(network: "small", side: 32, inputs: 16, outputs: 3, images: 4))],
    [forward(Convolution(network: "small", side: 8, inputs: 128, outputs: 128, kernel: 1, images: 4))],
    passes(Convolution(network: "small", side: 4, inputs: 256, outputs: 256, allowsWinograd: false, images: 4)),
  ].flatMap { $0 }

  /// By tiles with few and with many weights, and by outputs in the form for 2×2.
  private static let winograd: [Case] = [
    passes(Convolution(network: "small", side: 32, inputs: 16, outputs: 16, images: 4)),
    passes(Convolution(network: "small", side: 8, inputs: 128, outputs: 128, images: 64)),
    passes(Convolution(network: "small", side: 2, inputs: 256, outputs: 256, images: 4)),
  ].flatMap { $0 }

  /// Groups of channels, pooling, normalization, reductions, rows, elementwise and elementary functions, movement, random numbers, optimizers.
  private static let others: [Case] = {
    let operations = [
      Operation("maxPool2d", [[4, 32, 32, 16]]), Operation("averagePool2d", [[4, 32, 32, 16]]),
      Operation("conv2d-groups", [[4, 16, 16, 32], [3, 3, 1, 32]]),
      Operation("batchNorm2d-relu", [[4, 32, 32, 16], [16], [16]]), Operation("layerNorm", [[32, 768], [768], [768]]),
      Operation("sum-rows", [[64, 1000]]), Operation("sum-columns", [[64, 1000]]),
      Operation("softmax", [[16, 1000]]), Operation("softmaxCrossEntropy", [[16, 1000]]),
      Operation("add", [[64, 1000], [1000]]), Operation("gelu", [[10_000]]),
      Operation("pow", [[10_000]], isPositive: true), Operation("transposed", [[129, 65]]),
      Operation("nchw-to-nhwc", [[2, 64, 14, 14]]), Operation("dropout", [[10_000]]),
    ]
    return operations.compactMap(\.bothWays.last)
      + OptimizerKind.allCases.map { .update(optimizer: $0, parameters: 10_000) }
  }()

  private static func forward(_ layer: Convolution) -> Case { .convolution(layer: layer, pass: .forward) }
  private static func passes(_ layer: Convolution) -> [Case] {
    Pass.allCases.map { .convolution(layer: layer, pass: $0) }
  }
}
