/// The maximum of each window.
public final class MaxPool2d: Layer {
  /// The side of a window.
  public let size: Int
  /// Pixels between neighbouring windows.
  public let stride: Int
  /// Pixels added around the image.
  public let padding: Int

  /// Windows of `size` by `size`, `stride` apart: by default side by side.
  public init(_ size: Int, stride: Int? = nil, padding: Int = 0) {
    (self.size, self.stride, self.padding) = (size, stride ?? size, padding)
  }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(maxPool2d(x, size: size, stride: stride, padding: padding))
  }
}

/// The mean of each window; padding counts as zeros, as in PyTorch by default.
public final class AveragePool2d: Layer {
  /// The side of a window.
  public let size: Int
  /// Pixels between neighbouring windows.
  public let stride: Int
  /// Pixels added around the image.
  public let padding: Int

  /// Windows of `size` by `size`, `stride` apart: by default side by side.
  public init(_ size: Int, stride: Int? = nil, padding: Int = 0) {
    (self.size, self.stride, self.padding) = (size, stride ?? size, padding)
  }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(averagePool2d(x, size: size, stride: stride, padding: padding))
  }
}

/// The mean of each channel, from `[batch, height, width, channels]` to `[batch, channels]`.
///
/// Inputs without spatial axes pass unchanged.
public final class GlobalAveragePool: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(x.rank == 2 ? x : globalAveragePool2d(x)) }
}

/// Upsamples images by an integer factor.
public final class Upsample: Layer {
  /// The interpolation.
  public enum Mode: String, Sendable, Codable { case nearest, bilinear }
  /// The factor of height and width.
  public let scale: Int
  /// The interpolation.
  public let mode: Mode

  /// Bilinear interpolation is between pixel centres, PyTorch's `align_corners=False`.
  public init(scale: Int, mode: Mode = .nearest) { (self.scale, self.mode) = (scale, mode) }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(mode == .nearest ? upsampleNearest2d(x, scale: scale) : upsampleBilinear2d(x, scale: scale))
  }
}
