import Testing

@testable import Kernels

@Suite("Winograd convolution") struct WinogradTests {
  /// Images, height, width, inputs, outputs: whole tiles, cut tiles at both edges, one tile, the form for 2×2 images, and
  /// each way to share the work.
  static let shapes = [
    (2, 8, 8, 16, 32), (1, 5, 7, 16, 16), (3, 4, 4, 32, 16), (1, 13, 4, 48, 16), (5, 2, 2, 16, 32), (1, 6, 9, 80, 96),
    (2, 2, 2, 256, 272), (1, 4, 4, 256, 256), (40, 4, 8, 16, 16), (1, 5, 4, 1040, 16), (200, 4, 4, 80, 64),
    (35, 5, 7, 16, 32), (150, 2, 2, 32, 48), (19, 3, 3, 16, 16),
  ]

  @Test(arguments: shapes) func isTheDefinition(shape: (Int, Int, Int, Int, Int)) {
    let (n, h, w, inputs, outputs) = shape
    var generator = TestGenerator(state: 7)
    let reference = ReferenceProducts(
      Convolution(
        images: n, height: h, width: w, inputs: inputs, kernelHeight: 3, kernelWidth: 3, outputs: outputs, stride: 1,
        padding: 1, dilation: 1, groups: 1), &generator)
    let winograd = Winograd(h == 2 && w == 2 ? .winograd2x2 : .winograd4x4, images: n, height: h, width: w)
    // Images in memory, and lazy ones; and more threads than there are parts.
    for (isLazy, threads) in [(false, 2), (true, 2), (false, 7)] {
      Parallel.withThreads(threads) {
        reference.check(winograd, isLazy: isLazy, "of \(shape)\(isLazy ? ", lazy," : "") on \(threads) threads")
        if Winograd.hasFewWeights(inputs, outputs) {
          reference.checkBothGradients(
            winograd, isLazy: isLazy, residual: generator.numbers(reference.dx.count),
            "of \(shape)\(isLazy ? ", lazy," : "") on \(threads) threads")
        }
      }
    }
  }

  @Test func rulesChooseTheAlgorithm() {
    var rules = ConvolutionRule.measured
    func chosen(_ side: Int, inputs: Int = 16, kernel: Int = 3, stride: Int = 1) -> ConvolutionAlgorithm {
      let convolution = Convolution(
        images: 1, height: side, width: side + side % 2, inputs: inputs, kernelHeight: kernel, kernelWidth: kernel,
        outputs: 32, stride: stride, padding: kernel / 2, dilation: 1, groups: 1)
      return ConvolutionAlgorithm.chosen(for: convolution, by: rules)
    }
    #expect(chosen(2) == .winograd2x2)
    #expect(chosen(1) == .direct)
    #expect(chosen(3) == .winograd4x4)
    #expect(chosen(4) == .winograd4x4)
    #expect(chosen(4, inputs: 24) == .direct)
    #expect(chosen(4, kernel: 5) == .direct)
    #expect(chosen(4, stride: 2) == .direct)
    rules = [
      ConvolutionRule(.winograd2x2), ConvolutionRule(.direct, sides: 1...8, inputs: 16...16),
      ConvolutionRule(.winograd4x4),
    ]
    #expect(
      "\(rules)" == "[winograd2x2: wherever it can, direct: sides 1...8, inputs 16...16, winograd4x4: wherever it can]")
    #expect(chosen(2) == .winograd2x2)
    #expect(chosen(8) == .direct)
    #expect(chosen(3, inputs: 32) == .winograd4x4)
    #expect(chosen(3, inputs: 24) == .direct)
  }
}

extension ReferenceProducts {
  private var bound: Double { Scalar.self == Float.self ? 2e-5 : 1e-12 }

  /// The gradient of a bias.
  private var db: [Double] {
    let outputs = convolution.outputs
    return (0..<outputs).map { k in stride(from: k, to: dy.count, by: outputs).reduce(0) { $0 + Double(dy[$1]) } }
  }

  private func source(_ images: Storage, _ channels: Int, isLazy: Bool) -> ImageSource {
    guard isLazy else { return ImageSource(images) }
    return ImageSource(
      Storage(
        producer: RowProducer(count: images.count / channels, width: channels) { rows, start, _ in
          start.update(from: images.pointer + rows.lowerBound * channels, count: rows.count * channels)
        }))
  }

  /// The three products, apart.
  fileprivate func check(_ winograd: Winograd, isLazy: Bool, _ suffix: String) {
    let (inputs, outputs) = (convolution.inputs, convolution.outputs)
    let (xs, dys) = (Storage(x), Storage(dy))
    for (caching, packed) in [("", nil), (" with cached weights", PackedWeights())] {
      expectClose(y, bound, "forward\(caching) \(suffix)") {
        winograd.convolve(
          source(xs, inputs, isLazy: isLazy), w, packed: packed, inputs: inputs, outputs: outputs, into: $0)
      }
    }
    expectClose(dx, bound, "backward-data \(suffix)") {
      winograd.convolve(
        source(dys, outputs, isLazy: isLazy), w, isBackwardData: true, inputs: outputs, outputs: inputs, into: $0)
    }
    var sums = [Scalar](repeating: .nan, count: outputs)
    expectClose(dw, bound, "backward-weights \(suffix)") {
      winograd.weightsGradient(
        source(xs, inputs, isLazy: isLazy), source(dys, outputs, isLazy: isLazy), inputs: inputs, outputs: outputs,
        into: $0, db: &sums)
    }
    expectClose(db, bound, "sums of pixels \(suffix)", sums)
  }

  /// Both gradients in one sweep, added to `residual`.
  fileprivate func checkBothGradients(_ winograd: Winograd, isLazy: Bool, residual: [Scalar], _ suffix: String) {
    let (inputs, outputs) = (convolution.inputs, convolution.outputs)
    let (xs, dys) = (Storage(x), Storage(dy))
    var (weights, sums) = ([Scalar](repeating: .nan, count: dw.count), [Scalar](repeating: .nan, count: outputs))
    var found = residual
    winograd.gradients(
      source(xs, inputs, isLazy: isLazy), w, source(dys, outputs, isLazy: isLazy), inputs: inputs, outputs: outputs,
      adding: residual, dx: &found, dw: &weights, db: &sums)
    expectClose(zip(dx, residual).map { $0 + Double($1) }, bound, "both gradients: backward-data \(suffix)", found)
    expectClose(dw, bound, "both gradients: backward-weights \(suffix)", weights)
    expectClose(db, bound, "both gradients: sums of pixels \(suffix)", sums)
  }
}
