/// The maximum of each window; the gradient goes to the first of equals. Padding is never the maximum.
///
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - stride: Pixels between windows, by default `size`.
///   - ceilMode: Whether a last window that the image cuts off counts, as PyTorch's `ceil_mode`.
public func maxPool2d(
  _ x: Tensor, size: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false
) -> Tensor {
  let windows = Windows(
    "maxPool2d", x.shape, size: size, stride: stride ?? size, padding: padding, ceilMode: ceilMode)
  let places = MaximumPlaces(in: windows.xShape, of: windows.yShape)
  return Tensor(shape: windows.yShape) { out in
    let y = out.baseAddress!
    windows.forEachImage(of: x) { image, to in
      Pooling.maximum(windows.ofImage, image, y + to, indices: places.pointer + to)
    }
  }.recorded("maxPool2d", saving: [places.tensor], (x, { places.spread($0, "maxPool2d") }))
}

/// The mean of each window; padding counts as zeros, as in PyTorch by default.
///
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - stride: Pixels between windows, by default `size`.
///   - ceilMode: Whether a last window that the padded image cuts off counts, as PyTorch's `ceil_mode`: its mean is over what is left.
public func averagePool2d(
  _ x: Tensor, size: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false
) -> Tensor {
  let windows = Windows(
    "averagePool2d", x.shape, size: size, stride: stride ?? size, padding: padding, ceilMode: ceilMode)
  if ceilMode { return windows.sums(x, weight: 1, "averagePool2d") * windows.inverseCounts }
  return windows.sums(x, weight: 1 / Scalar(size * size), "averagePool2d")
}

/// The mean of each channel: `[batch, height, width, channels]` to `[batch, channels]`.
public func globalAveragePool2d(_ x: Tensor) -> Tensor {
  require(x.rank == 4, "globalAveragePool2d: \(x.shape) is not [batch, height, width, channels]")
  return x.mean(alongAxes: [1, 2])
}

/// Windows of `size` by `size` over images.
struct Windows: Sendable {
  let images: Int
  let ofImage: ImageWindows

  init(_ operation: String, _ shape: Shape, size: Int, stride: Int, padding: Int, ceilMode: Bool = false) {
    require(shape.rank == 4, "\(operation): \(shape) is not [batch, height, width, channels]")
    require(
      size > 0 && stride > 0 && (0...size / 2).contains(padding) && shape[1] + 2 * padding >= size
        && shape[2] + 2 * padding >= size,
      "\(operation): windows of \(size), stride \(stride), padding \(padding) do not fit \(shape)")
    images = shape[0]
    ofImage = ImageWindows(
      height: shape[1], width: shape[2], channels: shape[3], size: size, stride: stride, padding: padding,
      ceilMode: ceilMode)
  }

  var channels: Int { ofImage.channels }
  var xShape: Shape { [images, ofImage.height, ofImage.width, channels] }
  var yShape: Shape { [images, ofImage.outputHeight, ofImage.outputWidth, channels] }
  /// Scalars of an image of x.
  var xSize: Int { ofImage.height * ofImage.width * channels }
  /// Scalars of an image of y.
  var ySize: Int { ofImage.outputHeight * ofImage.outputWidth * channels }

  /// One over the number of pixels of each window, padding included: `[output height, output width, 1]`.
  fileprivate var inverseCounts: Tensor {
    let (size, stride, padding) = (ofImage.size, ofImage.stride, ofImage.padding)
    func counts(_ outputs: Int, _ side: Int) -> [Int] {
      (0..<outputs).map { min($0 * stride + size, side + 2 * padding) - $0 * stride }
    }
    let columns = counts(ofImage.outputWidth, ofImage.width)
    let values = counts(ofImage.outputHeight, ofImage.height).flatMap { h in columns.map { 1 / Scalar(h * $0) } }
    return Tensor(values, shape: [ofImage.outputHeight, ofImage.outputWidth, 1])
  }

  private var grain: Int { max(1, elementwiseGrain / max(xSize, 1)) }

  /// Calls `body` with the offset of each image in arrays of the sizes of x and y.
  func forEachImage(_ body: (_ x: Int, _ y: Int) -> Void) {
    let (xSize, ySize) = (xSize, ySize)
    Parallel.sweep(images, grain: grain) { range in
      for n in range { body(n * xSize, n * ySize) }
    }
  }

  /// Calls `body` with each image of x, fusing the producer of a lazy x, and the offset of the image in y.
  func forEachImage(of x: Tensor, _ body: (_ image: UnsafePointer<Scalar>, _ y: Int) -> Void) {
    let (xSize, ySize) = (xSize, ySize)
    let source = ImageSource(x.storage).materialized(unless: xSize <= 1 << 17)
    Parallel.sweep(images, grain: grain) { range in
      let reader = ImageReader(source, pixels: ofImage.height * ofImage.width, channels: channels, together: 1)
      for n in range { body(reader.read(n..<n + 1) + n * xSize, n * ySize) }
    }
  }

  func sums(_ x: Tensor, weight: Scalar, _ name: String) -> Tensor {
    Tensor(shape: yShape) { out in
      let (x, y) = (x.pointer, out.baseAddress!)
      forEachImage { from, to in
        Pooling.weightedSum(ofImage, weight: weight, x + from, y + to)
      }
    }.recorded(name, (x, { spread($0, weight: weight, name) }))
  }

  func spread(_ dy: Tensor, weight: Scalar, _ name: String) -> Tensor {
    Tensor(shape: xShape) { out in
      let (dy, dx) = (dy.pointer, out.baseAddress!)
      forEachImage { to, from in
        Pooling.spread(ofImage, weight: weight, dy + from, dx + to)
      }
    }.recorded(name, (dy, { sums($0, weight: weight, name) }))
  }
}
