/// `exp(x) / Σ exp(x)` along `axis`.
///
/// NaN where every `x` is -∞. Where one is +∞, NaN for that one and NaN or 0 for the others, of which PyTorch makes NaN.
/// One pass over memory, and one for the gradient, where `axis` is the last, or sixteen numbers or more follow it.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  let axis = x.shape.normalized(axis, "softmax")
  if x.shape.dimensions[(axis + 1)...].reduce(1, *) >= Columns.ofVector { return softmaxOfColumns(x, axis) }
  return x.withLastAxis(axis, "softmax") { x in
    inRows(of: x) { $0.softmax($1, into: $2) }.recordedByOutput("softmax", from: x) { dy, y in
      guard GradientTape.active.isEmpty else {
        let product = dy * y
        return product - y * product.sum(alongAxes: [-1], keepingDimensions: true)
      }
      return gradient(&dy, output: y) { $0.softmaxGradient($1, output: $2, into: $3) }
    }
  }
}

/// The same along an axis whose elements lie apart.
private func softmaxOfColumns(_ x: Tensor, _ axis: Int) -> Tensor {
  Tensor(shape: x.shape) { out in
    guard let y = out.baseAddress else { return }
    let values = x.pointer
    forEachColumn(of: x.shape, axis) { columns, start in columns.softmax(values + start, into: y + start) }
  }.recordedByOutput("softmax", from: x) { dy, y in
    guard GradientTape.active.isEmpty else {
      let product = dy * y
      return product - y * product.sum(alongAxes: [axis], keepingDimensions: true)
    }
    let source = dy.pointer
    let dx = dy.takeStorage()
    let (output, target) = (y.pointer, dx.storage.pointer)
    forEachColumn(of: y.shape, axis) { $0.softmaxGradient(source + $1, output: output + $1, into: target + $1) }
    return dx
  }
}

/// `x - log Σ exp(x)` along `axis`, stable for any `x`.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  x.withLastAxis(axis, "logSoftmax") { x in
    inRows(of: x) { $0.logSoftmax($1, into: $2) }.recordedByOutput("logSoftmax", from: x) { dy, y in
      guard GradientTape.active.isEmpty else {
        return dy - exp(y) * dy.sum(alongAxes: [-1], keepingDimensions: true)
      }
      return gradient(&dy, output: y) { $0.logSoftmaxGradient($1, output: $2, into: $3) }
    }
  }
}

/// `log Σ exp(x)` of each row of a matrix.
func logSumExpOfRows(_ x: Tensor) -> Tensor {
  Tensor(shape: [x.shape[0]]) { out in
    let (values, y) = (x.pointer, out.baseAddress!)
    forEachRow(of: x) { rows, start in rows.logSumExp(values + start, into: y + start / rows.width) }
  }.recorded(
    "logSumExp", saving: [x],
    (
      x,
      { dy in
        guard GradientTape.active.isEmpty else { return dy.unsqueezed(at: 1) * softmax(x) }
        return Tensor(shape: x.shape) { out in
          let (values, dy, dx) = (x.pointer, dy.pointer, out.baseAddress!)
          forEachRow(of: x) { rows, start in
            rows.logSumExpGradient(dy + start / rows.width, values + start, into: dx + start)
          }
        }
      }
    ))
}

/// The cross-entropy of each row of `logits` with targets of classes: `-Σ target · log softmax(logits)`, where a target of 0 counts
/// nothing, even for a logit of -∞.
///
/// - Parameters:
///   - logits: `[batch, classes]`.
///   - labels: The class of each row, which must be one; a negative label is a target of 0.
///   - smoothing: ε: the target is `weights[c] ε / classes` for each class c, and `weights[label] (1 - ε)` more for the label.
///   - weights: `[classes]`, without gradient; nil for 1.
/// - Returns: `[batch]`.
package func crossEntropyOfRows(
  _ logits: Tensor, labels: [Int], smoothing: Scalar, weights: Tensor?
) -> Tensor {
  let (shifts, logs) = (Tensor.zeros([logits.shape[0]]), Tensor.zeros([logits.shape[0]]))
  let losses = Tensor(shape: [logits.shape[0]]) { out in
    let (x, losses, shifts, logs) = (
      logits.pointer, out.baseAddress!, shifts.storage.pointer, logs.storage.pointer
    )
    forEachRow(of: logits, labels, smoothing, weights) { rows, targets, start in
      let first = start / rows.width
      rows.crossEntropy(x + start, targets, shifts: shifts + first, logs: logs + first, into: losses + first)
    }
  }
  return losses.recorded(
    "crossEntropy", saving: [logits], from: [logits],
    jointly: { dy, _ in
      guard GradientTape.active.isEmpty else {
        let targets = targetsOfRows(logits.shape, labels, smoothing, weights)
        let sums = targets.sum(alongAxes: [1], keepingDimensions: true)
        return [dy.unsqueezed(at: 1) * (softmax(logits) * sums - targets)]
      }
      return [
        Tensor(shape: logits.shape) { out in
          let (x, dy, dx) = (logits.pointer, dy.pointer, out.baseAddress!)
          forEachRow(of: logits, labels, smoothing, weights) { rows, targets, start in
            let first = start / rows.width
            rows.crossEntropyGradient(
              of: dy + first, targets, x + start, shifts: shifts.pointer + first, logs: logs.pointer + first,
              into: dx + start)
          }
        }
      ]
    })
}

