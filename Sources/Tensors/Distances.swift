import Kernels

/// What a loss takes of the difference of two elements.
package enum Distance: Sendable {
  case square
  case absolute
  /// `d²/2` where `|d|` is below the threshold δ, `δ (|d| - δ/2)` elsewhere.
  case huber(threshold: Scalar)

  fileprivate var name: String {
    switch self {
    case .square: "meanSquaredError"
    case .absolute: "meanAbsoluteError"
    case .huber: "huber"
    }
  }

  /// Sums of the distances of the elements of each block.
  fileprivate func sum(
    _ count: Int, block: Int, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>,
    into sums: UnsafeMutablePointer<Scalar>
  ) {
    switch self {
    case .square: Reductions.sumDistances(squared: true, count, width: block, x, y, sums)
    case .absolute: Reductions.sumDistances(squared: false, count, width: block, x, y, sums)
    case .huber(let threshold):
      withUnsafeTemporaryAllocation(of: Scalar.self, capacity: block) { buffer in
        let d = buffer.baseAddress!
        for (index, start) in stride(from: 0, to: count, by: block).enumerated() {
          let count = min(block, count - start)
          BinaryFunction.subtract(count, x + start, y + start, d)
          UnaryFunction.huber(threshold: threshold)(count, d, d)
          Reductions.sum(ReducedAxes(outer: 1, count: count, inner: 1), over: 0..<count, d, sums + index)
        }
      }
    }
  }

  /// The derivative, a multiple of a function of the difference; nil for the difference itself.
  fileprivate var derivative: (factor: Scalar, kernel: UnaryFunction?) {
    switch self {
    case .square: (2, nil)
    case .absolute: (1, .sign)
    case .huber(let threshold): (1, .clamp(-threshold...threshold))
    }
  }

  /// The same as an expression.
  fileprivate func derivative(_ d: Tensor) -> Tensor {
    switch self {
    case .square: d * 2
    case .absolute: sign(d)
    case .huber(let threshold): d.clamped(to: -threshold...threshold)
    }
  }
}

/// The mean of a distance between the elements of two tensors of one shape.
///
/// Differences are taken in blocks that stay in cache and are not kept: one pass over memory forward, and one backward.
package func meanDistance(_ distance: Distance, _ a: Tensor, _ b: Tensor) -> Tensor {
  require(a.shape == b.shape, "\(distance.name): shapes \(a.shape) and \(b.shape) differ")
  // A fault of data, which the mean reports.
  guard a.count > 0 else { return (a - b).mean() }
  let block = 4096
  // One sum for each block, so that the result does not depend on threads.
  let sums = Tensor(shape: [(a.count + block - 1) / block]) { out in
    let (x, y, sums) = (a.pointer, b.pointer, out.baseAddress!)
    Parallel.forEach(out.count, grain: max(1, elementwiseGrain / block)) { range in
      let (first, sums) = (range.lowerBound * block, sums + range.lowerBound)
      distance.sum(min(range.count * block, a.count - first), block: block, x + first, y + first, into: sums)
    }
  }
  let mean = sums.sum() / Scalar(a.count)
  return mean.recorded(
    distance.name, saving: [a, b], from: [a, b],
    jointly: { dy, needed in
      let gradient =
        GradientTape.active.isEmpty
        ? scaledDerivative(distance, a, b, by: dy.item / Scalar(a.count))
        : distance.derivative(a - b) * (dy / Scalar(a.count))
      return [needed[0] ? gradient : nil, needed[1] ? -gradient : nil]
    })
}

private func scaledDerivative(_ distance: Distance, _ a: Tensor, _ b: Tensor, by scale: Scalar) -> Tensor {
  let (factor, kernel) = distance.derivative
  var product = factor * scale
  return Tensor(shape: a.shape) { out in
    let (x, y, dx) = (a.pointer, b.pointer, out.baseAddress!)
    withUnsafePointer(to: &product) { product in
      nonisolated(unsafe) let product = product
      Parallel.sweep(out.count, grain: elementwiseGrain) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
          let count = min(4096, range.upperBound - start)
          BinaryFunction.subtract(count, x + start, y + start, dx + start)
          kernel?(count, dx + start, dx + start)
          BinaryFunction.multiply(rows: 1, columns: count, dx + start, (0, 1), product, (0, 0), dx + start)
        }
      }
    }
  }
}
