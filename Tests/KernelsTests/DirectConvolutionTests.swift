import Testing

@testable import Kernels

@Suite("Direct convolutions") struct DirectConvolutionTests {
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
  /// Tiny images that are taken together, channels that fill no panel, many panels, each way to share the work, and every option.
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

  @Test(arguments: shapes) func areTheDefinition(shape: Shape) {
    let c = Convolution(
      images: shape.images, height: shape.height, width: shape.width, inputs: shape.inputs, kernelHeight: shape.kernel,
      kernelWidth: shape.kernel, outputs: shape.outputs, stride: shape.stride, padding: shape.padding,
      dilation: shape.dilation, groups: shape.groups)
    var generator = TestGenerator(state: 5)
    let reference = ReferenceProducts(c, &generator)
    let residual = generator.numbers(reference.dy.count)
    let bias = generator.numbers(c.outputs)
    let finished = reference.y.enumerated().map { max(0, $1 + Double(bias[$0 % c.outputs]) + Double(residual[$0])) }
    // More threads than there are images, or panels.
    for threads in [2, 7] {
      Parallel.withThreads(threads) {
        reference.check("on \(threads) threads", residual: residual, bias: bias, finished)
      }
    }
  }
}

extension ReferenceProducts {
  fileprivate func check(_ suffix: String, residual: [Scalar], bias: [Scalar], _ finished: [Double]) {
    let (c, xs, dys) = (convolution, Storage(x), Storage(dy))
    let bound = Scalar.self == Float.self ? 1e-6 : 1e-14
    expectClose(y, bound, "forward \(suffix)") { c.forward(ImageSource(xs), w, into: $0) }
    expectClose(dx, bound, "backward-data \(suffix)") { c.backwardData(ImageSource(dys), w, into: $0) }
    expectClose(dw, bound, "backward-weights \(suffix)") {
      c.backwardWeights(ImageSource(xs), ImageSource(dys), into: $0)
    }
    bias.withUnsafeBufferPointer { bias in
      residual.withUnsafeBufferPointer { residual in
        let epilogue = Epilogue(bias: bias.baseAddress!, residual: residual.baseAddress!, rectifier: .relu)
        expectClose(finished, bound, "epilogue \(suffix)") {
          c.forward(ImageSource(xs), w, epilogue: epilogue, into: $0)
        }
      }
    }
  }
}
