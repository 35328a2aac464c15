import Testing

@testable import Kernels

/// Depthwise convolutions, and groups of few channels, which have kernels of their own.
@Suite("Convolutions of few channels in a group") struct TapConvolutionTests {
  struct Shape: CustomTestStringConvertible {
    var images = 2
    var height: Int
    var width: Int
    var groups: Int
    /// Channels of each group.
    var inputs = 1
    var outputs = 1
    var kernel = 3
    var stride = 1
    var padding = 1
    var dilation = 1
    var testDescription: String {
      "\(images)×\(height)×\(width), \(groups) groups of \(inputs)-\(outputs), kernel \(kernel), stride \(stride), "
        + "padding \(padding), dilation \(dilation)"
    }

    var convolution: Convolution {
      Convolution(
        images: images, height: height, width: width, inputs: groups * inputs, kernelHeight: kernel,
        kernelWidth: kernel, outputs: groups * outputs, stride: stride, padding: padding, dilation: dilation,
        groups: groups)
    }
  }

  /// Vectors that are whole, and channels after them; strips of every length; runs of a single pixel, and pixels that no tap reaches.
  static let depthwise: [Shape] = {
    var shapes: [Shape] = []
    for channels in [1, 2, 3, 17, 32, 33, 130] {
      for kernel in [1, 3, 5, 7] {
        for stride in 1...3 {
          // Every side from 1 to 9.
          let side = (channels + 3 * kernel + 5 * stride) % 9 + 1
          shapes.append(
            Shape(
              height: side, width: (side + channels) % 9 + 1, groups: channels, kernel: kernel, stride: stride,
              padding: kernel / 2))
        }
      }
    }
    return shapes + others
  }()
  private static let others: [Shape] = [
    Shape(height: 9, width: 31, groups: 20), Shape(height: 8, width: 29, groups: 48, stride: 2),
    Shape(height: 7, width: 6, groups: 18, padding: 0), Shape(height: 5, width: 4, groups: 18, padding: 2),
    Shape(height: 9, width: 8, groups: 21, stride: 2, padding: 2, dilation: 3),
    Shape(height: 9, width: 9, groups: 5, kernel: 1, stride: 3, padding: 1),
    Shape(height: 2, width: 3, groups: 40, kernel: 5, padding: 4), Shape(images: 70, height: 3, width: 3, groups: 16),
    Shape(images: 1, height: 40, width: 5, groups: 300),
    Shape(images: 3, height: 6, width: 6, groups: 1300, kernel: 5, padding: 2),
  ]

  /// Blocks of eight, four and one outputs, several inputs for each, and what the direct algorithm keeps.
  static let grouped: [Shape] = [
    Shape(height: 5, width: 13, groups: 4, inputs: 8, outputs: 8),
    Shape(height: 6, width: 9, groups: 3, inputs: 8, outputs: 8),
    Shape(height: 9, width: 31, groups: 4, inputs: 4, outputs: 4),
    Shape(height: 9, width: 31, groups: 6, inputs: 8, outputs: 8),
    Shape(height: 6, width: 7, groups: 8, inputs: 4, outputs: 4, stride: 2),
    Shape(height: 7, width: 5, groups: 3, inputs: 2, outputs: 13, stride: 3),
    Shape(height: 4, width: 9, groups: 5, inputs: 3, outputs: 7, kernel: 5, padding: 2),
    Shape(height: 4, width: 4, groups: 6, inputs: 1, outputs: 2),
    Shape(height: 5, width: 3, groups: 2, inputs: 5, outputs: 1),
    Shape(height: 6, width: 6, groups: 2, inputs: 15, outputs: 15, padding: 2, dilation: 2),
    Shape(height: 5, width: 5, groups: 2, inputs: 16, outputs: 3),
    Shape(height: 5, width: 5, groups: 2, inputs: 3, outputs: 17),
    Shape(images: 40, height: 2, width: 2, groups: 3, inputs: 8, outputs: 4),
    Shape(height: 9, width: 9, groups: 2, inputs: 6, outputs: 6, kernel: 1, stride: 2, padding: 0),
  ]

  @Test(arguments: depthwise + grouped) func areTheDefinition(shape: Shape) {
    var generator = TestGenerator(state: 5)
    let reference = ReferenceProducts(shape.convolution, &generator)
    for threads in [1, 2, 7] {
      Parallel.withThreads(threads) { reference.checkAllPasses("on \(threads) threads", &generator) }
    }
  }

