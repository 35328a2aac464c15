/// Normalises groups of neighbouring channels of each image by their mean and biased variance, then scales and shifts each
/// channel: PyTorch's `group_norm`.
///
/// Wu, He: "Group normalization", arXiv 1803.08494. One group is a layer norm of images, a group for each channel instance norm.
/// - Parameters:
///   - x: `[batch, …, channels]`.
///   - groups: Divides the number of channels.
///   - gamma: `[channels]`.
///   - beta: `[channels]`, nil for none.
public func groupNorm(
  _ x: Tensor, groups: Int, gamma: Tensor, beta: Tensor? = nil, epsilon: Scalar = 1e-5
) -> Tensor {
  requireChannels("groupNorm", x, gamma, beta)
  require(
    x.rank > 1 && groups > 0 && gamma.count % groups == 0,
    "groupNorm: \(groups) groups do not divide the \(gamma.count) channels of \(x.shape)")
  guard x.count > 0 else { return x }
  let images = GroupedImages(x.shape, groups)
  let (y, means, rstds) = images.normalized(x, gamma: gamma, beta: beta, epsilon)
  return y.recorded("groupNorm", saving: [x], from: [x, gamma] + (beta.map { [$0] } ?? [])) { dy, _ in
    guard GradientTape.active.isEmpty else { return images.composedGradients(dy, x, gamma, epsilon) }
    return images.gradients(dy, x, gamma, means, rstds)
  }
}

/// Images whose channels are in groups; the mean and 1 / √(variance + ε) of a group stand at each of its channels:
/// `[images, channels]`.
private struct GroupedImages: Sendable {
  private let shape: Shape
  private let (images, pixels, channels, groups): (Int, Int, Int, Int)

  init(_ shape: Shape, _ groups: Int) {
    self.shape = shape
    (images, channels, self.groups) = (shape[0], shape[-1], groups)
    pixels = shape.count / (images * channels)
  }

  private var kernels: ChannelNormalization { ChannelNormalization(rows: pixels, channels: channels) }
  private var channelsOfGroup: Int { channels / groups }
  private var elementsOfGroup: Double { Double(pixels * channelsOfGroup) }

  /// Calls `body` with the offset of each image in x, that of its channels, and room for two sums of each channel.
  private func forEachImage(
    _ body: (_ start: Int, _ channel: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) {
    let size = pixels * channels
    Parallel.sweep(images, grain: max(1, elementwiseGrain / size)) { range in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * channels) { sums in
        for image in range {
          sums.initialize(repeating: 0)
          body(image * size, image * channels, sums.baseAddress!)
        }
      }
    }
  }

  /// Calls `body` with the channels of each group.
  private func forEachGroup(_ body: (_ channels: Range<Int>) -> Void) {
    for group in 0..<groups { body(group * channelsOfGroup..<(group + 1) * channelsOfGroup) }
  }

