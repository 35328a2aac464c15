// Operations that move elements and compute nothing: each is linear, and its derivative is its inverse or adjoint.
extension Tensor {
  /// The same elements in row-major order under another shape; one dimension may be -1, which is inferred from the others.
  ///
  /// Complexity: O(1); the storage is shared.
  public func reshaped(to dimensions: [Int]) -> Tensor {
    guard let open = dimensions.firstIndex(of: -1) else { return reshaped(to: Shape(dimensions)) }
    let others = dimensions.enumerated().reduce(1) { $1.offset == open ? $0 : $0 * $1.element }
    require(others > 0 && count % others == 0, "reshaped: shape \(shape) does not fit \(dimensions)")
    var dimensions = dimensions
    dimensions[open] = count / others
    return reshaped(to: Shape(dimensions))
  }

  /// The same elements in row-major order under another shape. Complexity: O(1); the storage is shared.
  @_disfavoredOverload
  public func reshaped(to target: Shape) -> Tensor {
    guard shape != target else { return self }
    require(count == target.count, "reshaped: shape \(shape) does not fit \(target)")
    // A lazy tensor is computed in rows along its last axis, by which convolutions and pooling read it.
    if target.dimensions.last != shape.dimensions.last { _ = pointer }
    let source = shape
    return reshapedStorage(to: target).recorded("reshaped", (self, { $0.reshaped(to: source) }))
  }

  /// The axes in another order: axis `i` of the result is `axes[i]` of `self`.
  public func permuted(_ axes: [Int]) -> Tensor {
    let axes = axes.map { shape.normalized($0, "permuted") }
    require(
      axes.count == rank && Set(axes).count == rank, "permuted: \(axes) is not an order of the axes of shape \(shape)")
    guard axes != Array(0..<rank) else { return self }
    let strides = shape.strides
    let inverse = axes.indices.sorted { axes[$0] < axes[$1] }
    return read(Shape(axes.map { shape[$0] }), strides: axes.map { strides[$0] }).recorded(
      "permuted", (self, { $0.permuted(inverse) }))
  }

