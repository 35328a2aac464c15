/// Normalises each channel by its own mean and biased variance, then scales and shifts it.
///
/// Channels are the last axis. A residual and a ReLU are fused: they take no extra pass over memory. Gradients of
/// any order reach `x`, `gamma`, `beta` and the residual; `mean` and `variance` are constants, for running estimates.
/// Ioffe, Szegedy, arXiv 1502.03167.
/// - Parameters:
///   - x: `[…, channels]`.
///   - gamma: `[channels]`.
///   - beta: `[channels]`.
///   - residual: Of x's shape, added to the result.
///   - relu: Whether ReLU is applied to the result.
/// - Returns: `y` of x's shape, and the `mean` and biased `variance` of each channel.
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Scalar = 1e-5, adding residual: Tensor? = nil,
  relu: Bool = false
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let all = batchNorm2d(
    x, gamma: gamma, beta: beta, epsilon: epsilon, adding: residual, relu: relu, summing: nil)
  return (all.y, all.mean, all.variance)
}

/// Replaces numbers by their sums over all ranks that normalise together.
package typealias RankSum = @Sendable (_ numbers: inout [Double]) -> Void

/// The same by the mean and variance of the rows of several ranks: each gets the rows of its own `x`, and their gradients.
///
/// - Parameter sum: nil for one process. With it, there are no derivatives of a higher order.
/// - Returns: The number of rows of all ranks, besides.
package func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Scalar, adding residual: Tensor?, relu: Bool, summing sum: RankSum?
) -> (y: Tensor, mean: Tensor, variance: Tensor, rows: Int) {
  let channels = ChannelRows("batchNorm2d", x, gamma, beta, residual)
  require(channels.rows > 0, "batchNorm2d: nothing to take the mean of in shape \(x.shape)")
  let (mean, variance, rows) = sum.map { channels.moments(x, summing: $0) } ?? channels.moments(x)
  let rstd = rsqrt(variance + epsilon)
  let map = ChannelMap(mean: mean, scale: gamma.detached * rstd, offset: beta.detached)
  let y = channels.scaled(x, map, residual: residual, relu: relu)
  let following: FollowingReLU? = relu ? residual == nil ? .recomputed(map) : .output(y) : nil
  let result = y.recorded(
    "batchNorm2d", saving: [x] + (following?.output.map { [$0] } ?? []),
    from: [x, gamma, beta] + (residual.map { [$0] } ?? []),
    consuming: { dy, needed, _ in
      // For an outer tape the gradient must be an expression that it can differentiate.
      guard GradientTape.active.isEmpty else {
        require(sum == nil, "batchNorm2d: statistics over ranks have no derivatives of a higher order")
        let dz = following.map { dy * $0.mask(x) } ?? dy
        return composedGradient(dz, x, gamma, epsilon) + [dz]
      }
      let needsResidual = needed.count > 3 && needed[3]
      let (dBeta, products, dz) = channels.products(&dy, following, x, mean: mean, needsMasked: needsResidual)
      let dGamma = products * rstd
      let p = map.scale
      let n = Scalar(rows)
      // The mean and variance are those of all ranks, and so are the losses that depend on them.
      let (allBeta, allProducts) = sum.map { summed(dBeta, products, by: $0) } ?? (dBeta, products)
      let q = -p * square(rstd) * allProducts / n
      let dx = channels.combined(
        dz ?? dy, dz == nil ? following : nil, x, mean: mean, p: p, q: q, r: -p * allBeta / n)
      return [dx, dGamma, dBeta, dz]
    })
  return (result, mean, variance, rows)
}

/// Two tensors of `[channels]`, each summed over the ranks.
private func summed(_ a: Tensor, _ b: Tensor, by sum: RankSum) -> (Tensor, Tensor) {
  var numbers = (a.scalars + b.scalars).map { Double($0) }
  sum(&numbers)
  func tensor(_ part: ArraySlice<Double>) -> Tensor { Tensor(part.map { Scalar($0) }, shape: a.shape) }
  return (tensor(numbers[..<a.count]), tensor(numbers[a.count...]))
}

