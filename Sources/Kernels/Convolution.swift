import CKernels

/// The shapes of a two-dimensional convolution, and its three products on the fastest kernels for them.
package struct Convolution: Sendable, Equatable {
  package let images: Int
  package let height: Int
  package let width: Int
  package let inputs: Int
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let outputs: Int
  package let stride: Int
  package let padding: Int
  package let dilation: Int
  package let groups: Int
  /// Chosen when the operation runs, for its derivatives too.
  package private(set) var algorithm = ConvolutionAlgorithm.direct

  package init(
    images: Int, height: Int, width: Int, inputs: Int, kernelHeight: Int, kernelWidth: Int, outputs: Int, stride: Int,
    padding: Int, dilation: Int, groups: Int
  ) {
    (self.images, self.height, self.width, self.inputs) = (images, height, width, inputs)
    (self.kernelHeight, self.kernelWidth, self.outputs) = (kernelHeight, kernelWidth, outputs)
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
    algorithm = .chosen(for: self, by: ConvolutionRule.inUse.withLock { $0 })
  }

  package var outputHeight: Int { (height + 2 * padding - dilation * (kernelHeight - 1) - 1) / stride + 1 }
  package var outputWidth: Int { (width + 2 * padding - dilation * (kernelWidth - 1) - 1) / stride + 1 }

  private var winograd: Winograd? {
    algorithm == .direct ? nil : Winograd(algorithm, images: images, height: height, width: width)
  }

  /// Multiplications of the direct algorithm, and weights that it reads.
  private var directCost: (products: Int, weights: Int) {
    let weights = kernelHeight * kernelWidth * inputs / groups * outputs
    return (max(Tuning.Winograd.leastTiles, images * outputHeight * outputWidth) * weights, weights)
  }

  /// Whether backward-weights computes the gradient of a bias as well.
  package var computesBiasGradient: Bool { winograd != nil }

  /// y = epilogue of x ∗ w: `[images, height, width, inputs]` and `[kernelHeight, kernelWidth, inputs / groups, outputs]` to
  /// `[images, outputHeight, outputWidth, outputs]`.
  ///
  /// - Parameter packed: Caches the packed `w`.
  package func forward(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, packed: PackedWeights? = nil,
    epilogue: Epilogue = Epilogue(), into y: UnsafeMutablePointer<Scalar>
  ) {
    if let winograd {
      // Winograd-domain weights are four times as many: for few images, reading cached weights is what costs.
      if packed == nil || winograd.isFaster(than: directCost, inputs: inputs, outputs: outputs) {
        return winograd.convolve(x, w, packed: packed, inputs: inputs, outputs: outputs, epilogue: epilogue, into: y)
      }
    }
    if let taps = TapConvolution(forward: self, w, packed: packed) { return taps.run(x.pointer, epilogue, into: y) }
    DirectConvolution(forward: self, w, packed: packed).run(x.pointer, epilogue, into: y)
  }

  /// Backward-data: dx = the adjoint of `forward` in x, applied to dy, plus `residual`, which may be dx.
  package func backwardData(
    _ dy: ImageSource, _ w: UnsafePointer<Scalar>, adding residual: UnsafePointer<Scalar>? = nil,
    into dx: UnsafeMutablePointer<Scalar>
  ) {
    let epilogue = Epilogue(residual: residual)
    if let winograd {
      return winograd.convolve(
        dy, w, isBackwardData: true, inputs: outputs, outputs: inputs, epilogue: epilogue, into: dx)
    }
    if let taps = TapConvolution(backwardData: self, w) { return taps.run(dy.pointer, epilogue, into: dx) }
    DirectConvolution(backwardData: self, w).run(dy.pointer, epilogue, into: dx)
  }

  /// `backwardData` and `backwardWeights`; reads dy once where that is faster.
  package func backward(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, _ dy: ImageSource, adding residual: UnsafePointer<Scalar>? = nil,
    dx: UnsafeMutablePointer<Scalar>, dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if let winograd, Winograd.hasFewWeights(inputs, outputs) {
      return winograd.gradients(
        x, w, dy, inputs: inputs, outputs: outputs, adding: residual, dx: dx, dw: dw, db: db)
    }
    if let weights = TapWeights(self), let data = TapConvolution(backwardData: self, w) {
      require(db == nil, "convolution: groups of few channels have no gradient of a bias")
      return weights.run(x.pointer, dy.pointer, data: data, Epilogue(residual: residual), dx: dx, dw: dw)
    }
    backwardData(dy, w, adding: residual, into: dx)
    backwardWeights(x, dy, into: dw, db: db)
  }

  /// Backward-weights: dw = the adjoint of `forward` in w, applied to dy.
  ///
  /// - Parameter db: Gets the gradient of a bias, the sums of dy's pixels, where this ``computesBiasGradient``.
  package func backwardWeights(
    _ x: ImageSource, _ dy: ImageSource, into dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if let winograd { return winograd.weightsGradient(x, dy, inputs: inputs, outputs: outputs, into: dw, db: db) }
    require(db == nil, "convolution: the direct algorithm does not compute the gradient of a bias")
    if let taps = TapWeights(self) { return taps.run(x.pointer, dy.pointer, into: dw) }
    if let swapped {
      let taps = kernelHeight * kernelWidth
      let rotated = Storage(count: taps * inputs * outputs)
      swapped.backwardWeights(dy, x, into: rotated.pointer)
      for tap in 0..<taps {
        en_read_strided(
          2, [inputs, outputs], [1, inputs], 0, rotated.pointer + (taps - 1 - tap) * inputs * outputs,
          dw + tap * inputs * outputs)
      }
      return
    }
    DirectBackwardWeights(self).run(x.pointer, dy.pointer, into: dw)
  }

  /// The convolution with the operands swapped, whose weight gradient is this one's, rotated by 180° and transposed; nil where it
  /// does not leave fewer columns of a panel empty.
  private var swapped: Convolution? {
    let width = DirectConvolution.panelWidth
    func cost(_ rows: Int, _ columns: Int) -> Int { rows * ((columns + width - 1) / width * width) }
    guard groups == 1, stride == 1, dilation == 1, kernelHeight == kernelWidth, padding < kernelHeight,
      Tuning.Direct.savingByExchange * cost(outputs, inputs) <= cost(inputs, outputs)
    else { return nil }
    return Convolution(
      images: images, height: outputHeight, width: outputWidth, inputs: outputs, kernelHeight: kernelHeight,
      kernelWidth: kernelWidth, outputs: inputs, stride: 1, padding: kernelHeight - 1 - padding, dilation: 1, groups: 1)
  }
}
