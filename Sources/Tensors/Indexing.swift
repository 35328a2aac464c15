extension Tensor {
  /// Slice `index` of the first axis, without that axis.
  public subscript(index: Int) -> Tensor { sliced(index..<index + 1, axis: 0).squeezed(at: 0) }

  /// Slices `range` of the first axis.
  public subscript(range: Range<Int>) -> Tensor { sliced(range, axis: 0) }

  /// The slices of `axis` at `indices`, in their order; an index may come more than once.
  public func gather(_ indices: [Int], axis: Int = 0) -> Tensor {
    let axis = shape.normalized(axis, "gather")
    let n = shape[axis]
    if let index = indices.first(where: { !(0..<n).contains($0) }) {
      fatalError("gather: index \(index) is out of range for shape \(shape)")
    }
    var target = shape
    target[axis] = indices.count
    let (slices, width) = (shape.dimensions[..<axis].reduce(1, *), shape.dimensions[(axis + 1)...].reduce(1, *))
    return Tensor(shape: target) { out in
      guard out.count > 0 else { return }
      let (x, y) = (pointer, out.baseAddress!)
      indices.withUnsafeBufferPointer { indices in
        let rows = indices.count
        Parallel.forEach(slices * rows, grain: Swift.max(1, elementwiseGrain / width)) { range in
          var row = range.lowerBound
          while row < range.upperBound {
            let (slice, first) = row.quotientAndRemainder(dividingBy: rows)
            let last = Swift.min(rows, first + range.upperBound - row)
            Movement.gatherRows(
              UnsafeBufferPointer(rebasing: indices[first..<last]), of: n, width: width, from: x + slice * n * width,
              to: y + row * width)
            row += last - first
          }
        }
      }
    }.recorded("gather", (self, { $0.scatterAdded(to: indices, count: n, axis: axis) }))
  }

  /// Slices of `axis` added up at `indices`: the adjoint of ``gather(_:axis:)``.
  ///
  /// - Parameters:
  ///   - indices: The index in the result of each slice.
  ///   - count: The extent of the result's axis.
  public func scatterAdded(to indices: [Int], count: Int, axis: Int = 0) -> Tensor {
    let axis = shape.normalized(axis, "scatterAdded")
    require(shape[axis] == indices.count, "scatterAdded: \(indices.count) indices for shape \(shape)")
    for index in indices {
      require((0..<count).contains(index), "scatterAdded: index \(index) is out of range for \(count) slices")
    }
    var target = shape
    target[axis] = count
    let (slices, width) = (shape.dimensions[..<axis].reduce(1, *), shape.dimensions[(axis + 1)...].reduce(1, *))
    let slice = (x: indices.count * width, y: count * width)
    let result = Tensor(shape: target) { out in
      guard out.count > 0 else { return }
      let (x, y) = (pointer, out.baseAddress!)
      // A slice is still in a cache when what belongs there is added.
      Parallel.forEach(slices, grain: Swift.max(1, elementwiseGrain / Swift.max(slice.x, slice.y))) { range in
        indices.withUnsafeBufferPointer { indices in
          for i in range {
            Movement.fill(slice.y, with: 0, y + i * slice.y)
            Movement.scatterAddRows(indices, width: width, from: x + i * slice.x, to: y + i * slice.y)
          }
        }
      }
    }
    return result.recorded("scatterAdded", (self, { $0.gather(indices, axis: axis) }))
  }

  /// Rows with a 1 at each label and 0 elsewhere: `[labels.count, classes]`.
  public static func oneHot(_ labels: [Int], classes: Int) -> Tensor {
    Tensor(shape: [labels.count, classes]) { out in
      out.update(repeating: 0)
      for (row, label) in labels.enumerated() {
        if DataFaults.check((0..<classes).contains(label), "oneHot: label \(label) is not one of \(classes) classes") {
          out[row * classes + label] = 1
        }
      }
    }
  }
}
