/// The margins of an image that a convolution slides over.
///
/// A number is that many zeros on every side.
public enum Padding: Sendable, Hashable, ExpressibleByIntegerLiteral {
  /// Rows of zeros above and below, columns of zeros left and right.
  case zeros(height: Int, width: Int)
  /// Rows and columns mirrored at the outer ones, which are not repeated: PyTorch's `padding_mode="reflect"`.
  case reflect(height: Int, width: Int)
  /// Zeros that leave the size as it is; where their number is odd, one more at the end. PyTorch's `padding="same"`, for a stride
  /// of 1 as there.
  case same

  /// Zeros on every side.
  public static func zeros(_ pixels: Int) -> Padding { .zeros(height: pixels, width: pixels) }
  /// The image mirrored at every side.
  public static func reflect(_ pixels: Int) -> Padding { .reflect(height: pixels, width: pixels) }
  public init(integerLiteral pixels: Int) { self = .zeros(pixels) }

  /// Rows above and below, and columns left and right.
  ///
  /// - Parameter kernel: Height and width.
  package func margins(kernel: (Int, Int), dilation: Int) -> (rows: (Int, Int), columns: (Int, Int)) {
    switch self {
    case .zeros(let height, let width), .reflect(let height, let width): return ((height, height), (width, width))
    case .same:
      func halves(_ size: Int) -> (Int, Int) {
        let total = dilation * (size - 1)
        return (total / 2, total - total / 2)
      }
      return (halves(kernel.0), halves(kernel.1))
    }
  }

  /// The zeros that are left to a convolution of `x` with a kernel of this shape, and `x` with the margins that it cannot add
  /// itself.
  func applied(to x: Tensor, _ weight: Shape, stride: Int, dilation: Int) -> (x: Tensor, zeros: Int) {
    guard x.rank == 4, weight.rank == 4 else { return (x, 0) }
    require(
      self != .same || stride == 1, "conv2d: padding .same needs a stride of 1, not \(stride); give a number of zeros")
    let (rows, columns) = margins(kernel: (weight[0], weight[1]), dilation: dilation)
    require(min(rows.0, columns.0) >= 0, "conv2d: \(self) is negative")
    let margins = [(0, 0), rows, columns, (0, 0)]
    if case .reflect = self { return (x.reflected(margins), 0) }
    let isSquare = rows.0 == rows.1 && columns.0 == columns.1 && rows.0 == columns.0
    return isSquare ? (x, rows.0) : (x.padded(margins), 0)
  }
}

/// Slides `weight` over images with margins of any kind; see ``conv2d(_:_:bias:stride:padding:dilation:groups:)``.
public func conv2d(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Padding, dilation: Int = 1,
  groups: Int = 1
) -> Tensor {
  let (x, zeros) = padding.applied(to: x, weight.shape, stride: stride, dilation: dilation)
  return conv2d(x, weight, bias: bias, stride: stride, padding: zeros, dilation: dilation, groups: groups)
}

extension Tensor {
  /// `self` with margins that mirror it at its outer elements, which are not repeated: PyTorch's `pad(mode="reflect")`.
  ///
  /// - Precondition: Each margin is less than the extent of its axis.
  public func reflected(_ margins: [(before: Int, after: Int)]) -> Tensor {
    require(margins.count == rank, "reflected: \(margins.count) margins for shape \(shape)")
    func mirror(_ axis: Int) -> AxisMap {
      let (n, margin) = (shape[axis], margins[axis])
      require(
        (0..<n).contains(margin.before) && (0..<n).contains(margin.after),
        "reflected: the margins \(margin) of axis \(axis) are negative or not less than its extent in \(shape)")
      let mirrored = (-margin.before..<n + margin.after).map { $0 < 0 ? -$0 : $0 < n ? $0 : 2 * (n - 1) - $0 }
      return AxisMap(selecting: mirrored, of: n)
    }
    var y = self
    var axes = margins.indices.filter { margins[$0] != (0, 0) }[...]
    while let axis = axes.popFirst() {
      // Neighbours together, as the rows and columns of images.
      let next = axes.first == axis + 1 ? axes.popFirst() : nil
      y = y.resampled("reflected", axis, rows: mirror(axis), columns: next.map(mirror))
    }
    return y
  }
}

extension Padding: CustomStringConvertible {
  public var description: String {
    func pixels(_ height: Int, _ width: Int) -> String {
      height == width ? "\(height)" : "height: \(height), width: \(width)"
    }
    switch self {
    case .zeros(let height, let width):
      return height == width ? "\(height)" : ".zeros(\(pixels(height, width)))"
    case .reflect(let height, let width): return ".reflect(\(pixels(height, width)))"
    case .same: return ".same"
    }
  }
}
