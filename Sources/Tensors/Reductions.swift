extension Tensor {
  /// The sum over `axes`, or over all of them.
  ///
  /// - Parameter axes: Negative ones count from the end.
  public func sum(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let shape = shape
    let kept = keptShape(without: axes, "sum")
    return reduced(along: axes, "sum") { blocked($0, $1, Reductions.sum, combine: Reductions.sum) }.reshapedStorage(
      to: keepingDimensions ? kept : droppedShape(without: axes, "sum")
    ).recorded("sum", (self, { $0.reshaped(to: kept).broadcast(to: shape) }))
  }

  /// The sum of the squares over `axes`, or over all of them, which keep their extent of 1; unrecorded.
  func sumOfSquares(alongAxes axes: [Int]?) -> Tensor {
    var isFirst = true
    return reduced(along: axes, "norm") { x, axes in
      defer { isFirst = false }
      return isFirst
        ? blocked(x, axes, Reductions.sumOfSquares, combine: Reductions.sum)
        : blocked(x, axes, Reductions.sum, combine: Reductions.sum)
    }.reshapedStorage(to: keptShape(without: axes, "norm"))
  }

  /// The mean over `axes`, or over all of them.
  ///
  /// - Precondition: There is an element to take the mean of. Of none, PyTorch's is NaN, which says less; in a training loop that of
  ///   an empty batch is an error with the batch's number.
  public func mean(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let sum = sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    guard DataFaults.check(count > 0 || sum.count == 0, "mean: nothing to take the mean of in shape \(shape)") else {
      return sum
    }
    // Divided, so that the mean of equal numbers is that number.
    return sum / Scalar(count / Swift.max(sum.count, 1))
  }

  /// The mean squared distance from the mean over `axes`, or over all of them.
  ///
  /// - Parameter correction: Subtracted from the number of elements in the divisor: 1 for the unbiased estimate. Where nothing
  ///   is left, the variance is NaN or infinite.
  public func variance(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false, correction: Int = 0) -> Tensor {
    let squares = square(self - mean(alongAxes: axes, keepingDimensions: true))
    let sum = squares.sum(alongAxes: axes, keepingDimensions: keepingDimensions)
    return sum / Scalar(Swift.max(0, count / Swift.max(sum.count, 1) - correction))
  }

  /// The largest element along `axes`, or of all; equals share the gradient.
  public func max(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    extreme("max", .largest, axes, keepingDimensions)
  }

  /// The smallest element along `axes`, or of all; equals share the gradient.
  public func min(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    extreme("min", .smallest, axes, keepingDimensions)
  }

  private func extreme(
    _ name: String, _ extreme: Reductions.Extreme, _ axes: [Int]?, _ keepingDimensions: Bool
  ) -> Tensor {
    let x = self
    let kept = keptShape(without: axes, name)
    let y = reduced(along: axes, name) { extremes(of: $0, $1, extreme, name) }
    return y.reshapedStorage(to: keepingDimensions ? kept : droppedShape(without: axes, name)).recorded(
      name, saving: [x],
      (
        x,
        { dy in
          let winners = x.detached .== y.reshapedStorage(to: kept)
          return winners * (dy.reshaped(to: kept) / winners.sum(alongAxes: axes, keepingDimensions: true))
        }
      ))
  }

  /// The product over `axes`, or over all of them, 1 for no elements. The gradient is right where elements are 0 too.
  public func product(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let axes = normalizedAxes(axes, "product")
    let others = (0..<rank).filter { !axes.contains($0) }
    func extent(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * shape[$1] } }
    let rows = permuted(others + axes).reshaped(to: Shape([extent(others), extent(axes)]))
    let n = rows.shape[1]
    let value = Tensor(shape: [rows.shape[0], 1]) { out in
      let (x, y) = (rows.pointer, out.baseAddress!)
      Parallel.forEach(out.count, grain: Swift.max(1, elementwiseGrain / Swift.max(n, 1))) { range in
        Reductions.product(rows: range.count, columns: n, x + range.lowerBound * n, y + range.lowerBound)
      }
    }
    return value.recorded("product", saving: [rows], (rows, { $0 * rows.productsOfOthers() }))
      .reshaped(to: keepingDimensions ? keptShape(without: axes, "product") : droppedShape(without: axes, "product"))
  }

  /// For each element of a matrix the product of the others in its row.
  private func productsOfOthers() -> Tensor {
    let (rows, n) = (shape[0], shape[1])
    guard isTracked else {
      return Tensor(shape: shape) { out in
        let (x, y) = (pointer, out.baseAddress!)
        Parallel.forEach(rows, grain: Swift.max(1, elementwiseGrain / Swift.max(n, 1))) { range in
          let first = range.lowerBound * n
          Reductions.productsOfOthers(rows: range.count, columns: n, x + first, y + first)
        }
      }
    }
    // A row for each element, with a 1 instead of it: n² numbers, only for gradients of gradients.
    return Tensor.where(.oneHot(Array(0..<n), classes: n), 1, unsqueezed(at: 1)).product(alongAxes: [2])
  }

  /// `log Σ exp(x)` over `axes`, or over all of them, stable for any `x`.
  public func logSumExp(alongAxes axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let reduced = normalizedAxes(axes, "logSumExp")
    let n = reduced.reduce(1) { $0 * shape[$1] }
    let y: Tensor
    if n > 0, count > 0, reduced == Array(rank - reduced.count..<rank) {
      y = logSumExpOfRows(reshaped(to: [count / n, n])).reshaped(to: keptShape(without: axes, "logSumExp"))
    } else {
      let top = shift(alongAxes: axes)
      y = log(exp(self - top).sum(alongAxes: axes, keepingDimensions: true)) + top
    }
    return keepingDimensions ? y : y.reshaped(to: droppedShape(without: axes, "logSumExp"))
  }

  /// The largest elements, by which an exponent is shifted; finite, as the shift of a row of -∞ by -∞ would be NaN.
  func shift(alongAxes axes: [Int]?) -> Tensor {
    detached.max(alongAxes: axes, keepingDimensions: true).clamped(to: -maximumScalar...maximumScalar)
  }

  /// The index of the largest element along `axis`, the first of equals, for the remaining axes in row-major order.
  public func argmax(axis: Int = -1) -> [Int] { arg(.largest, axis, "argmax") }

  /// The index of the smallest element along `axis`, the first of equals, for the remaining axes in row-major order.
  public func argmin(axis: Int = -1) -> [Int] { arg(.smallest, axis, "argmin") }

  private func arg(_ extreme: Reductions.Extreme, _ axis: Int, _ name: String) -> [Int] {
    let axes = shape.reduced(at: axis, name)
    let values = extremes(of: self, axes, extreme, name)
    let (n, inner) = (axes.count, axes.inner)
    return [Int](unsafeUninitializedCapacity: values.count) { indices, count in
      let (x, y, start) = (pointer, values.pointer, indices.baseAddress)
      Parallel.forEach(axes.outer, grain: Swift.max(1, elementwiseGrain / Swift.max(n * inner, 1))) { range in
        let (first, place) = (range.lowerBound * n * inner, range.lowerBound * inner)
        Reductions.places(of: y + place, axes.withOuter(range.count), x + first, start! + place)
      }
      count = values.count
    }
  }

  /// The cumulative sums along `axis`.
  public func cumulativeSum(axis: Int = -1) -> Tensor {
    cumulative(axis, .forward)
  }

  private func cumulative(_ axis: Int, _ direction: Reductions.Direction) -> Tensor {
    let axes = shape.reduced(at: axis, "cumulativeSum")
    return Tensor(shape: shape) { out in
      Reductions.cumulativeSum(axes, direction, pointer, out.baseAddress!)
    }.recorded("cumulativeSum", (self, { $0.cumulative(axis, direction == .forward ? .backward : .forward) }))
  }
}

