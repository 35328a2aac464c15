/// Normalises the last axis by its own mean and biased variance, then scales and shifts it: PyTorch's `layer_norm`.
///
/// Ba, Kiros, Hinton: "Layer normalization", arXiv 1607.06450.
/// - Parameters:
///   - x: `[…, features]`.
///   - gamma: `[features]`.
///   - beta: `[features]`, nil for none.
public func layerNorm(_ x: Tensor, gamma: Tensor, beta: Tensor? = nil, epsilon: Scalar = 1e-5) -> Tensor {
  requireChannels("layerNorm", x, gamma, beta)
  guard x.count > 0 else { return x }
  let rows = x.count / gamma.count
  let (means, rstds) = (Tensor.zeros([rows]), Tensor.zeros([rows]))
  let y = Tensor(shape: x.shape) { out in
    let (means, rstds, y) = (means.storage.pointer, rstds.storage.pointer, out.baseAddress!)
    let (x, gamma, beta) = ((x, x.pointer), gamma.pointer, beta?.pointer)
    forEachRow(of: x.0) { rows, start in
      let first = start / rows.width
      rows.layerNorm(
        x.1 + start, epsilon: epsilon, gamma: gamma, beta: beta, means: means + first, rstds: rstds + first,
        into: y + start)
    }
  }
  return y.recorded(
    "layerNorm", saving: [x], from: [x, gamma] + (beta.map { [$0] } ?? []),
    consuming: { dy, needed, _ in
      guard GradientTape.active.isEmpty else {
        // For an outer tape, an expression that it can differentiate.
        let leading = Array(0..<x.rank - 1)
        let hat = standardized(x, alongAxes: [x.rank - 1], epsilon)
        return [
          standardizedGradient(dy * gamma, x, alongAxes: [x.rank - 1], epsilon),
          (dy * hat).sum(alongAxes: leading), dy.sum(alongAxes: leading),
        ]
      }
      return layerNormGradients(&dy, x, gamma, means: means, rstds: rstds)
    })
}

/// The gradients of input, gamma and beta.
private func layerNormGradients(
  _ dy: inout Tensor, _ x: Tensor, _ gamma: Tensor, means: Tensor, rstds: Tensor
) -> [Tensor] {
  // Parts of so many rows, whatever the number of threads: few enough for their sums to be exact to some digits, which are then
  // summed in double.
  let (rowsOfPart, rows, width) = (128, means.count, gamma.count)
  let parts = (rows + rowsOfPart - 1) / rowsOfPart
  let sums = Tensor.zeros([parts, 2 * width])
  let source = dy.pointer
  let dx = dy.takeStorage()
  let (x, gamma, means, rstds) = (x.pointer, gamma.pointer, means.pointer, rstds.pointer)
  let (target, sum) = (dx.storage.pointer, sums.storage.pointer)
  Parallel.sweep(parts, grain: max(1, elementwiseGrain / (rowsOfPart * width))) { range in
    for part in range {
      let first = part * rowsOfPart
      Rows(min(rowsOfPart, rows - first), width: width).layerNormGradient(
        source + first * width, x + first * width, gamma: gamma, means: means + first, rstds: rstds + first,
        into: target + first * width, addingTo: sum + part * 2 * width)
    }
  }
  let total = sums.sum(alongAxes: [0])
  return [dx, total[0..<width], total[width..<2 * width]]
}

/// `(x - mean) / √(variance + ε)` over `axes`.
func standardized(_ x: Tensor, alongAxes axes: [Int], _ epsilon: Scalar) -> Tensor {
  guard x.count > 0 else { return x }
  let constant = x.detached
  let y = (constant - constant.mean(alongAxes: axes, keepingDimensions: true)) * rstd(constant, axes, epsilon)
  return y.recorded(
    "standardized", saving: [x], (x, { dy in standardizedGradient(dy, x, alongAxes: axes, epsilon) }))
}

/// The gradient of `standardized`, an expression of dy and x.
func standardizedGradient(_ dy: Tensor, _ x: Tensor, alongAxes axes: [Int], _ epsilon: Scalar) -> Tensor {
  func mean(_ t: Tensor) -> Tensor { t.mean(alongAxes: axes, keepingDimensions: true) }
  let rstd = rstd(x, axes, epsilon)
  let hat = (x - mean(x)) * rstd
  return rstd * (dy - mean(dy) - hat * mean(dy * hat))
}

private func rstd(_ x: Tensor, _ axes: [Int], _ epsilon: Scalar) -> Tensor {
  rsqrt(x.variance(alongAxes: axes, keepingDimensions: true) + epsilon)
}

func requireChannels(_ operation: String, _ x: Tensor, _ gamma: Tensor, _ beta: Tensor?) {
  require(
    x.rank > 0 && gamma.shape == [x.shape[-1]] && (beta?.shape ?? gamma.shape) == gamma.shape,
    "\(operation): gamma \(gamma.shape)\(beta.map { " and beta \($0.shape)" } ?? "") do not fit the last axis of \(x.shape)"
  )
}