  /// The last two axes exchanged.
  public func transposed() -> Tensor {
    require(rank >= 2, "transposed: shape \(shape) has fewer than two axes")
    return permuted(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The elements in `ranges`, one for each axis.
  ///
  /// Whole elements of the leading axes share their storage, from 16 KiB on: they cost O(1), and keep the memory of all of `self`.
  public func sliced(_ ranges: [Range<Int>]) -> Tensor {
    require(ranges.count == rank, "sliced: \(ranges.count) ranges for shape \(shape)")
    for (axis, range) in ranges.enumerated() {
      require(
        range.lowerBound >= 0 && range.upperBound <= shape[axis],
        "sliced: \(range) is not inside axis \(axis) of \(shape)")
    }
    let padding = zip(ranges, shape.dimensions).map { ($0.lowerBound, $1 - $0.upperBound) }
    let strides = shape.strides
    let offset = zip(ranges, strides).reduce(0) { $0 + $1.0.lowerBound * $1.1 }
    return part(Shape(ranges.map(\.count)), strides: strides, offset: offset).recorded(
      "sliced", (self, { $0.padded(padding) }))
  }

  /// A tensor of shape `target` read from `self` at `offset` with its own `strides`: shared where that is one run; unrecorded.
  private func part(_ target: Shape, strides: [Int], offset: Int) -> Tensor {
    let range = offset..<offset + target.count
    let isRun = zip(target.strides, strides).enumerated().allSatisfy { target[$0] == 1 || $1.0 == $1.1 }
    guard isRun, Storage.isWorthSharing(range.count) else { return read(target, strides: strides, offset: offset) }
    return Tensor(storage: Storage(sharing: range, of: storage), shape: target)
  }

  /// The elements in `range` along `axis`.
  public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    var ranges = shape.dimensions.map { 0..<$0 }
    ranges[shape.normalized(axis, "sliced")] = range
    return sliced(ranges)
  }

  /// `self` with margins of `value`, `before` and `after` for each axis.
  public func padded(_ margins: [(before: Int, after: Int)], with value: Scalar = 0) -> Tensor {
    require(margins.count == rank, "padded: \(margins.count) margins for shape \(shape)")
    require(margins.allSatisfy { $0 >= 0 && $1 >= 0 }, "padded: negative margins \(margins)")
    let target = Shape(zip(shape.dimensions, margins).map { $0 + $1.before + $1.after })
    let inner = zip(shape.dimensions, margins).map { $1.before..<$1.before + $0 }
    let offset = zip(margins, target.strides).reduce(0) { $0 + $1.0.before * $1.1 }
    var result = Tensor(repeating: value, shape: target)
    result.write(self, strides: target.strides, offset: offset)
    return result.recorded("padded", (self, { $0.sliced(inner) }))
  }

  /// The elements in reverse order along `axes`.
  public func flipped(alongAxes axes: [Int]) -> Tensor {
    let flips = Set(normalizedAxes(axes, "flipped"))
    let strides = shape.strides
    let offset = flips.reduce(0) { $0 + Swift.max(shape[$1] - 1, 0) * strides[$1] }
    return read(shape, strides: strides.enumerated().map { flips.contains($0) ? -$1 : $1 }, offset: offset).recorded(
      "flipped", (self, { $0.flipped(alongAxes: axes) }))
  }

  /// A new axis of extent 1 before `axis`; negative ones count from the end of the result.
  public func unsqueezed(at axis: Int) -> Tensor {
    require((-rank - 1...rank).contains(axis), "unsqueezed: axis \(axis) is out of range for shape \(shape)")
    var dimensions = shape.dimensions
    dimensions.insert(1, at: axis < 0 ? axis + rank + 1 : axis)
    return reshaped(to: Shape(dimensions))
  }

  /// Without `axis`, of extent 1.
  public func squeezed(at axis: Int) -> Tensor {
    require(shape[axis] == 1, "squeezed: axis \(axis) of shape \(shape) is not of extent 1")
    var dimensions = shape.dimensions
    dimensions.remove(at: shape.normalized(axis))
    return reshaped(to: Shape(dimensions))
  }

  /// `tensors` one after another along `axis`.
  public static func concatenated(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    require(!tensors.isEmpty, "concatenated: no tensors")
    let axis = tensors[0].shape.normalized(axis, "concatenated")
    var target = tensors[0].shape
    for tensor in tensors.dropFirst() {
      var same = tensor.shape
      require(same.rank == target.rank, "concatenated: shapes \(tensors.map(\.shape)) differ in rank")
      target[axis] += same[axis]
      same[axis] = target[axis]
      require(same == target, "concatenated: shapes \(tensors.map(\.shape)) differ in more than axis \(axis)")
    }
    let shapes = tensors.map(\.shape)
    return joined(tensors, axis, target).recorded("concatenated", from: tensors) { dy, needed in
      if axis > 0, !needed.contains(false), GradientTape.active.isEmpty { return dy.parts(shapes, axis) }
      var start = 0
      return zip(shapes, needed).map { shape, isNeeded in
        defer { start += shape[axis] }
        return isNeeded ? dy.sliced(start..<start + shape[axis], axis: axis) : nil
      }
    }
  }

  /// `tensors` of one shape side by side along a new `axis`.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    concatenated(tensors.map { $0.unsqueezed(at: axis) }, axis: axis)
  }

  /// Parts of `sizes` along `axis`, which cover it. Those of the last axis are copied at their first use.
  public func split(_ sizes: [Int], axis: Int = 0) -> [Tensor] {
    require(sizes.reduce(0, +) == shape[axis], "split: sizes \(sizes) do not sum to axis \(axis) of shape \(shape)")
    var start = 0
    return sizes.map { size in
      defer { start += size }
      let range = start..<start + size
      return shape.normalized(axis) == rank - 1 && size > 0 ? columns(range) : sliced(range, axis: axis)
    }
  }

  /// The elements in `range` along the last axis, read at their first use: of parts of which one is used, the others cost nothing.
  private func columns(_ range: Range<Int>) -> Tensor {
    let width = shape[-1]
    var target = shape
    target[-1] = range.count
    _ = pointer
    let x = detached
    return Tensor(
      shape: target,
      producingRows: { rows, y, streams in
        Movement.readStrided(
          [rows.count, range.count], strides: [width, 1], streams: streams,
          from: x.pointer + rows.lowerBound * width + range.lowerBound, to: y)
      }
    ).recorded(
      "sliced",
      (
        self,
        { dy in
          dy.padded((1..<dy.rank).map { _ in (0, 0) } + [(range.lowerBound, width - range.upperBound)])
        }
      ))
  }

  // MARK: Kernels

