/// Slides `weight` over images, as PyTorch's `conv2d`.
///
/// Each side of the output is `(size + 2 padding - dilation (kernel size - 1) - 1) / stride + 1`, rounded down. Gradients of
/// any order: the three products of a convolution are each other's derivatives.
///
/// A pixel that is NaN or infinite may make NaN of outputs beside those whose window has it, where they are computed in tiles, by
/// Winograd's algorithm.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - weight: `[kernel height, kernel width, channels / groups, outputs]`.
///   - bias: `[outputs]`.
/// - Precondition: The window fits into the padded image, and `groups` divides both numbers of channels.
public func conv2d(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
  groups: Int = 1
) -> Tensor {
  require(
    x.rank == 4 && weight.rank == 4 && groups > 0 && x.shape[3] == weight.shape[2] * groups
      && weight.shape[3] % groups == 0,
    "conv2d: input \(x.shape) has \(x.rank == 4 ? x.shape[3] : 0) channels, weight \(weight.shape) in \(groups) groups "
      + "wants \(weight.rank == 4 ? weight.shape[2] * groups : 0); images are [batch, height, width, channels]")
  let product = Convolution(
    x.shape, weight.shape, stride: stride, padding: padding, dilation: dilation, groups: groups)
  product.check("conv2d", x.shape, weight.shape)
  if let bias { product.checkBias("conv2d", bias.shape) }
  return product.forward(x, weight, bias)
}

