import Foundation
import Testing

@testable import Kernels

/// Every convolution of VGG16 and ResNet20 against its definition in double precision, at elements drawn at random.
///
/// With `ENCODENET_PRINT_ACCURACY` set, at batch 128, prints the table of `Docs/performance-tables.md`.
@Suite("Accuracy of convolutions") struct ConvolutionAccuracyTests {
  static let layers = [
    (32, 3, 64, 1), (32, 64, 64, 1), (16, 64, 128, 1), (16, 128, 128, 1), (8, 128, 256, 1), (8, 256, 256, 1),
    (4, 256, 512, 1), (4, 512, 512, 1), (2, 512, 512, 1), (32, 3, 16, 1), (32, 16, 16, 1), (32, 16, 32, 2),
    (16, 32, 32, 1), (16, 32, 64, 2), (8, 64, 64, 1),
  ]
  private static let prints = ProcessInfo.processInfo.environment["ENCODENET_PRINT_ACCURACY"] != nil

  @Test(arguments: layers) func isWithinOneInTenThousand(layer: (side: Int, inputs: Int, outputs: Int, stride: Int)) {
    let (side, inputs, outputs, stride) = layer
    let samples = SampledProducts(
      Convolution(
        images: Self.prints ? 128 : 4, height: side, width: side, inputs: inputs, kernelHeight: 3, kernelWidth: 3,
        outputs: outputs, stride: stride, padding: 1, dilation: 1, groups: 1))
    let name = "\(inputs)-\(outputs)@\(side)" + (stride == 1 ? "" : " stride \(stride)")
    let errors = samples.errors()
    for (pass, error) in zip(["forward", "backward-data", "backward-weights"], errors) {
      #expect(error < (Scalar.self == Float.self ? 1e-4 : 1e-12), "\(name) \(pass): relative error \(error)")
    }
    if Self.prints { print("| \(name) | " + errors.map { String(format: "%.1e", $0) }.joined(separator: " | ") + " |") }
  }
}

/// Random operands of a 3×3 convolution, whose products are compared at elements drawn at random.
private struct SampledProducts {
  let convolution: Convolution
  let (x, w, dy): ([Scalar], [Scalar], [Scalar])
  /// Pixels of an image of x, and of y.
  let (xSize, ySize): (Int, Int)
  /// For each tap every pair of pixels of x and y, flat within their images, that it joins.
  let joined: [[(x: Int, y: Int)]]
  private let generator: TestGenerator

  init(_ c: Convolution) {
    var generator = TestGenerator(state: 11)
    convolution = c
    x = generator.numbers(c.images * c.height * c.width * c.inputs)
    w = generator.numbers(9 * c.inputs * c.outputs)
    dy = generator.numbers(c.images * c.outputHeight * c.outputWidth * c.outputs)
    self.generator = generator
    (xSize, ySize) = (c.height * c.width, c.outputHeight * c.outputWidth)
    joined = (0..<9).map { tap in
      (0..<c.outputHeight * c.outputWidth).compactMap { pixel in
        let (i, j) = pixel.quotientAndRemainder(dividingBy: c.outputWidth)
        let (r, s) = (i * c.stride + tap / 3 - 1, j * c.stride + tap % 3 - 1)
        return r >= 0 && r < c.height && s >= 0 && s < c.width ? (r * c.width + s, pixel) : nil
      }
    }
  }

  /// The relative errors of forward, backward-data and backward-weights.
  func errors() -> [Double] {
    let (xs, dys) = (Storage(x), Storage(dy))
    var generator = generator
    func error(_ count: Int, _ run: (UnsafeMutablePointer<Scalar>) -> Void, _ expected: (Int) -> Double) -> Double {
      var found = [Scalar](repeating: .nan, count: count)
      found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
      var (errors, norm) = (0.0, 0.0)
      for _ in 0..<200 {
        let index = Int(abs(Double(generator.numbers(1)[0])) * Double(count - 1))
        let value = expected(index)
        errors += (Double(found[index]) - value) * (Double(found[index]) - value)
        norm += value * value
      }
      return (errors / norm).squareRoot()
    }
    return [
      error(dy.count, { convolution.forward(ImageSource(xs), w, into: $0) }, y),
      error(x.count, { convolution.backwardData(ImageSource(dys), w, into: $0) }, dx),
      error(w.count, { convolution.backwardWeights(ImageSource(xs), ImageSource(dys), into: $0) }, dw),
    ]
  }

  private func y(_ index: Int) -> Double {
    let (inputs, outputs) = (convolution.inputs, convolution.outputs)
    let (pixel, k) = index.quotientAndRemainder(dividingBy: outputs)
    let (n, at) = pixel.quotientAndRemainder(dividingBy: ySize)
    return (0..<9).reduce(0) { sum, tap in
      joined[tap].filter { $0.y == at }.reduce(sum) { sum, pair in
        (0..<inputs).reduce(sum) {
          $0 + Double(x[(n * xSize + pair.x) * inputs + $1]) * Double(w[(tap * inputs + $1) * outputs + k])
        }
      }
    }
  }

  private func dx(_ index: Int) -> Double {
    let (inputs, outputs) = (convolution.inputs, convolution.outputs)
    let (pixel, c) = index.quotientAndRemainder(dividingBy: inputs)
    let (n, at) = pixel.quotientAndRemainder(dividingBy: xSize)
    return (0..<9).reduce(0) { sum, tap in
      joined[tap].filter { $0.x == at }.reduce(sum) { sum, pair in
        (0..<outputs).reduce(sum) {
          $0 + Double(dy[(n * ySize + pair.y) * outputs + $1]) * Double(w[(tap * inputs + c) * outputs + $1])
        }
      }
    }
  }

  private func dw(_ index: Int) -> Double {
    let (inputs, outputs) = (convolution.inputs, convolution.outputs)
    let (row, k) = index.quotientAndRemainder(dividingBy: outputs)
    let (tap, c) = row.quotientAndRemainder(dividingBy: inputs)
    return (0..<convolution.images).reduce(0) { sum, n in
      joined[tap].reduce(sum) {
        $0 + Double(x[(n * xSize + $1.x) * inputs + c]) * Double(dy[(n * ySize + $1.y) * outputs + k])
      }
    }
  }
}