private let maximumScalar = Scalar.greatestFiniteMagnitude

// MARK: Axes

extension Shape {
  /// The products of the extents before `axis`, along it, and after it.
  func reduced(at axis: Int, _ operation: String) -> ReducedAxes {
    let axis = normalized(axis, operation)
    return ReducedAxes(
      outer: dimensions[..<axis].reduce(1, *), count: dimensions[axis], inner: dimensions[(axis + 1)...].reduce(1, *))
  }
}

extension Tensor {
  func normalizedAxes(_ axes: [Int]?, _ operation: String) -> [Int] {
    guard let axes else { return Array(0..<rank) }
    let normalized = Set(axes.map { shape.normalized($0, operation) })
    require(normalized.count == axes.count, "\(operation): axes \(axes) name an axis of \(shape) twice")
    return normalized.sorted()
  }

  fileprivate func keptShape(without axes: [Int]?, _ operation: String) -> Shape {
    var kept = shape
    for axis in normalizedAxes(axes, operation) { kept[axis] = 1 }
    return kept
  }

  fileprivate func droppedShape(without axes: [Int]?, _ operation: String) -> Shape {
    let axes = Set(normalizedAxes(axes, operation))
    return Shape((0..<rank).filter { !axes.contains($0) }.map { shape[$0] })
  }

