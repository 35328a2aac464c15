extension Tensor {
  /// Slice `index` of the first axis, without that axis.
  public subscript(index: Int) -> Tensor { sliced(index..<index + 1, axis: 0).squeezed(at: 0) }

  /// Slices `range` of the first axis.
  public subscript(range: Range<Int>) -> Tensor { sliced(range, axis: 0) }

  /// The slices of `axis` at `indices`, in their order; an index may come more than once.
  public func gather(_ indices: [Int], axis: Int = 0) -> Tensor {
    let axis = shape.normalized(axis, "gather")
    guard axis == 0 else { return swappingFirst(axis).gather(indices).swappingFirst(axis) }
    let n = shape[0]
    if let index = indices.first(where: { !(0..<n).contains($0) }) {
      fatalError("gather: index \(index) is out of range for shape \(shape)")
    }
    var target = shape
    target[0] = indices.count
    let size = count / Swift.max(n, 1)
    return Tensor(shape: target) { out in
      let y = out.baseAddress!
      indices.withUnsafeBufferPointer { indices in
        nonisolated(unsafe) let rows = indices
        Parallel.forEach(rows.count, grain: Swift.max(1, elementwiseGrain / Swift.max(size, 1))) { range in
          Movement.gatherRows(
            UnsafeBufferPointer(rebasing: rows[range]), of: n, width: size, from: pointer,
            to: y + range.lowerBound * size)
        }
      }
    }.recorded("gather", (self, { $0.scatterAdded(to: indices, count: n) }))
  }

  /// Slices of the first axis added up at `indices`: the adjoint of ``gather(_:axis:)``.
  ///
  /// - Parameters:
  ///   - indices: The index in the result of each slice.
  ///   - count: The extent of the result's first axis.
  public func scatterAdded(to indices: [Int], count: Int) -> Tensor {
    require(rank > 0 && shape[0] == indices.count, "scatterAdded: \(indices.count) indices for shape \(shape)")
    for index in indices {
      require((0..<count).contains(index), "scatterAdded: index \(index) is out of range for \(count) slices")
    }
    var target = shape
    target[0] = count
    let size = self.count / Swift.max(indices.count, 1)
    var result = Tensor.zeros(target)
    result.withUnsafeMutableScalars { out in
      indices.withUnsafeBufferPointer { Movement.scatterAddRows($0, width: size, from: pointer, to: out.baseAddress!) }
    }
    return result.recorded("scatterAdded", (self, { $0.gather(indices) }))
  }

  private func swappingFirst(_ axis: Int) -> Tensor {
    var order = Array(0..<rank)
    order.swapAt(0, axis)
    return permuted(order)
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
