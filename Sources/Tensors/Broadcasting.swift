extension Tensor {
  /// `self` repeated along new leading axes and along axes of extent 1 until it has `target`'s shape, by NumPy's rules.
  public func broadcast(to target: Shape) -> Tensor {
    guard shape != target else { return self }
    require(shape.broadcast(with: target) == target, "broadcast: shape \(shape) does not broadcast to \(target)")
    return read(target, strides: broadcastStrides(to: target)).recorded("broadcast", (self, { $0 }))
  }

  /// The sum over the axes along which `target` was broadcast to `shape`; the adjoint of `broadcast(to:)`.
  package func summed(to target: Shape) -> Tensor {
    guard shape != target else { return self }
    let extra = rank - target.rank
    require(
      extra >= 0 && target.broadcast(with: shape) == shape, "gradient: shape \(shape) does not sum to \(target)")
    let axes = (0..<rank).filter { $0 < extra || target[$0 - extra] != shape[$0] }
    return sum(alongAxes: axes, keepingDimensions: true).reshaped(to: target)
  }

  /// The strides of `self` for each axis of `target`: 0 where it is repeated.
  func broadcastStrides(to target: Shape) -> [Int] {
    let extra = target.rank - rank
    return (0..<target.rank).map { axis in
      axis < extra || shape.dimensions[axis - extra] == 1 ? 0 : shape.strides[axis - extra]
    }
  }
}

/// Applies `function` to the elements of `a` and `b`, broadcast against each other; unrecorded.
func elementwise(_ operation: String, _ a: Tensor, _ b: Tensor, _ function: BinaryFunction) -> Tensor {
  guard let shape = a.shape.broadcast(with: b.shape) else {
    fatalError("\(operation): shapes \(a.shape) and \(b.shape) do not broadcast")
  }
  // Adjacent axes that are repeated alike are merged; the kernel takes two axes, rows and columns.
  let (aStrides, bStrides) = (a.broadcastStrides(to: shape), b.broadcastStrides(to: shape))
  var groups: [(extent: Int, aRepeats: Bool, bRepeats: Bool)] = []
  for axis in 0..<shape.rank where shape.dimensions[axis] != 1 {
    let (aRepeats, bRepeats) = (aStrides[axis] == 0, bStrides[axis] == 0)
    if let last = groups.last, last.aRepeats == aRepeats, last.bRepeats == bRepeats {
      groups[groups.count - 1].extent *= shape.dimensions[axis]
    } else {
      groups.append((shape.dimensions[axis], aRepeats, bRepeats))
    }
  }
  guard groups.count <= 3 else {
    return elementwise(
      operation, a.detached.broadcast(to: shape), b.detached.broadcast(to: shape), function)
  }
  let once = (extent: 1, aRepeats: true, bRepeats: true)
  let columns = groups.popLast() ?? (extent: 1, aRepeats: false, bRepeats: false)
  let (rows, slices) = (groups.popLast() ?? once, groups.popLast() ?? once)
  let (aStep, bStep) = (columns.aRepeats ? 0 : 1, columns.bRepeats ? 0 : 1)
  // From row to row and from slice to slice: what an operand has of a row or a slice.
  func steps(_ columnsRepeat: Bool, _ rowsRepeat: Bool, _ slicesRepeat: Bool) -> (row: Int, slice: Int) {
    let width = columnsRepeat ? 1 : columns.extent
    return (rowsRepeat ? 0 : width, slicesRepeat ? 0 : rowsRepeat ? width : rows.extent * width)
  }
  let aSteps = steps(columns.aRepeats, rows.aRepeats, slices.aRepeats)
  let bSteps = steps(columns.bRepeats, rows.bRepeats, slices.bRepeats)
  return Tensor(shape: shape) { out in
    let (a, b, y, streams) = (a.pointer, b.pointer, out.baseAddress!, Movement.streams(out.count))
    if rows.extent * slices.extent == 1 {
      Parallel.sweep(columns.extent, grain: elementwiseGrain) { range in
        function(
          rows: 1, columns: range.count, streams: streams, a + range.lowerBound * aStep, (0, aStep),
          b + range.lowerBound * bStep, (0, bStep), y + range.lowerBound)
      }
      return
    }
    Parallel.sweep(slices.extent * rows.extent, grain: max(1, elementwiseGrain / max(columns.extent, 1))) { range in
      var first = range.lowerBound
      while first < range.upperBound {
        let (slice, row) = first.quotientAndRemainder(dividingBy: rows.extent)
        let count = min(rows.extent - row, range.upperBound - first)
        function(
          rows: count, columns: columns.extent, streams: streams, a + slice * aSteps.slice + row * aSteps.row,
          (aSteps.row, aStep), b + slice * bSteps.slice + row * bSteps.row, (bSteps.row, bStep),
          y + first * columns.extent)
        first += count
      }
    }
  }
}

/// Applies `function` to the elements of `x`; unrecorded.
func elementwise(_ x: Tensor, _ function: UnaryFunction) -> Tensor {
  Tensor(shape: x.shape) { out in
    let (x, y, streams) = (x.pointer, out.baseAddress!, Movement.streams(out.count))
    Parallel.sweep(out.count, grain: elementwiseGrain) { range in
      function(range.count, streams: streams, x + range.lowerBound, y + range.lowerBound)
    }
  }
}

/// Elements below which another thread costs more than it saves.
let elementwiseGrain = 1 << 14
