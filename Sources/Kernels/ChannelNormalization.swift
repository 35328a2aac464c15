import CKernels

/// Where a ReLU after a batch norm let the gradient through.
package enum ReLUMask {
  /// Nothing follows the norm.
  case none
  /// Where its output is positive.
  case output(UnsafePointer<Scalar>)
  /// Where scale · (x - mean) + offset is positive, which is less to read than the output.
  case recomputed(scale: UnsafePointer<Scalar>, offset: UnsafePointer<Scalar>)

  fileprivate var output: UnsafePointer<Scalar>? { if case .output(let y) = self { y } else { nil } }
  fileprivate var scale: UnsafePointer<Scalar>? { if case .recomputed(let scale, _) = self { scale } else { nil } }
  fileprivate var offset: UnsafePointer<Scalar>? { if case .recomputed(_, let offset) = self { offset } else { nil } }
}

/// The kernels of batch norm, over `[rows, channels]`.
package struct ChannelNormalization: Sendable {
  private let rows: Int
  private let channels: Int

  package init(rows: Int, channels: Int) { (self.rows, self.channels) = (rows, channels) }

  /// sums[c] += Σ d and squares[c] += Σ d², d = x[row][c] - shift[c]; a shift near the mean keeps the variance accurate.
  package func addMoments(
    of x: UnsafePointer<Scalar>, shift: UnsafePointer<Scalar>, sums: UnsafeMutablePointer<Double>,
    squares: UnsafeMutablePointer<Double>
  ) {
    en_channel_moments(rows, channels, shift, x, sums, squares)
  }

  /// sums[c] += Σ dz[row][c] and products[c] += Σ dz[row][c] · (x[row][c] - mean[c]), where dz is dy masked by a ReLU.
  ///
  /// - Parameter dz: Gets the masked gradient where it is given and the mask is an output; may be dy.
  package func addGradientSums(
    of dy: UnsafePointer<Scalar>, mask: ReLUMask, x: UnsafePointer<Scalar>, mean: UnsafePointer<Scalar>,
    sums: UnsafeMutablePointer<Double>, products: UnsafeMutablePointer<Double>, dz: UnsafeMutablePointer<Scalar>?
  ) {
    en_channel_products(gradient(dy, mask, x, mean), sums, products, dz)
  }

  /// y = scale · (x - mean) + offset + residual, then ReLU if `relu`; past the caches if it `streams`.
  package func scale(
    _ x: UnsafePointer<Scalar>, mean: UnsafePointer<Scalar>, scale: UnsafePointer<Scalar>,
    offset: UnsafePointer<Scalar>, residual: UnsafePointer<Scalar>?, relu: Bool, streams: Bool,
    into y: UnsafeMutablePointer<Scalar>
  ) {
    let norm = ChannelNormDescriptor(
      rows: rows, channels: channels, mean: mean, scale: scale, offset: offset, x: x, residual: residual,
      relu: relu ? 1 : 0, streams: streams ? 1 : 0)
    en_scale_channels(norm, y)
  }

  /// dx = p · dz + q · (x - mean) + r, where dz is dy masked by a ReLU; past the caches if it `streams`.
  package func combine(
    _ dy: UnsafePointer<Scalar>, mask: ReLUMask, x: UnsafePointer<Scalar>, mean: UnsafePointer<Scalar>,
    p: UnsafePointer<Scalar>, q: UnsafePointer<Scalar>, r: UnsafePointer<Scalar>, streams: Bool,
    into dx: UnsafeMutablePointer<Scalar>
  ) {
    en_batch_norm_backward(gradient(dy, mask, x, mean), p, q, r, streams ? 1 : 0, dx)
  }

  private func gradient(
    _ dy: UnsafePointer<Scalar>, _ mask: ReLUMask, _ x: UnsafePointer<Scalar>, _ mean: UnsafePointer<Scalar>
  ) -> ChannelGradientDescriptor {
    ChannelGradientDescriptor(
      rows: rows, channels: channels, mean: mean, scale: mask.scale, offset: mask.offset, dy: dy, y: mask.output, x: x)
  }
}