/// A convolution with constant weights, for inference: a residual and a rectifier after it are fused, and nothing is recorded on a tape.
///
/// Caches the packed weights, which take up to five times the memory of the weights themselves.
package struct FixedConvolution: Sendable {
  package let weight: Tensor
  package let bias: Tensor?
  package let stride: Int
  package let padding: Padding
  package let dilation: Int
  package let groups: Int
  private let packed = PackedWeights()

  /// The convolution of ``conv2d(_:_:bias:stride:padding:dilation:groups:)`` with these arguments.
  package init(_ weight: Tensor, bias: Tensor?, stride: Int, padding: Padding, dilation: Int, groups: Int) {
    (self.weight, self.bias) = (weight.detached, bias?.detached)
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// The convolution of `x`, plus `residual`, then `rectifier`.
  package func callAsFunction(
    _ x: Tensor, adding residual: Tensor? = nil, rectifier: Rectifier = .none
  ) -> Tensor {
    let (x, zeros) = padding.applied(to: x, weight.shape, stride: stride, dilation: dilation)
    let product = Convolution(
      x.shape, weight.shape, stride: stride, padding: zeros, dilation: dilation, groups: groups)
    product.check("FixedConvolution", x.shape, weight.shape)
    let shape = product.yShape
    require(
      residual == nil || residual!.shape == shape,
      "FixedConvolution: residual \(residual?.shape ?? shape) does not fit output \(shape)")
    guard product.images > 0 else { return .zeros(shape) }
    return Tensor(shape: shape) { y in
      product.forward(
        ImageSource(x.storage), weight.pointer, packed: packed,
        epilogue: Epilogue(
          bias: bias.map { UnsafePointer($0.pointer) }, residual: residual.map { UnsafePointer($0.pointer) },
          rectifier: rectifier), into: y.baseAddress!)
    }
  }
}

/// The adjoint of `conv2d`, which upsamples images: PyTorch's `conv_transpose2d`.
///
/// Each side of the output is `(size - 1) stride - 2 padding + dilation (kernel size - 1) + outputPadding + 1`.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - weight: `[kernel height, kernel width, outputs / groups, channels]`: of the convolution whose adjoint this is.
///   - bias: `[outputs]`.
///   - outputPadding: Rows and columns at the end that the convolution would round away; less than `stride`.
public func convTranspose2d(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0,
  groups: Int = 1, dilation: Int = 1
) -> Tensor {
  require(
    x.rank == 4 && weight.rank == 4 && groups > 0 && x.shape[3] == weight.shape[3] && weight.shape[3] % groups == 0,
    "convTranspose2d: input \(x.shape) has \(x.rank == 4 ? x.shape[3] : 0) channels, weight \(weight.shape) in "
      + "\(groups) groups wants \(weight.rank == 4 ? weight.shape[3] : 0); images are [batch, height, width, channels]")
  require(
    outputPadding >= 0 && outputPadding < max(stride, dilation),
    "convTranspose2d: output padding \(outputPadding) is not less than stride \(stride) or dilation \(dilation)")
  func side(_ size: Int, _ kernel: Int) -> Int {
    (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1
  }
  let product = Convolution(
    images: x.shape[0], height: side(x.shape[1], weight.shape[0]), width: side(x.shape[2], weight.shape[1]),
    inputs: weight.shape[2] * groups, kernelHeight: weight.shape[0], kernelWidth: weight.shape[1],
    outputs: x.shape[3], stride: stride, padding: padding, dilation: dilation, groups: groups)
  product.check("convTranspose2d", x.shape, weight.shape)
  let y = product.backwardData(x, weight)
  guard let bias else { return y }
  require(bias.shape == [y.shape[3]], "convTranspose2d: bias \(bias.shape) does not fit \(y.shape[3]) output channels")
  return y + bias
}

extension Convolution {
  /// - Parameters:
  ///   - x: `[batch, height, width, channels]`.
  ///   - weight: `[kernel height, kernel width, channels / groups, outputs]`.
  init(_ x: Shape, _ weight: Shape, stride: Int, padding: Int, dilation: Int, groups: Int) {
    self.init(
      images: x[0], height: x[1], width: x[2], inputs: x[3], kernelHeight: weight[0], kernelWidth: weight[1],
      outputs: weight[3], stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  fileprivate func check(_ operation: String, _ x: Shape, _ weight: Shape) {
    require(
      stride > 0 && dilation > 0 && padding >= 0,
      "\(operation): stride \(stride), dilation \(dilation) and padding \(padding) must be positive, padding may be 0")
    require(weight.count > 0, "\(operation): weight \(weight) is empty, it needs a pixel and channels on both sides")
    require(
      height > 0 && width > 0 && height + 2 * padding > dilation * (kernelHeight - 1)
        && width + 2 * padding > dilation * (kernelWidth - 1),
      "\(operation): weight \(weight) does not fit input \(x) with padding \(padding) and dilation \(dilation)")
  }

  fileprivate func checkBias(_ operation: String, _ bias: Shape) {
    require(bias == [outputs], "\(operation): bias \(bias) does not fit \(outputs) output channels")
  }

  private var xShape: Shape { [images, height, width, inputs] }
  fileprivate var yShape: Shape { [images, outputHeight, outputWidth, outputs] }
  private var wShape: Shape { [kernelHeight, kernelWidth, inputs / groups, outputs] }

  fileprivate func forward(_ x: Tensor, _ w: Tensor, _ bias: Tensor? = nil) -> Tensor {
    let y = computed(yShape) { y in
      let epilogue = Epilogue(bias: bias.map { UnsafePointer($0.pointer) })
      forward(ImageSource(x.storage), w.pointer, epilogue: epilogue, into: y.baseAddress!)
    }
    let inputs = [x, w] + (bias.map { [$0] } ?? [])
    return y.recorded(
      "conv2d", saving: [x, w], from: inputs,
      consuming: { dy, needed, accumulated in
        // An outer tape records operations, not sums in place.
        if GradientTape.active.isEmpty, images > 0 { return gradients(x, w, dy, needed, adding: &accumulated) }
        return [needed[0] ? backwardData(dy, w) : nil, needed[1] ? backwardWeights(x, dy) : nil, dy]
      })
  }

  /// A tensor of `shape` that `body` writes, zeros where there is no image.
  private func computed(_ shape: Shape, _ body: (UnsafeMutableBufferPointer<Scalar>) -> Void) -> Tensor {
    images == 0 ? .zeros(shape) : Tensor(shape: shape, initializingWith: body)
  }

  /// The gradients of x, w and a bias, where they are needed. Adds the accumulated gradient of x in the same pass, in place where
  /// its storage is not shared.
  private func gradients(
    _ x: Tensor, _ w: Tensor, _ dy: Tensor, _ needed: [Bool], adding accumulated: inout Tensor?
  ) -> [Tensor?] {
    let upstream = ImageSource(dy.storage)
    let dw = needed[1] ? Tensor(storage: Storage(count: w.count), shape: wShape) : nil
    let needsBias = needed.count > 2 && needed[2]
    let db =
      needsBias && dw != nil && computesBiasGradient ? Tensor(storage: Storage(count: outputs), shape: [outputs]) : nil
    var dx: Tensor?
    if needed[0] {
      var sum = accumulated.take()
      let residual = sum.map { UnsafePointer($0.pointer) }
      let isInPlace = sum != nil && Storage.isUnique(&sum!.storage)
      let result = isInPlace ? sum! : Tensor(storage: Storage(count: x.count), shape: xShape)
      if let dw {
        backward(
          ImageSource(x.storage), w.pointer, upstream, adding: residual, dx: result.storage.pointer,
          dw: dw.storage.pointer, db: db?.storage.pointer)
      } else {
        backwardData(upstream, w.pointer, adding: residual, into: result.storage.pointer)
      }
      dx = result
    } else if let dw {
      backwardWeights(ImageSource(x.storage), upstream, into: dw.storage.pointer, db: db?.storage.pointer)
    }
    return [dx, dw, needsBias ? db ?? dy : nil]
  }

  fileprivate func backwardData(_ dy: Tensor, _ w: Tensor) -> Tensor {
    computed(xShape) {
      backwardData(ImageSource(dy.storage), w.pointer, into: $0.baseAddress!)
    }.recorded("convTranspose2d", saving: [dy, w], (dy, { forward($0, w) }), (w, { backwardWeights($0, dy) }))
  }

  private func backwardWeights(_ x: Tensor, _ dy: Tensor) -> Tensor {
    computed(wShape) {
      backwardWeights(ImageSource(x.storage), ImageSource(dy.storage), into: $0.baseAddress!)
    }.recorded("conv2dWeights", saving: [x, dy], (x, { backwardData(dy, $0) }), (dy, { forward(x, $0) }))
  }
}