  /// A tensor of shape `target` read from `self` at `offset` with `strides`; unrecorded.
  func read(_ target: Shape, strides: [Int], offset: Int = 0) -> Tensor {
    guard target.count > 0 else { return Tensor(repeating: 0, shape: target) }
    let (layout, streams) = (StridedLayout(target, strides), Movement.streams(target.count))
    return Tensor(shape: target) { out in
      let (x, y) = (pointer + offset, out.baseAddress!)
      layout.forEachPart { dimensions, from, start in
        Movement.readStrided(dimensions, strides: layout.strides, streams: streams, from: x + from, to: y + start)
      }
    }
  }

  /// `tensors` one after another along `axis`, of shape `target`; unrecorded.
  private static func joined(_ tensors: [Tensor], _ axis: Int, _ target: Shape) -> Tensor {
    let rows = target.dimensions[..<axis].reduce(1, *)
    return Tensor(shape: target) { out in
      guard out.count > 0 else { return }
      let (y, width) = (out.baseAddress!, out.count / rows)
      let parts = tensors.filter { $0.count > 0 }.map { (start: $0.pointer, width: $0.count / rows) }
      let streams = Movement.streams(out.count)
      if rows > 1 {
        Parallel.forEach(rows, grain: Swift.max(1, elementwiseGrain / width)) { range in
          let first = range.lowerBound
          Movement.joinRows(
            range.count, of: parts.map { ($0.start + first * $0.width, $0.width) }, streams: streams,
            to: y + first * width)
        }
      } else {
        var start = 0
        for part in parts {
          let to = y + start
          Parallel.forEach(part.width, grain: elementwiseGrain) { range in
            Movement.readStrided(
              [range.count], strides: [1], streams: streams, from: part.start + range.lowerBound,
              to: to + range.lowerBound)
          }
          start += part.width
        }
      }
    }
  }

  /// What tensors of `shapes` have of `self`, their concatenation along `axis`; unrecorded.
  private func parts(_ shapes: [Shape], _ axis: Int) -> [Tensor] {
    let parts = shapes.map { Tensor(storage: Storage(count: $0.count), shape: $0) }
    guard count > 0 else { return parts }
    let rows = shape.dimensions[..<axis].reduce(1, *)
    let (x, width, streams) = (pointer, count / rows, Movement.streams(count))
    let starts = parts.map { (start: $0.storage.pointer, width: $0.count / rows) }
    Parallel.forEach(rows, grain: Swift.max(1, elementwiseGrain / width)) { range in
      let first = range.lowerBound
      Movement.splitRows(
        range.count, from: x + first * width, into: starts.map { ($0.start + first * $0.width, $0.width) },
        streams: streams)
    }
    return parts
  }

  /// Writes `part` at `offset` with `strides`; unrecorded.
  fileprivate mutating func write(_ part: Tensor, strides: [Int], offset: Int) {
    guard part.count > 0 else { return }
    let layout = StridedLayout(part.shape, strides)
    withUnsafeMutableScalars { out in
      let (x, y) = (part.pointer, out.baseAddress! + offset)
      layout.forEachPart { dimensions, to, start in
        Movement.writeStrided(dimensions, strides: layout.strides, from: x + start, to: y + to)
      }
    }
  }
}

/// Extents and strides with contiguous axes merged.
private struct StridedLayout {
  private(set) var dimensions: [Int] = []
  private(set) var strides: [Int] = []

  init(_ shape: Shape, _ allStrides: [Int]) {
    for (extent, stride) in zip(shape.dimensions, allStrides) where extent != 1 {
      if let last = strides.last, last == stride * extent {
        dimensions[dimensions.count - 1] *= extent
        strides[strides.count - 1] = stride
      } else {
        dimensions.append(extent)
        strides.append(stride)
      }
    }
    if dimensions.isEmpty { (dimensions, strides) = ([1], [1]) }
  }

  /// Splits the first axis over threads: `body` gets extents, the strided offset and the row-major offset of a part.
  func forEachPart(_ body: (_ dimensions: [Int], _ strided: Int, _ ordered: Int) -> Void) {
    let size = dimensions.dropFirst().reduce(1, *)
    Parallel.forEach(dimensions[0], grain: max(1, elementwiseGrain / size)) { range in
      body([range.count] + dimensions.dropFirst(), range.lowerBound * strides[0], range.lowerBound * size)
    }
  }
}
