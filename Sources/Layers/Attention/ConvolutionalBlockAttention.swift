/// Channel attention, then spatial attention, from means and maxima.
///
/// Woo, Park, Lee, Kweon: "CBAM: convolutional block attention module", arXiv 1807.06521, equations 2 and 3; the batch norm
/// after the spatial convolution is that of the authors' code.
public final class ConvolutionalBlockAttention: Layer {
  /// The reduction of means and maxima to fewer channels.
  public let reduce: Linear
  /// The expansion to all channels.
  public let expand: Linear
  /// The 7 by 7 convolution of each pixel's mean and maximum.
  public let spatial: Conv2d
  /// The batch norm of ``spatial``.
  public let norm: BatchNorm2d

  /// - Parameter reduction: Divides the number of channels between the two linear layers, which is at least 1.
  public init(_ channels: Int, reduction: Int = 16, using generator: inout some RandomNumberGenerator) {
    require(channels > 0 && reduction > 0, "ConvolutionalBlockAttention: \(channels) channels, reduced by \(reduction)")
    let inner = max(1, channels / reduction)
    reduce = Linear(channels, inner, using: &generator)
    expand = Linear(inner, channels, using: &generator)
    spatial = Conv2d(2, 1, kernelSize: 7, padding: 3, bias: false, using: &generator)
    norm = BatchNorm2d(1)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    func channelLogits(_ summary: Tensor) -> Tensor { expand(relu(reduce(summary))) }
    let channels = sigmoid(channelLogits(globalAveragePool2d(x)) + channelLogits(x.max(alongAxes: [1, 2])))
    let scaled = x * channels.reshaped(to: [x.shape[0], 1, 1, x.shape[3]])
    let summary = Tensor.concatenated(
      [scaled.max(alongAxes: [3], keepingDimensions: true), scaled.mean(alongAxes: [3], keepingDimensions: true)],
      axis: 3)
    return reported(scaled * sigmoid(norm(spatial(summary))), of: x)
  }
}
