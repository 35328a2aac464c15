#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Channel attention from the means of neighbouring channels: a one-dimensional convolution along the channels.
///
/// Wang et al.: "ECA-Net: efficient channel attention for deep convolutional neural networks", arXiv 1910.03151.
public final class EfficientChannelAttention: Layer {
  /// `[kernel size]`, over neighbouring channels.
  @Parameter public var weight: Tensor

  /// The kernel's size is the odd number nearest above `(log₂ channels + 1) / 2`, equation 12 of the paper.
  public init(_ channels: Int, using generator: inout some RandomNumberGenerator) {
    let size = Int((log2(Double(channels)) + 1) / 2)
    let odd = max(1, size % 2 == 1 ? size : size + 1)
    weight = Initializer.standard([1, odd, 1, 1], using: &generator).reshaped(to: [odd])
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (n, channels, size) = (x.shape[0], x.shape[3], weight.count)
    let means = globalAveragePool2d(x).padded([(0, 0), (size / 2, size / 2)])
    let neighbours = Tensor.stacked((0..<size).map { means.sliced([0..<n, $0..<$0 + channels]) }, axis: 2)
    let scale = sigmoid((neighbours * weight).sum(alongAxes: [2]))
    return reported(x * scale.reshaped(to: [n, 1, 1, channels]), of: x, multiplyAdds: n * channels * size)
  }
}
