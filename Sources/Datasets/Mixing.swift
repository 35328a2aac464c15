#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Mixes each image of a batch with another, and their labels in the same share.
public enum Mixing: Sendable, Hashable, Codable {
  /// λ a + (1 - λ) b of all pixels, one λ from Beta(α, α) for a batch.
  ///
  /// Zhang et al.: "mixup: beyond empirical risk minimization", arXiv 1710.09412.
  case mixup(alpha: Double)

  /// A rectangle of b, of a share 1 - λ of the area, in a; one λ from Beta(α, α) and one rectangle for a batch.
  ///
  /// Yun et al.: "CutMix: regularization strategy to train strong classifiers with localizable features", arXiv 1905.04899.
  case cutMix(alpha: Double)

  /// `batch` with its images mixed in pairs and targets that say how.
  public func mixed(_ batch: Batch, classes: Int, using generator: inout SplittableGenerator) -> Batch {
    var batch = batch
    let partners = randomPermutation(of: batch.labels.count, using: &generator)
    var share: Double
    switch self {
    case .mixup(let alpha):
      share = beta(alpha, using: &generator)
      batch.images = batch.images * Scalar(share) + batch.images.gather(partners) * Scalar(1 - share)
    case .cutMix(let alpha):
      share = beta(alpha, using: &generator)
      let (n, height, width) = (batch.images.shape[0], batch.images.shape[1], batch.images.shape[2])
      let side = (1 - share).squareRoot()
      func range(_ extent: Int) -> Range<Int> {
        let half = Int(side * Double(extent)) / 2
        let centre = Int.random(in: 0..<extent, using: &generator)
        return max(centre - half, 0)..<min(centre + half, extent)
      }
      let (rows, columns) = (range(height), range(width))
      let channels = batch.images.shape[3]
      let source = batch.images
      batch.images.withUnsafeMutableScalars { out in
        source.withUnsafeScalars { from in
          for image in 0..<n {
            for row in rows {
              let offset = (row * width + columns.lowerBound) * channels
              (out.baseAddress! + image * height * width * channels + offset).update(
                from: from.baseAddress! + partners[image] * height * width * channels + offset,
                count: columns.count * channels)
            }
          }
        }
      }
      // The border may have cut the rectangle.
      share = 1 - Double(rows.count * columns.count) / Double(height * width)
    }
    let targets = Tensor.oneHot(batch.labels, classes: classes)
    batch.targets = targets * Scalar(share) + targets.gather(partners) * Scalar(1 - share)
    return batch
  }
}

/// A number from Beta(α, α), by two from Gamma(α, 1).
private func beta(_ alpha: Double, using generator: inout SplittableGenerator) -> Double {
  require(alpha > 0 && alpha.isFinite, "mixing: alpha \(alpha)")
  let (a, b) = (gamma(alpha, using: &generator), gamma(alpha, using: &generator))
  // Where α is so small that both underflow, one of them is the larger all the same.
  return a + b > 0 ? a / (a + b) : Bool.random(using: &generator) ? 1 : 0
}

/// A number from Gamma(α, 1): Marsaglia, Tsang: "A simple method for generating gamma variables", 2000.
private func gamma(_ alpha: Double, using generator: inout SplittableGenerator) -> Double {
  func unit() -> Double { 1 - Double.random(in: 0..<1, using: &generator) }
  guard alpha >= 1 else { return gamma(alpha + 1, using: &generator) * pow(unit(), 1 / alpha) }
  let d = alpha - 1 / 3
  while true {
    let x = sqrt(-2 * log(unit())) * cos(2 * .pi * unit())
    let v = pow(1 + x / (3 * d).squareRoot(), 3)
    if v > 0, log(unit()) < x * x / 2 + d - d * v + d * log(v) { return d * v }
  }
}
