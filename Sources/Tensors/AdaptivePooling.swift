/// The mean of each of `height` by `width` parts of an image, of any size: PyTorch's `adaptive_avg_pool2d`.
///
/// Part `i` of `n` has the pixels from `⌊i size / n⌋` to `⌈(i + 1) size / n⌉`: parts may overlap.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - height: Of the output.
///   - width: Of the output.
public func adaptiveAveragePool2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
  requireParts("adaptiveAveragePool2d", x, height, width)
  return x.resampled(
    "adaptiveAveragePool2d", 1, rows: .area(from: x.shape[1], to: height),
    columns: .area(from: x.shape[2], to: width))
}

/// The maximum of each of `height` by `width` parts of an image, which are those of ``adaptiveAveragePool2d(_:height:width:)``;
/// the gradient goes to the first of equals, as that of PyTorch's `adaptive_max_pool2d`.
public func adaptiveMaxPool2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
  requireParts("adaptiveMaxPool2d", x, height, width)
  let (images, channels) = (x.shape[0], x.shape[3])
  let places = MaximumPlaces(in: x.shape, of: [images, height, width, channels])
  let parts = ImageParts(
    height: x.shape[1], width: x.shape[2], channels: channels, outputHeight: height, outputWidth: width)
  return Tensor(shape: places.yShape) { out in
    let (x, y) = (x.pointer, out.baseAddress!)
    places.forEachImage { from, to in Pooling.maximum(parts, x + from, y + to, indices: places.pointer + to) }
  }.recorded("adaptiveMaxPool2d", saving: [places.tensor], (x, { places.spread($0, "adaptiveMaxPool2d") }))
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