  /// gamma (x - mean) rstd + beta, image by image: each is still in a cache when it is scaled.
  func normalized(
    _ x: Tensor, gamma: Tensor, beta: Tensor?, _ epsilon: Scalar
  ) -> (y: Tensor, means: Tensor, rstds: Tensor) {
    let (means, rstds) = (Tensor.zeros([images, channels]), Tensor.zeros([images, channels]))
    let (allMeans, allRstds) = (means.storage.pointer, rstds.storage.pointer)
    let (x, gamma, offset, streams) = (
      x.pointer, gamma.pointer, beta ?? .zeros([channels]), Movement.streams(shape.count)
    )
    let y = Tensor(shape: shape) { out in
      let (y, offset) = (out.baseAddress!, offset.pointer)
      forEachImage { start, channel, sums in
        let (mean, rstd) = (allMeans + channel, allRstds + channel)
        findMoments(of: x + start, epsilon, sums: sums, mean: mean, rstd: rstd)
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: channels) { scale in
          for c in 0..<channels { scale[c] = rstd[c] * gamma[c] }
          kernels.scale(
            x + start, mean: mean, scale: scale.baseAddress!, offset: offset, residual: nil, relu: false,
            streams: streams, into: y + start)
        }
      }
    }
    return (y, means, rstds)
  }

  /// The mean and 1 / √(variance + ε) of the groups of one image.
  private func findMoments(
    of x: UnsafePointer<Scalar>, _ epsilon: Scalar, sums: UnsafeMutablePointer<Double>,
    mean: UnsafeMutablePointer<Scalar>, rstd: UnsafeMutablePointer<Scalar>
  ) {
    let (squares, n) = (sums + channels, Double(pixels))
    // The mean of each channel by its distance from the first pixel, then squared distances from that mean.
    kernels.addMoments(of: x, shift: x, sums: sums, squares: squares)
    for c in 0..<channels { mean[c] = Scalar(Double(x[c]) + sums[c] / n) }
    sums.update(repeating: 0, count: 2 * channels)
    kernels.addMoments(of: x, shift: mean, sums: sums, squares: squares)
    forEachGroup { group in
      let m = group.reduce(0) { $0 + Double(mean[$1]) + sums[$1] / n } / Double(group.count)
      let variance = group.reduce(0) {
        let d = Double(mean[$1]) - m
        return $0 + squares[$1] / n + 2 * d * sums[$1] / n + d * d
      }
      let scale = 1 / (max(0, variance / Double(group.count)) + Double(epsilon)).squareRoot()
      for c in group { (mean[c], rstd[c]) = (Scalar(m), Scalar(scale)) }
    }
  }

  /// The gradients of input, gamma and beta.
  func gradients(_ dy: Tensor, _ x: Tensor, _ gamma: Tensor, _ means: Tensor, _ rstds: Tensor) -> [Tensor?] {
    let (dBetas, dGammas) = (Tensor.zeros([images, channels]), Tensor.zeros([images, channels]))
    let (dys, xs, means, rstds, scale) = (dy.pointer, x.pointer, means.pointer, rstds.pointer, gamma.pointer)
    let (dBeta, dGamma) = (dBetas.storage.pointer, dGammas.storage.pointer)
    let streams = Movement.streams(shape.count)
    let dx = Tensor(shape: shape) { out in
      let dx = out.baseAddress!
      forEachImage { start, channel, sums in
        let (mean, rstd) = (means + channel, rstds + channel)
        kernels.addGradientSums(
          of: dys + start, mask: .none, x: xs + start, mean: mean, sums: sums, products: sums + channels, dz: nil)
        for c in 0..<channels {
          dBeta[channel + c] = Scalar(sums[c])
          dGamma[channel + c] = Scalar(sums[channels + c] * Double(rstd[c]))
        }
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 3 * channels) { map in
          let (p, q, r) = (map.baseAddress!, map.baseAddress! + channels, map.baseAddress! + 2 * channels)
          // rstd (γ dy - mean(γ dy) - x̂ mean(γ dy x̂)), x̂ = (x - mean) rstd.
          forEachGroup { group in
            let inverse = Double(rstd[group.lowerBound])
            let first = group.reduce(0) { $0 + Double(scale[$1]) * sums[$1] } / elementsOfGroup
            let second = group.reduce(0) { $0 + Double(scale[$1]) * sums[channels + $1] } / elementsOfGroup
            for c in group {
              (p[c], q[c]) = (scale[c] * rstd[c], Scalar(-inverse * inverse * inverse * second))
              r[c] = Scalar(-inverse * first)
            }
          }
          kernels.combine(
            dys + start, mask: .none, x: xs + start, mean: mean, p: p, q: q, r: r, streams: streams,
            into: dx + start)
        }
      }
    }
    return [dx, dGammas.sum(alongAxes: [0]), dBetas.sum(alongAxes: [0])]
  }

  /// The same as tensor expressions.
  func composedGradients(_ dy: Tensor, _ x: Tensor, _ gamma: Tensor, _ epsilon: Scalar) -> [Tensor?] {
    func grouped(_ t: Tensor) -> Tensor { t.reshaped(to: [images, pixels, groups, channelsOfGroup] as Shape) }
    let leading = Array(0..<shape.rank - 1)
    let hat = standardized(grouped(x), alongAxes: [1, 3], epsilon).reshaped(to: shape)
    let dx = standardizedGradient(grouped(dy * gamma), grouped(x), alongAxes: [1, 3], epsilon)
    return [dx.reshaped(to: shape), (dy * hat).sum(alongAxes: leading), dy.sum(alongAxes: leading)]
  }
}
