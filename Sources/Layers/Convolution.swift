/// A two-dimensional convolution of `[batch, height, width, channels]`, as PyTorch's `nn.Conv2d`.
///
/// Each side of the output is `(size + 2 padding - dilation (kernelSize - 1) - 1) / stride + 1`, rounded down.
public final class Conv2d: Layer {
  /// `[kernel height, kernel width, input channels / groups, output channels]`.
  @Parameter public var weight: Tensor
  /// `[output channels]`, nil for none.
  public let bias: Parameter?
  /// Pixels between neighbouring windows.
  public let stride: Int
  /// The margins of the image.
  public let padding: Padding
  /// Pixels between neighbouring taps of the kernel.
  public let dilation: Int
  /// The number of groups of channels, which are convolved separately.
  public let groups: Int

  /// A layer with random weights; PyTorch's where `initializer` is `.standard`.
  ///
  /// - Precondition: `groups` divides `inputs` and `outputs`.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: (height: Int, width: Int), stride: Int = 1, padding: Padding = 0,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    require(
      inputs % groups == 0 && outputs % groups == 0,
      "Conv2d: \(groups) groups do not divide \(inputs) input and \(outputs) output channels")
    let shape: Shape = [kernelSize.height, kernelSize.width, inputs / groups, outputs]
    weight = initializer(shape, using: &generator)
    self.bias = bias ? Parameter(wrappedValue: Initializer.standardBias(of: shape, outputs, using: &generator)) : nil
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// A layer with a square kernel and that many zeros around the image.
  public convenience init(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    groups: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    self.init(
      inputs, outputs, kernelSize: (kernelSize, kernelSize), stride: stride, padding: .zeros(padding),
      dilation: dilation, groups: groups, bias: bias, initializer: initializer, using: &generator)
  }

  /// A layer with a square kernel and margins of any kind.
  public convenience init(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Padding, dilation: Int = 1,
    groups: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    self.init(
      inputs, outputs, kernelSize: (kernelSize, kernelSize), stride: stride, padding: padding, dilation: dilation,
      groups: groups, bias: bias, initializer: initializer, using: &generator)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = conv2d(
      x, weight, bias: bias?.wrappedValue, stride: stride, padding: padding, dilation: dilation, groups: groups)
    return reported(y, of: x, multiplyAdds: y.count * (weight.count / weight.shape[3]))
  }
}

/// The adjoint of a convolution, which upsamples images: PyTorch's `nn.ConvTranspose2d`.
///
/// Each side of the output is `(size - 1) stride - 2 padding + dilation (kernelSize - 1) + outputPadding + 1`.
public final class ConvTranspose2d: Layer {
  /// `[kernel height, kernel width, output channels / groups, input channels]`: the weight of the convolution whose
  /// adjoint this is.
  @Parameter public var weight: Tensor
  /// `[output channels]`, nil for none.
  public let bias: Parameter?
  /// Pixels between neighbouring windows.
  public let stride: Int
  /// Zeros around the image.
  public let padding: Int
  /// Rows and columns added at the end, where the convolution would round them away.
  public let outputPadding: Int
  /// The number of groups of channels, which are convolved separately.
  public let groups: Int
  /// Pixels between neighbouring taps of the kernel.
  public let dilation: Int

  /// A layer with random weights; PyTorch's where `initializer` is `.standard`.
  ///
  /// - Precondition: `groups` divides `inputs` and `outputs`.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: (height: Int, width: Int), stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0,
    groups: Int = 1, dilation: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    require(
      inputs % groups == 0 && outputs % groups == 0,
      "ConvTranspose2d: \(groups) groups do not divide \(inputs) input and \(outputs) output channels")
    let shape: Shape = [kernelSize.height, kernelSize.width, outputs / groups, inputs]
    weight = initializer(shape, using: &generator)
    self.bias = bias ? Parameter(wrappedValue: Initializer.standardBias(of: shape, outputs, using: &generator)) : nil
    (self.stride, self.padding, self.outputPadding) = (stride, padding, outputPadding)
    (self.groups, self.dilation) = (groups, dilation)
  }

  /// A layer with a square kernel.
  public convenience init(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0,
    groups: Int = 1, dilation: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    using generator: inout some RandomNumberGenerator
  ) {
    self.init(
      inputs, outputs, kernelSize: (kernelSize, kernelSize), stride: stride, padding: padding,
      outputPadding: outputPadding, groups: groups, dilation: dilation, bias: bias, initializer: initializer,
      using: &generator)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = convTranspose2d(
      x, weight, bias: bias?.wrappedValue, stride: stride, padding: padding, outputPadding: outputPadding,
      groups: groups, dilation: dilation)
    return reported(y, of: x, multiplyAdds: x.count * (weight.count / weight.shape[3]))
  }
}
