/// The directions along which points vary most, found from the covariance of the standardised points.
public struct PrincipalComponents: Sendable {
  /// The mean of each feature.
  public let mean: Tensor
  /// One over the standard deviation of each feature, 0 for one that never varies.
  public let scale: Tensor
  /// The directions as rows, `[components, features]`, the one of most variance first.
  public let components: Tensor
  /// The variance along each.
  public let variances: [Scalar]

  /// The components of `points`, `[points, features]`, at most `count` of them.
  ///
  /// - Parameter standardizing: Whether every feature is first brought to variance 1.
  /// - Throws: For points that are NaN or infinite.
  public init(of points: Tensor, count: Int, standardizing: Bool = true) throws(ExperimentError) {
    require(
      points.rank == 2 && points.shape[0] > 0 && points.shape[1] > 0 && count > 0,
      "PrincipalComponents: points \(points.shape) are not [points, features] with anything in them")
    let (n, d) = (points.shape[0], points.shape[1])
    try Self.requireFinite(points)
    let mean = points.mean(alongAxes: [0])
    let centred = points - mean
    func scale(_ variance: Scalar) -> Scalar {
      variance > 1e-12 ? (standardizing ? 1 / variance.squareRoot() : 1) : 0
    }
    guard n >= d || d <= Self.widestCovariance else {
      let variances = square(centred).mean(alongAxes: [0])
      try self.init(mean: mean, scale: Tensor(variances.scalars.map(scale), shape: [d]), ofFew: centred, count: count)
      return
    }
    var covariance = matmul(centred, centred, transposeA: true)
    let scales = Tensor(shape: [d]) { out in
      for i in 0..<d { out[i] = scale(covariance.pointer[i * d + i] / Scalar(n)) }
    }
    covariance.withUnsafeMutableScalars { c in
      for i in c.indices { c[i] *= scales.pointer[i / d] * scales.pointer[i % d] / Scalar(n) }
    }
    let (values, vectors, kept) = try Self.eigen(covariance, points: n, count: count)
    self.init(
      mean: mean, scale: scales,
      components: Tensor(shape: [kept, d]) { out in
        for row in 0..<kept {
          for i in 0..<d { out[row * d + i] = vectors.pointer[i * d + d - 1 - row] }
        }
      }, variances: values.suffix(kept).reversed())
  }

  private init(mean: Tensor, scale: Tensor, components: Tensor, variances: [Scalar]) {
    (self.mean, self.scale, self.components, self.variances) = (mean, scale, components, variances)
  }

  /// More features than this are not brought to a covariance where there are fewer points: of 2,048 features its eigenvectors
  /// take some ten times as long as those of the products of 1,000 points.
  private static let widestCovariance = 1024

  /// The components of fewer points than features, from the products of the points with each other: where u is an eigenvector
  /// of x xᵀ / n with the eigenvalue v, xᵀ u / √(n v) is one of xᵀ x / n.
  private init(mean: Tensor, scale: Tensor, ofFew centred: Tensor, count: Int) throws(ExperimentError) {
    let (n, x) = (centred.shape[0], centred * scale)
    let products = matmul(x, x, transposeB: true) * (1 / Scalar(n))
    let (values, vectors, kept) = try Self.eigen(products, points: n, count: count)
    let weights = Tensor(shape: [kept, n]) { out in
      for row in 0..<kept {
        let value = values[n - 1 - row]
        let length = value > 0 ? 1 / (Scalar(n) * value).squareRoot() : 0
        for i in 0..<n { out[row * n + i] = vectors.pointer[i * n + n - 1 - row] * length }
      }
    }
    self.init(mean: mean, scale: scale, components: matmul(weights, x), variances: values.suffix(kept).reversed())
  }

  /// The eigenvalues of `matrix`, ascending, its eigenvectors as columns, and how many of the last are kept.
  private static func eigen(
    _ matrix: Tensor, points: Int, count: Int
  ) throws(ExperimentError) -> (values: [Scalar], vectors: Tensor, kept: Int) {
    guard let found = try? matrix.symmetricEigen(), case let values = found.values.scalars else {
      throw ExperimentError("the principal components of \(points) points were not found: are the features finite?")
    }
    // Directions without variance would only add rounding.
    let least = max(values.last! * 1e-6, .leastNormalMagnitude)
    return (values, found.vectors, max(1, min(count, values.count { $0 > least })))
  }

  /// Throws where a feature is NaN or infinite.
  static func requireFinite(_ points: Tensor) throws(ExperimentError) {
    guard points.withUnsafeScalars({ $0.allSatisfy(\.isFinite) }) else {
      throw ExperimentError("a feature is NaN or infinite: did the baseline diverge?")
    }
  }

  /// `points`, `[points, features]`, seen along the components: `[points, components]`.
  public func callAsFunction(_ points: Tensor) -> Tensor {
    require(
      points.rank == 2 && points.shape[1] == mean.count,
      "PrincipalComponents: points \(points.shape) have not \(mean.count) features")
    return matmul((points - mean) * scale, components, transposeB: true)
  }
}