  /// The same storage in another shape, unrecorded.
  func reshapedStorage(to shape: Shape) -> Tensor { Tensor(storage: storage, shape: shape) }

  /// Applies `kernel` to each run of neighbouring axes among `axes`, the last one first.
  fileprivate func reduced(
    along axes: [Int]?, _ operation: String, _ kernel: (_ x: Tensor, _ axes: ReducedAxes) -> Tensor
  ) -> Tensor {
    var result = detached
    var dimensions = shape.dimensions
    var rest = normalizedAxes(axes, operation)
    while let last = rest.popLast() {
      var first = last
      while rest.last == first - 1 { first = rest.removeLast() }
      result = kernel(
        result,
        ReducedAxes(
          outer: dimensions[..<first].reduce(1, *), count: dimensions[first...last].reduce(1, *),
          inner: dimensions[(last + 1)...].reduce(1, *)))
      for axis in first...last { dimensions[axis] = 1 }
    }
    return result
  }
}

// MARK: Kernels in parallel

/// Applies `kernel`, and `combine` to what it made of the parts of an axis.
private func blocked(
  _ x: Tensor, _ axes: ReducedAxes, _ kernel: BlockedKernel, combine: BlockedKernel
) -> Tensor {
  let (outer, n, inner) = (axes.outer, axes.count, axes.inner)
  // Few long rows are cut into parts whose number depends on the shape alone, so that the result does not depend on threads.
  let parts = outer >= 64 ? 1 : max(1, min(64, n / 8, n * inner / (1 << 15)))
  let partial = Tensor(shape: [parts, outer, inner]) { out in
    guard out.count > 0 else { return }
    let (x, y) = (x.pointer, out.baseAddress!)
    if parts > 1 {
      Parallel.sweep(parts) { range in
        for part in range {
          kernel(axes, n * part / parts..<n * (part + 1) / parts, x, y + part * outer * inner)
        }
      }
    } else {
      Parallel.forEach(outer, grain: max(1, elementwiseGrain / max(n * inner, 1))) { range in
        kernel(axes.withOuter(range.count), 0..<n, x + range.lowerBound * n * inner, y + range.lowerBound * inner)
      }
    }
  }
  guard parts > 1 else { return partial }
  return Tensor(shape: [outer, inner]) { out in
    combine(
      ReducedAxes(outer: 1, count: parts, inner: outer * inner), 0..<parts, partial.pointer, out.baseAddress!)
  }
}

private typealias BlockedKernel = (
  _ axes: ReducedAxes, _ range: Range<Int>, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
) -> Void

private func extremes(
  of x: Tensor, _ axes: ReducedAxes, _ extreme: Reductions.Extreme, _ operation: String
) -> Tensor {
  require(
    axes.count > 0 || axes.outer * axes.inner == 0, "\(operation): nothing to choose from in shape \(x.shape)")
  let kernel: BlockedKernel = { Reductions.extreme(extreme, $0, over: $1, $2, $3) }
  return blocked(x, axes, kernel, combine: kernel)
}