/// The targets of ``crossEntropyOfRows(_:labels:smoothing:weights:)``, of shape `[batch, classes]`.
private func targetsOfRows(_ shape: Shape, _ labels: [Int], _ smoothing: Scalar, _ weights: Tensor?) -> Tensor {
  let classes = shape[1]
  let weight = weights?.scalars ?? [Scalar](repeating: 1, count: classes)
  return Tensor(shape: shape) { out in
    out.update(repeating: 0)
    for (row, label) in labels.enumerated() where label >= 0 {
      for c in 0..<classes { out[row * classes + c] = smoothing / Scalar(classes) * weight[c] }
      out[row * classes + label] += (1 - smoothing) * weight[label]
    }
  }
}

/// `weights · logs`, elementwise, where a weight of 0 gives 0 for any logarithm: `0 log 0` is 0.
package func weighted(_ weights: Tensor, _ logs: Tensor) -> Tensor {
  elementwise("weighted", weights, logs, .weighted).recorded(
    "weighted", saving: [weights, logs], (weights, { $0 * logs }), (logs, { $0 * weights }))
}

// MARK: Rows in parallel

extension Tensor {
  /// Applies an operation along the last axis to `axis`.
  fileprivate func withLastAxis(_ axis: Int, _ operation: String, _ body: (Tensor) -> Tensor) -> Tensor {
    let axis = shape.normalized(axis, operation)
    guard axis < rank - 1 else { return body(self) }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    return body(permuted(order)).permuted(order)
  }
}

/// Calls `body` for ranges of the rows of `x` along its last axis, with the index of their first element.
///
/// A row does not depend on the others, so results do not depend on the number of threads.
func forEachRow(of x: Tensor, _ body: (_ rows: Rows, _ start: Int) -> Void) {
  guard x.count > 0 else { return }
  let width = x.shape[-1]
  Parallel.sweep(x.count / width, grain: max(1, elementwiseGrain / 2 / width)) { range in
    body(Rows(range.count, width: width), range.lowerBound * width)
  }
}

/// Calls `body` for ranges of the columns along `axis`, with the index of their first element.
private func forEachColumn(of shape: Shape, _ axis: Int, _ body: (_ columns: Columns, _ start: Int) -> Void) {
  guard shape.count > 0 else { return }
  let (depth, width) = (shape[axis], shape.dimensions[(axis + 1)...].reduce(1, *))
  let calls = (width + Columns.ofCall - 1) / Columns.ofCall
  Parallel.forEach(
    shape.count / (depth * width) * calls, grain: max(1, elementwiseGrain / 2 / (depth * min(width, Columns.ofCall)))
  ) { range in
    for index in range {
      let (slice, call) = index.quotientAndRemainder(dividingBy: calls)
      let first = call * Columns.ofCall
      body(
        Columns(min(Columns.ofCall, width - first), depth: depth, stride: width), slice * depth * width + first)
    }
  }
}

/// ``forEachRow(of:_:)`` with the targets of each range of rows.
private func forEachRow(
  of x: Tensor, _ labels: [Int], _ smoothing: Scalar, _ weights: Tensor?,
  _ body: (_ rows: Rows, _ targets: ClassTargets, _ start: Int) -> Void
) {
  let weights = weights?.pointer
  labels.withUnsafeBufferPointer { labels in
    nonisolated(unsafe) let labels = labels
    forEachRow(of: x) { rows, start in
      let targets = ClassTargets(
        labels: labels.baseAddress! + start / rows.width, smoothing: smoothing, weights: weights)
      body(rows, targets, start)
    }
  }
}

private func inRows(
  of x: Tensor, _ kernel: (Rows, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Void
) -> Tensor {
  Tensor(shape: x.shape) { out in
    guard let y = out.baseAddress else { return }
    let x = (x, x.pointer)
    forEachRow(of: x.0) { rows, start in kernel(rows, x.1 + start, y + start) }
  }
}

/// The gradient that `kernel` makes of `dy` and the output, in the storage of `dy` where nobody else holds it.
private func gradient(
  _ dy: inout Tensor, output y: Tensor,
  _ kernel: (Rows, UnsafePointer<Scalar>, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Void
) -> Tensor {
  let source = dy.pointer
  let dx = dy.takeStorage()
  let (output, target) = (y.pointer, dx.storage.pointer)
  forEachRow(of: y) { rows, start in kernel(rows, source + start, output + start, target + start) }
  return dx
}