  @Test(arguments: [others[0], others[4], others[7], others[9], grouped[0], grouped[9]])
  func haveTheSameResultsOnAnyNumberOfThreads(shape: Shape) {
    let c = shape.convolution
    var generator = TestGenerator(state: 5)
    let reference = ReferenceProducts(c, &generator)
    let (xStorage, dyStorage) = (Storage(reference.x), Storage(reference.dy))
    let (x, dy) = (ImageSource(xStorage), ImageSource(dyStorage))
    defer { withExtendedLifetime((xStorage, dyStorage)) {} }
    let results = [1, 2, 3, 8].map { threads in
      Parallel.withThreads(threads) {
        let (y, dx) = (Storage(count: reference.y.count), Storage(count: reference.dx.count))
        let dw = Storage(count: reference.dw.count)
        c.forward(x, reference.w, into: y.pointer)
        c.backward(x, reference.w, dy, dx: dx.pointer, dw: dw.pointer)
        return [y, dx, dw].map { Array(UnsafeBufferPointer(start: $0.pointer, count: $0.count)) }
      }
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }

  @Test func thePlanVisitsEveryPixelOnce() {
    for shape in Self.depthwise + Self.grouped {
      let c = shape.convolution
      for (plan, channels) in [(TapPlan(forward: c), c.outputs), (TapPlan(backwardData: c), c.inputs)] {
        var visits = [Int](repeating: 0, count: plan.resultCount / channels)
        plan.withPointers { pointers in
          let all = pointers(0..<plan.rows)
          for run in UnsafeBufferPointer(start: all.runs, count: all.runCount) {
            for i in 0..<run.pixels { visits[(run.to + i * all.toStep) / channels] += 1 }
          }
        }
        #expect(visits.allSatisfy { $0 == 1 }, "\(shape.testDescription)")
      }
    }
  }
}

extension ReferenceProducts {
  fileprivate func checkAllPasses(_ suffix: String, _ generator: inout TestGenerator) {
    let c = convolution
    let (xStorage, dyStorage) = (Storage(x), Storage(dy))
    let (xs, dys) = (ImageSource(xStorage), ImageSource(dyStorage))
    // A source does not keep its storage.
    defer { withExtendedLifetime((xStorage, dyStorage)) {} }
    let bound = Scalar.self == Float.self ? 1e-6 : 1e-14
    expectClose(y, bound, "forward \(suffix)") { c.forward(xs, w, into: $0) }
    expectClose(dx, bound, "backward-data \(suffix)") { c.backwardData(dys, w, into: $0) }
    expectClose(dw, bound, "backward-weights \(suffix)") { c.backwardWeights(xs, dys, into: $0) }

    // Both derivatives in one pass, added to what is there.
    let accumulated = generator.numbers(dx.count)
    let sum = zip(dx, accumulated).map { $0 + Double($1) }
    var found = [Scalar](repeating: .nan, count: dw.count)
    expectClose(sum, bound, "backward, in place, \(suffix)") { result in
      result.update(from: accumulated, count: accumulated.count)
      found.withUnsafeMutableBufferPointer {
        c.backward(xs, w, dys, adding: UnsafePointer(result), dx: result, dw: $0.baseAddress!)
      }
    }
    expectClose(dw, bound, "weights of backward \(suffix)", found)

    let (bias, residual) = (generator.numbers(c.outputs), generator.numbers(y.count).map { $0 * 8 })
    let sums = y.enumerated().map { $1 + Double(bias[$0 % c.outputs]) + Double(residual[$0]) }
    bias.withUnsafeBufferPointer { bias in
      residual.withUnsafeBufferPointer { residual in
        for (rectifier, most) in [(Rectifier.none, Double.infinity), (.relu, .infinity), (.relu6, 6)] {
          let expected = rectifier == .none ? sums : sums.map { min(max(0, $0), most) }
          expectClose(expected, bound, "epilogue \(rectifier) \(suffix)") {
            c.forward(
              xs, w, packed: PackedWeights(),
              epilogue: Epilogue(bias: bias.baseAddress!, residual: residual.baseAddress!, rectifier: rectifier),
              into: $0)
          }
        }
      }
    }
  }
}
