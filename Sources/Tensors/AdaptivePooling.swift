/// The mean of each of `height` by `width` parts of an image, of any size: PyTorch's `adaptive_avg_pool2d`.
///
/// Part `i` of `n` has the pixels from `⌊i size / n⌋` to `⌈(i + 1) size / n⌉`: parts may overlap. As a
/// product with matrices, a pixel that is NaN or infinite makes NaN of other parts of its rows and columns as well.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - height: Of the output.
///   - width: Of the output.
public func adaptiveAveragePool2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
  requireParts("adaptiveAveragePool2d", x, height, width)
  return mapped(
    x, rows: areaMatrix(from: x.shape[1], to: height), columns: areaMatrix(from: x.shape[2], to: width))
}

/// The maximum of each of `height` by `width` parts of an image, which are those of ``adaptiveAveragePool2d(_:height:width:)``;
/// equals share the gradient, of which PyTorch's `adaptive_max_pool2d` gives all to the first.
public func adaptiveMaxPool2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
  requireParts("adaptiveMaxPool2d", x, height, width)
  func pooled(_ x: Tensor, _ axis: Int, _ parts: Int) -> Tensor {
    let size = x.shape[axis]
    guard parts != size else { return x }
    let maxima = (0..<parts).map { part in
      x.sliced(pixels(ofPart: part, of: parts, size: size), axis: axis)
        .max(alongAxes: [axis], keepingDimensions: true)
    }
    return .concatenated(maxima, axis: axis)
  }
  return pooled(pooled(x, 1, height), 2, width)
}

/// The pixels of a part of an axis.
func pixels(ofPart part: Int, of parts: Int, size: Int) -> Range<Int> {
  part * size / parts..<((part + 1) * size + parts - 1) / parts
}

private func requireParts(_ operation: String, _ x: Tensor, _ height: Int, _ width: Int) {
  require(
    x.rank == 4 && x.shape[1] > 0 && x.shape[2] > 0 && height > 0 && width > 0,
    "\(operation): \(height) by \(width) parts of \(x.shape), not [batch, height, width, channels] with pixels")
}
