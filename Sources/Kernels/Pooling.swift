import CKernels

/// Windows of `size` by `size` over one image `[height, width, channels]`, and the outputs they make.
package struct ImageWindows: Sendable {
  package let height: Int
  package let width: Int
  package let channels: Int
  package let size: Int
  package let stride: Int
  package let padding: Int
  /// Whether a last window that is cut off counts.
  package let ceilMode: Bool

  package init(
    height: Int, width: Int, channels: Int, size: Int, stride: Int, padding: Int, ceilMode: Bool = false
  ) {
    (self.height, self.width, self.channels) = (height, width, channels)
    (self.size, self.stride, self.padding, self.ceilMode) = (size, stride, padding, ceilMode)
  }

  package var outputHeight: Int { outputs(height) }
  package var outputWidth: Int { outputs(width) }

  fileprivate var descriptor: en_windows {
    en_windows(
      height: height, width: width, channels: channels, size: size, stride: stride, padding: padding,
      outHeight: outputHeight, outWidth: outputWidth)
  }

  fileprivate func subsampling(_ outputChannels: Int, _ before: Int) -> en_subsampling {
    en_subsampling(
      width: width, channels: channels, stride: stride, outHeight: outputHeight, outWidth: outputWidth,
      outChannels: outputChannels, before: before)
  }

  private func outputs(_ side: Int) -> Int {
    let steps = side + 2 * padding - size
    guard ceilMode else { return steps / stride + 1 }
    let count = (steps + stride - 1) / stride + 1
    // A window that begins in the padding after the image sees nothing.
    return (count - 1) * stride >= side + padding ? count - 1 : count
  }
}

/// One image `[height, width, channels]` cut into parts, which may overlap: part i of n has the pixels from `⌊i size / n⌋` to
/// `⌈(i + 1) size / n⌉`.
package struct ImageParts: Sendable {
  fileprivate let descriptor: en_parts

  package init(height: Int, width: Int, channels: Int, outputHeight: Int, outputWidth: Int) {
    descriptor = en_parts(
      height: height, width: width, channels: channels, outHeight: outputHeight, outWidth: outputWidth)
  }
}

/// Pooling of one image, and the derivatives of it.
package enum Pooling {
  /// Writes the largest element of each window and its index in the image, the first of equals. Padding never wins.
  package static func maximum(
    _ windows: ImageWindows, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>,
    indices: UnsafeMutablePointer<Int32>
  ) {
    en_max_pool(windows.descriptor, x, y, indices)
  }

  /// Writes the largest element of each of `parts` and its index in the image, the first of equals.
  package static func maximum(
    _ parts: ImageParts, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>,
    indices: UnsafeMutablePointer<Int32>
  ) {
    en_max_parts(parts.descriptor, x, y, indices)
  }

  /// y = weight · the sum of each window; padding counts as 0.
  package static func weightedSum(
    _ windows: ImageWindows, weight: Scalar, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_window_sum(windows.descriptor, weight, x, y)
  }

  /// The adjoint of ``weightedSum(_:weight:_:_:)``: adds weight · dy to each pixel of its window. Overwrites dx.
  package static func spread(
    _ windows: ImageWindows, weight: Scalar, _ dy: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>
  ) {
    en_window_spread(windows.descriptor, weight, dy, dx)
  }

  /// y[…][outputChannels] = every `stride`-th pixel of x, its channels from `before` on, zeros around them.
  package static func subsample(
    _ windows: ImageWindows, outputChannels: Int, before: Int, _ x: UnsafePointer<Scalar>,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_subsample(windows.subsampling(outputChannels, before), x, y)
  }

  /// The adjoint of ``subsample(_:outputChannels:before:_:_:)``, added to dx.
  package static func addSubsampleBackward(
    _ windows: ImageWindows, outputChannels: Int, before: Int, _ dy: UnsafePointer<Scalar>,
    _ dx: UnsafeMutablePointer<Scalar>
  ) {
    en_subsample_adjoint(windows.subsampling(outputChannels, before), dy, dx)
  }
}