/// Normalises each channel by a constant mean and variance, then scales and shifts it; see
/// ``batchNorm2d(_:gamma:beta:epsilon:adding:relu:)``.
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Scalar = 1e-5,
  adding residual: Tensor? = nil, relu: Bool = false
) -> Tensor {
  let channels = ChannelRows("batchNorm2d", x, gamma, beta, residual)
  require(
    mean.shape == gamma.shape && variance.shape == gamma.shape,
    "batchNorm2d: mean \(mean.shape) and variance \(variance.shape) do not fit gamma \(gamma.shape)")
  let (mean, rstd) = (mean.detached, rsqrt(variance.detached + epsilon))
  let map = ChannelMap(mean: mean, scale: gamma.detached * rstd, offset: beta.detached)
  let y = channels.scaled(x, map, residual: residual, relu: relu)
  let following: FollowingReLU? = relu ? residual == nil ? .recomputed(map) : .output(y) : nil
  return y.recorded(
    "batchNorm2d", saving: [x] + (following?.output.map { [$0] } ?? []),
    from: [x, gamma, beta] + (residual.map { [$0] } ?? []),
    consuming: { dy, needed, _ in
      // For an outer tape the gradient must be an expression that it can differentiate.
      guard GradientTape.active.isEmpty else {
        let dz = following.map { dy * $0.mask(x) } ?? dy
        let axes = Array(0..<x.rank - 1)
        return [dz * (gamma * rstd), (dz * (x - mean)).sum(alongAxes: axes) * rstd, dz.sum(alongAxes: axes), dz]
      }
      // A frozen norm needs no sums, which would take a pass over memory.
      let needsResidual = needed.count > 3 && needed[3]
      let needsSums = needed[1] || needed[2] || (needsResidual && following != nil)
      let sums = needsSums ? channels.products(&dy, following, x, mean: mean, needsMasked: needsResidual) : nil
      let dz = sums?.masked ?? (following == nil ? dy : nil)
      let zero = Tensor.zeros(gamma.shape)
      let dx = channels.combined(dz ?? dy, dz == nil ? following : nil, x, mean: mean, p: map.scale, q: zero, r: zero)
      return [dx, sums.map { $0.products * rstd }, sums?.sums, needsResidual ? dz : nil]
    })
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

/// scale (x - mean) + offset, for each channel.
private struct ChannelMap: Sendable {
  let mean: Tensor
  let scale: Tensor
  let offset: Tensor
}

/// The ReLU after a batch norm, and how its backward pass finds the mask.
private enum FollowingReLU: Sendable {
  /// From its saved output.
  case output(Tensor)
  /// From its input, which is cheaper to recompute than the output is to read.
  case recomputed(ChannelMap)

  var output: Tensor? { if case .output(let y) = self { y } else { nil } }

  /// 1 where the output is positive, 0 elsewhere.
  func mask(_ x: Tensor) -> Tensor {
    switch self {
    case .output(let y): y .> 0
    case .recomputed(let map): map.scale * (x.detached - map.mean) + map.offset .> 0
    }
  }
}

extension ReLUMask {
  /// The mask of `relu` for the elements from `start` on.
  fileprivate init(_ relu: FollowingReLU?, from start: Int) {
    switch relu {
    case nil: self = .none
    case .output(let y): self = .output(y.pointer + start)
    case .recomputed(let map): self = .recomputed(scale: map.scale.pointer, offset: map.offset.pointer)
    }
  }
}

/// A tensor as `[rows, channels]`.
private struct ChannelRows: Sendable {
  let rows: Int
  let channels: Int

  init(_ operation: String, _ x: Tensor, _ gamma: Tensor, _ beta: Tensor, _ residual: Tensor?) {
    require(
      x.rank >= 2 && gamma.shape == [x.shape[-1]] && beta.shape == gamma.shape,
      "\(operation): gamma \(gamma.shape) and beta \(beta.shape) do not fit the channels of \(x.shape)")
    if let residual {
      require(residual.shape == x.shape, "\(operation): residual \(residual.shape) is not of the shape \(x.shape)")
    }
    channels = gamma.count
    rows = channels == 0 ? 0 : x.count / channels
  }

  private var grain: Int { max(1, elementwiseGrain / max(channels, 1)) }

  private func kernels(_ rows: Range<Int>) -> ChannelNormalization {
    ChannelNormalization(rows: rows.count, channels: channels)
  }

  /// Two sums for each channel, taken in parts whose number depends on the shape alone.
  private func sums(
    _ body: (_ rows: Range<Int>, _ first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    let parts = max(1, min(32, (rows + grain - 1) / grain))
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: parts * channels * 2) { sums in
      sums.initialize(repeating: 0)
      nonisolated(unsafe) let base = sums.baseAddress!
      Parallel.sweep(parts) { range in
        for part in range {
          let first = base + part * channels * 2
          body(rows * part / parts..<rows * (part + 1) / parts, first, first + channels)
        }
      }
      return (0..<channels * 2).map { i in (0..<parts).reduce(0) { $0 + base[$1 * channels * 2 + i] } }
    }
  }

  func moments(_ x: Tensor) -> (mean: Tensor, variance: Tensor, rows: Int) {
    let (means, variances) = exactMoments(x)
    return (
      Tensor(means.map { Scalar($0) }, shape: [channels]), Tensor(variances.map { Scalar($0) }, shape: [channels]), rows
    )
  }

  /// The moments of the rows of all ranks.
  func moments(_ x: Tensor, summing sum: RankSum) -> (mean: Tensor, variance: Tensor, rows: Int) {
    let (means, variances) = exactMoments(x)
    let n = Double(rows)
    var numbers = means.map { n * $0 } + zip(means, variances).map { n * ($1 + $0 * $0) } + [n]
    sum(&numbers)
    let all = numbers[2 * channels]
    let mean = numbers[..<channels].map { $0 / all }
    let variance = mean.indices.map { max(0, numbers[channels + $0] / all - mean[$0] * mean[$0]) }
    return (
      Tensor(mean.map { Scalar($0) }, shape: [channels]), Tensor(variance.map { Scalar($0) }, shape: [channels]),
      Int(all)
    )
  }

  private func exactMoments(_ x: Tensor) -> (means: [Double], variances: [Double]) {
    // Shifted by the first row, which is near enough to the mean to keep the difference of squares accurate.
    let shift = x.pointer
    let sums = sums { rows, sum, squares in
      kernels(rows).addMoments(of: shift + rows.lowerBound * channels, shift: shift, sums: sum, squares: squares)
    }
    let n = Double(rows)
    return (
      (0..<channels).map { Double(shift[$0]) + sums[$0] / n },
      (0..<channels).map { max(0, sums[channels + $0] / n - sums[$0] / n * (sums[$0] / n)) }
    )
  }

  /// Σ dz and Σ dz (x - mean), where dz is dy masked by the ReLU, and dz itself where needed.
  func products(
    _ dy: inout Tensor, _ relu: FollowingReLU?, _ x: Tensor, mean: Tensor, needsMasked: Bool
  ) -> (sums: Tensor, products: Tensor, masked: Tensor?) {
    let isInPlace = relu == nil || Storage.isUnique(&dy.storage)
    let masked =
      !needsMasked ? nil : isInPlace ? dy : Tensor(storage: Storage(count: x.count), shape: x.shape)
    let (dy, dz) = (dy.pointer, relu == nil ? nil : masked?.storage.pointer)
    let sums = sums { rows, sum, products in
      let start = rows.lowerBound * channels
      kernels(rows).addGradientSums(
        of: dy + start, mask: ReLUMask(relu, from: start), x: x.pointer + start, mean: mean.pointer, sums: sum,
        products: products, dz: dz.map { $0 + start })
    }
    return (
      Tensor(sums[..<channels].map { Scalar($0) }, shape: [channels]),
      Tensor(sums[channels...].map { Scalar($0) }, shape: [channels]), masked
    )
  }

  /// The map of x, plus the residual, then ReLU if `relu`. Lazy where there is no residual.
  func scaled(_ x: Tensor, _ map: ChannelMap, residual: Tensor?, relu: Bool) -> Tensor {
    for input in [x] + (residual.map { [$0] } ?? []) { _ = input.pointer }
    let y = Tensor(
      shape: x.shape,
      producingRows: { rows, y, streams in
        let start = rows.lowerBound * channels
        kernels(rows).scale(
          x.pointer + start, mean: map.mean.pointer, scale: map.scale.pointer, offset: map.offset.pointer,
          residual: residual.map { $0.pointer + start }, relu: relu, streams: streams,
          into: y)
      })
    // The output of a sum has two readers: materialized once.
    if residual != nil { _ = y.pointer }
    return y
  }

  /// p dz + q (x - mean) + r, where dz is dy masked by the ReLU. Lazy.
  func combined(
    _ dy: Tensor, _ relu: FollowingReLU?, _ x: Tensor, mean: Tensor, p: Tensor, q: Tensor, r: Tensor
  ) -> Tensor {
    Tensor(
      shape: x.shape,
      producingRows: { rows, dx, streams in
        let start = rows.lowerBound * channels
        kernels(rows).combine(
          dy.pointer + start, mask: ReLUMask(relu, from: start), x: x.pointer + start, mean: mean.pointer,
          p: p.pointer, q: q.pointer, r: r.pointer, streams: streams, into: dx)
      })
  }
}
