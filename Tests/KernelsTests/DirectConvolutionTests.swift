import Testing

@testable import Kernels

@Suite("Convolutions by the definition") struct DirectConvolutionTests {
  struct Shape: CustomTestStringConvertible {
    var images: Int
    var height: Int
    var width: Int
    var inputs: Int
    var outputs: Int
    var kernel = 3
    var stride = 1
    var padding = 1
    var dilation = 1
    var groups = 1
    var testDescription: String {
      "\(images)×\(height)×\(width), \(inputs)-\(outputs), kernel \(kernel), stride \(stride), groups \(groups)"
    }
  }
  /// Tiny images that go together, channels that fill no panel, many panels, each way to share the work, and every option.
  static let shapes = [
    Shape(images: 37, height: 1, width: 1, inputs: 5, outputs: 3),
    Shape(images: 33, height: 2, width: 3, inputs: 7, outputs: 130),
    Shape(images: 20, height: 5, width: 4, inputs: 12, outputs: 20, stride: 2),
    Shape(images: 1, height: 9, width: 11, inputs: 3, outputs: 40),
    Shape(images: 3, height: 7, width: 7, inputs: 13, outputs: 17, kernel: 5, stride: 3, padding: 2),
    Shape(images: 2, height: 8, width: 6, inputs: 12, outputs: 18, padding: 2, dilation: 2, groups: 3),
    Shape(images: 18, height: 4, width: 4, inputs: 30, outputs: 132, kernel: 1, padding: 0),
    Shape(images: 9, height: 6, width: 5, inputs: 40, outputs: 6, stride: 2, groups: 2),
    Shape(images: 1, height: 17, width: 16, inputs: 11, outputs: 140),
    Shape(images: 2, height: 3, width: 2, inputs: 4, outputs: 5, kernel: 5, padding: 4),
    Shape(images: 17, height: 4, width: 3, inputs: 70, outputs: 20),
    Shape(images: 20, height: 2, width: 2, inputs: 64, outputs: 40, stride: 2),
    Shape(images: 18, height: 1, width: 1, inputs: 65, outputs: 150),
    Shape(images: 250, height: 4, width: 4, inputs: 1, outputs: 1600, kernel: 1, padding: 0),
    Shape(images: 16, height: 3, width: 4, inputs: 64, outputs: 150, stride: 2),
    Shape(images: 20, height: 6, width: 6, inputs: 66, outputs: 8, padding: 0),
    Shape(images: 9, height: 5, width: 7, inputs: 3, outputs: 5, kernel: 1, stride: 2, padding: 1),
    Shape(images: 5, height: 9, width: 8, inputs: 6, outputs: 4, stride: 2, padding: 2, dilation: 3),
    // Few columns, of x and of dy.
    Shape(images: 5, height: 7, width: 6, inputs: 32, outputs: 3),
    Shape(images: 3, height: 6, width: 9, inputs: 16, outputs: 1, kernel: 5, padding: 1),
    Shape(images: 2, height: 8, width: 5, inputs: 48, outputs: 4, stride: 2, padding: 2, dilation: 2),
    Shape(images: 4, height: 5, width: 5, inputs: 32, outputs: 4, groups: 2),
    Shape(images: 7, height: 3, width: 3, inputs: 16, outputs: 2, padding: 0),
    Shape(images: 6, height: 4, width: 6, inputs: 2, outputs: 32, stride: 2),
    Shape(images: 3, height: 5, width: 4, inputs: 4, outputs: 64),
  ]

  @Test(arguments: shapes) func agreeWithIt(shape: Shape) {
    let c = Convolution(
      images: shape.images, height: shape.height, width: shape.width, inputs: shape.inputs, kernelHeight: shape.kernel,
      kernelWidth: shape.kernel, outputs: shape.outputs, stride: shape.stride, padding: shape.padding,
      dilation: shape.dilation, groups: shape.groups)
    let (inputs, outputs) = (c.inputs / c.groups, c.outputs / c.groups)
    var generator = TestGenerator(state: 5)
    let x = generator.numbers(c.images * c.height * c.width * c.inputs)
    let xs = Storage(x)
    let w = generator.numbers(c.kernelHeight * c.kernelWidth * inputs * c.outputs)
    let dy = generator.numbers(c.images * c.outputHeight * c.outputWidth * c.outputs)
    let dys = Storage(dy)
    var y = [Double](repeating: 0, count: dy.count)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: w.count)
    for n in 0..<c.images {
      for i in 0..<c.outputHeight {
        for j in 0..<c.outputWidth {
          for tap in 0..<c.kernelHeight * c.kernelWidth {
            let (r, s) = tap.quotientAndRemainder(dividingBy: c.kernelWidth)
            let (row, column) = (
              i * c.stride + r * c.dilation - c.padding, j * c.stride + s * c.dilation - c.padding
            )
            guard row >= 0, row < c.height, column >= 0, column < c.width else { continue }
            let from = ((n * c.height + row) * c.width + column) * c.inputs
            let to = ((n * c.outputHeight + i) * c.outputWidth + j) * c.outputs
            for k in 0..<c.outputs {
              for q in 0..<inputs {
                let (p, weight) = (from + k / outputs * inputs + q, (tap * inputs + q) * c.outputs + k)
                y[to + k] += Double(x[p]) * Double(w[weight])
                dx[p] += Double(dy[to + k]) * Double(w[weight])
                dw[weight] += Double(dy[to + k]) * Double(x[p])
              }
            }
          }
        }
      }
    }
    func check(_ name: String, _ expected: [Double], _ run: (UnsafeMutablePointer<Scalar>) -> Void) {
      var found = [Scalar](repeating: .nan, count: expected.count)
      found.withUnsafeMutableBufferPointer { run($0.baseAddress!) }
      let error = zip(found, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
      let relative = (error / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
      #expect(relative < (Scalar.self == Float.self ? 1e-6 : 1e-14), "\(name): relative error \(relative)")
    }
    let residual = generator.numbers(dy.count)
    let bias = generator.numbers(c.outputs)
    let finished = y.indices.map { max(0, y[$0] + Double(bias[$0 % c.outputs]) + Double(residual[$0])) }
    // More threads than there are images, or panels.
    for threads in [2, 7] { Parallel.withThreads(threads) { checkAll(" on \(threads) threads") } }

    func checkAll(_ how: String) {
      check("forward" + how, y) { c.forward(ImageSource(xs), w, into: $0) }
      check("backward-data" + how, dx) { c.backwardData(ImageSource(dys), w, into: $0) }
      check("backward-weights" + how, dw) { c.backwardWeights(ImageSource(xs), ImageSource(dys), into: $0) }
      bias.withUnsafeBufferPointer { bias in
        residual.withUnsafeBufferPointer { residual in
          let epilogue = Epilogue(bias: bias.baseAddress!, residual: residual.baseAddress!, rectifies: true)
          check("epilogue" + how, finished) { c.forward(ImageSource(xs), w, epilogue: epilogue, into: $0) }
        }
      }
    }
  }
}
