import Foundation
import Testing

@testable import Kernels

/// Every convolution of VGG16 and ResNet20 beside its definition in double precision, at elements drawn at random.
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
    let images = Self.prints ? 128 : 4
    let convolution = Convolution(
      images: images, height: side, width: side, inputs: inputs, kernelHeight: 3, kernelWidth: 3, outputs: outputs,
      stride: stride, padding: 1, dilation: 1, groups: 1)
    let outputSide = convolution.outputHeight
    var generator = TestGenerator(state: 11)
    let x = generator.numbers(images * side * side * inputs)
    let w = generator.numbers(9 * inputs * outputs)
    let dy = generator.numbers(images * outputSide * outputSide * outputs)

    let (xs, dys) = (Storage(x), Storage(dy))

    /// Every pair of pixels of x and y, flat within their images, that a tap joins.
    func pairs(tap: Int) -> [(x: Int, y: Int)] {
      (0..<outputSide * outputSide).compactMap { pixel in
        let (i, j) = pixel.quotientAndRemainder(dividingBy: outputSide)
        let (r, s) = (i * stride + tap / 3 - 1, j * stride + tap % 3 - 1)
        return r >= 0 && r < side && s >= 0 && s < side ? (r * side + s, pixel) : nil
      }
    }
    let joined = (0..<9).map(pairs)
    let (xSize, ySize) = (side * side, outputSide * outputSide)

    func error(_ count: Int, _ run: (UnsafeMutablePointer<Scalar>) -> Void, _ expected: (Int) -> Double) -> Double {
      var found = [Scalar](repeating: .nan, count: count)
      found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
      var (errors, norm) = (0.0, 0.0)
      for _ in 0..<200 {
        let index = Int(abs(Double(generator.numbers(1)[0])) * Double(count - 1))
        let wanted = expected(index)
        errors += (Double(found[index]) - wanted) * (Double(found[index]) - wanted)
        norm += wanted * wanted
      }
      return (errors / norm).squareRoot()
    }

    let forward = error(dy.count) {
      convolution.forward(ImageSource(xs), w, into: $0)
    } _: { index in
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
    let backwardData = error(x.count) {
      convolution.backwardData(ImageSource(dys), w, into: $0)
    } _: { index in
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
    let backwardWeights = error(w.count) {
      convolution.backwardWeights(ImageSource(xs), ImageSource(dys), into: $0)
    } _: { index in
      let (row, k) = index.quotientAndRemainder(dividingBy: outputs)
      let (tap, c) = row.quotientAndRemainder(dividingBy: inputs)
      return (0..<images).reduce(0) { sum, n in
        joined[tap].reduce(sum) {
          $0 + Double(x[(n * xSize + $1.x) * inputs + c]) * Double(dy[(n * ySize + $1.y) * outputs + k])
        }
      }
    }
    let name = "\(inputs)-\(outputs)@\(side)" + (stride == 1 ? "" : " stride \(stride)")
    for (pass, error) in [
      ("forward", forward), ("backward-data", backwardData), ("backward-weights", backwardWeights),
    ] {
      #expect(error < (Scalar.self == Float.self ? 1e-4 : 1e-12), "\(name) \(pass): relative error \(error)")
    }
    if Self.prints {
      print(
        "| \(name) | "
          + [forward, backwardData, backwardWeights].map { String(format: "%.1e", $0) }
          .joined(separator: " | ") + " |")
    }
  }
}
