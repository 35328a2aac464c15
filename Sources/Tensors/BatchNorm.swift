import CKernels

/// Normalises each channel by its own mean and biased variance, then scales and shifts it.
///
/// Channels are the last axis. Gradients of any order reach `x`, `gamma` and `beta`; `mean` and `variance` are constants, for
/// running estimates. Ioffe, Szegedy, arXiv 1502.03167.
/// - Parameters:
///   - x: `[…, channels]`.
///   - gamma: `[channels]`.
///   - beta: `[channels]`.
/// - Returns: `y` of x's shape, and the `mean` and biased `variance` of each channel.
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Scalar = 1e-5
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let channels = ChannelRows("batchNorm2d", x, gamma, beta)
  require(channels.rows > 0, "batchNorm2d: nothing to take the mean of in shape \(x.shape)")
  let (mean, variance) = channels.moments(x)
  let rstd = rsqrt(variance + epsilon)
  let y = channels.scaled(x, mean: mean, scale: gamma.detached * rstd, offset: beta).recorded(
    "batchNorm2d", keeping: [x], from: [x, gamma, beta]
  ) { dy, needed in
    // Where an outer tape follows, the gradient must be an expression in x that it can differentiate once more.
    guard GradientTape.active.isEmpty else { return composedGradient(dy, x, gamma, epsilon) }
    let (dBeta, products) = channels.products(dy, x, mean: mean)
    let dGamma = products * rstd
    guard needed[0] else { return [nil, dGamma, dBeta] }
    let p = gamma.detached * rstd
    let n = Scalar(channels.rows)
    let q = -p * square(rstd) * products / n
    return [channels.combined(dy, x, mean: mean, p: p, q: q, r: -p * dBeta / n), dGamma, dBeta]
  }
  return (y, mean, variance)
}

/// Normalises each channel by a mean and a variance that are constants, then scales and shifts it; see
/// ``batchNorm2d(_:gamma:beta:epsilon:)``.
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Scalar = 1e-5
) -> Tensor {
  let channels = ChannelRows("batchNorm2d", x, gamma, beta)
  require(
    mean.shape == gamma.shape && variance.shape == gamma.shape,
    "batchNorm2d: mean \(mean.shape) and variance \(variance.shape) do not fit gamma \(gamma.shape)")
  let (mean, rstd) = (mean.detached, rsqrt(variance.detached + epsilon))
  guard !x.isTracked && !gamma.isTracked && !beta.isTracked else {
    let scale = gamma * rstd
    return x * scale + (beta - mean * scale)
  }
  return channels.scaled(x, mean: mean, scale: gamma * rstd, offset: beta)
}

/// The gradients of batch norm as tensor expressions.
private func composedGradient(_ dy: Tensor, _ x: Tensor, _ gamma: Tensor, _ epsilon: Scalar) -> [Tensor?] {
  let axes = Array(0..<x.rank - 1)
  func mean(_ t: Tensor) -> Tensor { t.mean(alongAxes: axes, keepingDimensions: true) }
  let rstd = rsqrt(x.variance(alongAxes: axes, keepingDimensions: true) + epsilon)
  let hat = (x - mean(x)) * rstd
  return [
    gamma * rstd * (dy - mean(dy) - hat * mean(dy * hat)), (dy * hat).sum(alongAxes: axes), dy.sum(alongAxes: axes),
  ]
}

/// A tensor seen as rows of channels.
private struct ChannelRows: Sendable {
  let rows: Int
  let channels: Int

  init(_ operation: String, _ x: Tensor, _ gamma: Tensor, _ beta: Tensor) {
    require(
      x.rank >= 2 && gamma.shape == [x.shape[-1]] && beta.shape == gamma.shape,
      "\(operation): gamma \(gamma.shape) and beta \(beta.shape) do not fit the channels of \(x.shape)")
    channels = gamma.count
    rows = channels == 0 ? 0 : x.count / channels
  }

  private var grain: Int { max(1, elementwiseGrain / max(channels, 1)) }

  /// Two sums for each channel, taken in parts whose number depends on the shape alone.
  private func sums(
    _ body: (_ rows: Range<Int>, _ first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    let parts = min(32, (rows + grain - 1) / grain)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: parts * channels * 2) { sums in
      sums.initialize(repeating: 0)
      nonisolated(unsafe) let base = sums.baseAddress!
      Parallel.forEach(parts) { range in
        for part in range {
          let first = base + part * channels * 2
          body(rows * part / parts..<rows * (part + 1) / parts, first, first + channels)
        }
      }
      return (0..<channels * 2).map { i in (0..<parts).reduce(0) { $0 + base[$1 * channels * 2 + i] } }
    }
  }

  func moments(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
    // The first row is near enough to the mean to keep the difference of squares accurate.
    let shift = x.pointer
    let sums = sums { rows, sum, squares in
      en_channel_moments(rows.count, channels, shift, x.pointer + rows.lowerBound * channels, sum, squares)
    }
    let n = Double(rows)
    return (
      Tensor((0..<channels).map { Scalar(Double(shift[$0]) + sums[$0] / n) }, shape: [channels]),
      Tensor(
        (0..<channels).map { Scalar(max(0, sums[channels + $0] / n - sums[$0] / n * (sums[$0] / n))) },
        shape: [channels])
    )
  }

  /// Σ dy and Σ dy (x - mean).
  func products(_ dy: Tensor, _ x: Tensor, mean: Tensor) -> (sums: Tensor, products: Tensor) {
    let sums = sums { rows, sum, products in
      let start = rows.lowerBound * channels
      en_channel_products(
        rows.count, channels, mean.pointer, dy.pointer + start, x.pointer + start, sum, products)
    }
    return (
      Tensor(sums[..<channels].map { Scalar($0) }, shape: [channels]),
      Tensor(sums[channels...].map { Scalar($0) }, shape: [channels])
    )
  }

  /// scale (x - mean) + offset
  func scaled(_ x: Tensor, mean: Tensor, scale: Tensor, offset: Tensor) -> Tensor {
    Tensor(shape: x.shape) { out in
      guard out.count > 0 else { return }
      let y = out.baseAddress!
      Parallel.forEach(rows, grain: grain) { range in
        let start = range.lowerBound * channels
        en_scale_channels(
          range.count, channels, mean.pointer, scale.pointer, offset.pointer, x.pointer + start, y + start)
      }
    }
  }

  /// p dy + q (x - mean) + r
  func combined(_ dy: Tensor, _ x: Tensor, mean: Tensor, p: Tensor, q: Tensor, r: Tensor) -> Tensor {
    Tensor(shape: x.shape) { out in
      let dx = out.baseAddress!
      Parallel.forEach(rows, grain: grain) { range in
        let start = range.lowerBound * channels
        en_batch_norm_backward(
          range.count, channels, mean.pointer, p.pointer, q.pointer, r.pointer, dy.pointer + start,
          x.pointer + start, dx + start)
      }
    }
  }
}
