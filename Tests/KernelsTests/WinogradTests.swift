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

  @Test(arguments: shapes) func agreesWithTheDefinition(shape: (Int, Int, Int, Int, Int)) {
    let (n, h, w, ci, co) = shape
    var generator = TestGenerator(state: 7)
    let x = generator.numbers(n * h * w * ci)
    let weights = generator.numbers(9 * ci * co)
    let dy = generator.numbers(n * h * w * co)
    var y = [Double](repeating: 0, count: n * h * w * co)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: weights.count)
    let db = (0..<co).map { k in stride(from: k, to: dy.count, by: co).reduce(0) { $0 + Double(dy[$1]) } }
    for image in 0..<n {
      for i in 0..<h {
        for j in 0..<w {
          for tap in 0..<9 {
            let (r, s) = (i + tap / 3 - 1, j + tap % 3 - 1)
            guard r >= 0, r < h, s >= 0, s < w else { continue }
            let (from, to) = (((image * h + r) * w + s) * ci, ((image * h + i) * w + j) * co)
            for c in 0..<ci {
              for k in 0..<co {
                let weight = (tap * ci + c) * co + k
                y[to + k] += Double(x[from + c]) * Double(weights[weight])
                dx[from + c] += Double(dy[to + k]) * Double(weights[weight])
                dw[weight] += Double(dy[to + k]) * Double(x[from + c])
              }
            }
          }
        }
      }
    }
    let winograd = Winograd(h == 2 && w == 2 ? .winograd2x2 : .winograd4x4, images: n, height: h, width: w)
    let (xs, dys) = (Storage(x), Storage(dy))
    let bound = Scalar.self == Float.self ? 2e-5 : 1e-12
    func check(_ name: String, _ expected: [Double], _ run: (UnsafeMutablePointer<Scalar>) -> Void) {
      var found = [Scalar](repeating: .nan, count: expected.count)
      found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
      check(name, expected, found)
    }
    func check(_ name: String, _ expected: [Double], _ found: [Scalar]) {
      let error = zip(found, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
      let norm = expected.reduce(0) { $0 + $1 * $1 }
      #expect((error / norm).squareRoot() < bound, "\(name) of \(shape): relative error \((error / norm).squareRoot())")
    }
    // The images in memory, or pixels that are computed when they are asked for; and more threads than there are parts.
    for (isComputed, threads) in [(false, 2), (true, 2), (false, 7)] {
      Parallel.withThreads(threads) { checkAll(isComputed, threads) }
    }

    func checkAll(_ isComputed: Bool, _ threads: Int) {
      func source(_ images: Storage, _ channels: Int) -> ImageSource {
        guard isComputed else { return ImageSource(images) }
        return ImageSource(
          Storage(
            computing: RowComputation(count: images.count / channels, width: channels) { rows, start in
              start.update(from: images.pointer + rows.lowerBound * channels, count: rows.count * channels)
            }))
      }
      let how = (isComputed ? " of computed images" : "") + " on \(threads) threads"
      for (kept, layouts) in [("", nil), (" with weights that are kept", WeightLayouts())] {
        check("forward" + kept + how, y) {
          winograd.convolve(source(xs, ci), weights, layouts: layouts, inputs: ci, outputs: co, into: $0)
        }
      }
      check("backward-data" + how, dx) {
        winograd.convolve(source(dys, co), weights, isAdjoint: true, inputs: co, outputs: ci, into: $0)
      }
      var sums = [Scalar](repeating: .nan, count: co)
      check("backward-weights" + how, dw) {
        winograd.weightsGradient(source(xs, ci), source(dys, co), inputs: ci, outputs: co, into: $0, db: &sums)
      }
      check("sums of pixels" + how, db, sums)
      guard Winograd.hasFewWeights(ci, co) else { return }
      var (both, residual) = ([Scalar](repeating: .nan, count: dw.count), generator.numbers(dx.count))
      let sum = zip(dx, residual).map { $0 + Double($1) }
      winograd.gradients(
        source(xs, ci), weights, source(dys, co), inputs: ci, outputs: co, adding: residual, dx: &residual, dw: &both,
        db: &sums)
      check("both gradients: backward-data" + how, sum, residual)
      check("both gradients: backward-weights" + how, dw, both)
      check("both gradients: sums of pixels" + how, db, sums)
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

extension Storage {
  /// A copy of `scalars`.
  convenience init(_ scalars: [Scalar]) {
    self.init(count: scalars.count)
    pointer.update(from: scalars, count: scalars.count)
  }
}

/// A linear congruential generator: numbers in -1...1 that are the same everywhere.
struct TestGenerator {
  var state: UInt64
  mutating func numbers(_ count: Int) -> [Scalar] {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Scalar(Int64(bitPattern: state) >> 40) / Scalar(1 << 23)
    }
  }
}
