/// The maximum of each window.
public final class MaxPool2d: Layer {
  /// The side of a window.
  public let size: Int
  /// Pixels between neighbouring windows.
  public let stride: Int
  /// Pixels added around the image.
  public let padding: Int
  /// Whether a last window that is cut off counts.
  public let ceilMode: Bool

  /// Windows of `size` by `size`, `stride` apart: by default side by side.
  public init(_ size: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false) {
    (self.size, self.stride, self.padding, self.ceilMode) = (size, stride ?? size, padding, ceilMode)
  }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(maxPool2d(x, size: size, stride: stride, padding: padding, ceilMode: ceilMode), of: x)
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
  /// Whether a last window that is cut off counts.
  public let ceilMode: Bool

  /// Windows of `size` by `size`, `stride` apart: by default side by side.
  public init(_ size: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false) {
    (self.size, self.stride, self.padding, self.ceilMode) = (size, stride ?? size, padding, ceilMode)
  }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(averagePool2d(x, size: size, stride: stride, padding: padding, ceilMode: ceilMode), of: x)
  }
}

/// The mean of each channel, from `[batch, height, width, channels]` to `[batch, channels]`.
///
/// Inputs without spatial axes pass unchanged.
public final class GlobalAveragePool: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(x.rank == 2 ? x : globalAveragePool2d(x), of: x) }
}

/// The mean of each of `height` by `width` parts of an image; see ``adaptiveAveragePool2d(_:height:width:)``.
public final class AdaptiveAveragePool2d: Layer {
  /// The height of an output.
  public let height: Int
  /// The width of an output.
  public let width: Int
  /// A layer without parameters.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(adaptiveAveragePool2d(x, height: height, width: width), of: x)
  }
}

/// The maximum of each of `height` by `width` parts of an image; see ``adaptiveMaxPool2d(_:height:width:)``.
public final class AdaptiveMaxPool2d: Layer {
  /// The height of an output.
  public let height: Int
  /// The width of an output.
  public let width: Int
  /// A layer without parameters.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(adaptiveMaxPool2d(x, height: height, width: width), of: x)
  }
}

/// Upsamples images by an integer factor.
public final class Upsample: Layer {
  /// The interpolation.
  public typealias Mode = Interpolation
  /// The factor of height and width.
  public let scale: Int
  /// The interpolation.
  public let mode: Mode

  /// Bilinear interpolation is between pixel centres, PyTorch's `align_corners=False`.
  public init(scale: Int, mode: Mode = .nearest) { (self.scale, self.mode) = (scale, mode) }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(mode == .nearest ? upsampleNearest2d(x, scale: scale) : upsampleBilinear2d(x, scale: scale), of: x)
  }
}
