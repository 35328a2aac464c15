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
    guard points.withUnsafeScalars({ $0.allSatisfy(\.isFinite) }) else {
      throw ExperimentError("a feature is NaN or infinite: did the baseline diverge?")
    }
    let mean = points.mean(alongAxes: [0])
    let centred = points - mean
    var covariance = matmul(centred, centred, transposeA: true)
    let scale = Tensor(shape: [d]) { out in
      for i in 0..<d {
        let variance = covariance.pointer[i * d + i] / Scalar(n)
        out[i] = variance > 1e-12 ? (standardizing ? 1 / variance.squareRoot() : 1) : 0
      }
    }
    covariance.withUnsafeMutableScalars { c in
      for i in c.indices { c[i] *= scale.pointer[i / d] * scale.pointer[i % d] / Scalar(n) }
    }
    let found = try? covariance.symmetricEigen()
    guard let vectors = found?.vectors, let values = found?.values.scalars else {
      throw ExperimentError("the principal components of \(n) points were not found: are the features finite?")
    }
    // Directions without variance would only add rounding.
    let least = max(values.last! * 1e-6, .leastNormalMagnitude)
    let kept = max(1, min(count, values.count { $0 > least }))
    (self.mean, self.scale) = (mean, scale)
    variances = values.suffix(kept).reversed()
    components = Tensor(shape: [kept, d]) { out in
      for row in 0..<kept {
        for i in 0..<d { out[row * d + i] = vectors.pointer[i * d + d - 1 - row] }
      }
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
