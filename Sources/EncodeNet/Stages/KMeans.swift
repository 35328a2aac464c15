/// Divides points into `clusters` groups about their means, by Lloyd's iteration from k-means++ initialisations.
///
/// Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", 2007. With ``batchSize`` the mini-batch form of
/// Sculley: "Web-scale k-means clustering", 2010. The same seed gives the same result.
public struct KMeans: Sendable, Codable, Hashable {
  /// The number of groups.
  public var clusters: Int
  /// Initialisations tried; the result of least inertia is returned.
  public var restarts = 10
  /// Iterations at most.
  public var maximumIterations = 100
  /// Iteration ends once the inertia falls by less than this share.
  public var tolerance = 1e-4
  /// Points looked at in one iteration, nil for all of them.
  public var batchSize: Int?
  /// Decides the initialisations.
  public var seed: UInt64 = 0

  /// - Precondition: Both numbers are positive.
  public init(clusters: Int, restarts: Int = 10, batchSize: Int? = nil, seed: UInt64 = 0) {
    require(clusters > 0 && restarts > 0, "KMeans: \(clusters) clusters and \(restarts) restarts must be positive")
    (self.clusters, self.restarts, self.batchSize, self.seed) = (clusters, restarts, batchSize, seed)
  }

  /// A division of points.
  public struct Result: Sendable {
    /// The means, `[clusters, features]`.
    public var centroids: Tensor
    /// The cluster of each point.
    public var assignments: [Int]
    /// The sum over points of the squared distance to their mean.
    public var inertia: Double
  }

  /// Divides `points`, `[points, features]`.
  ///
  /// - Throws: Where there are fewer points than clusters.
  public func callAsFunction(_ points: Tensor) throws(ExperimentError) -> Result {
    require(points.rank == 2, "KMeans: points \(points.shape) are not [points, features]")
    guard points.shape[0] >= clusters else {
      throw ExperimentError("\(points.shape[0]) points cannot make \(clusters) clusters: ask for fewer clusters")
    }
    var generator = SplittableGenerator(seed: seed)
    var best: Result?
    for _ in 0..<restarts {
      var stream = generator.split()
      let start = initialization(points, using: &stream)
      let result =
        batchSize.map { miniBatch(points, from: start, size: min($0, points.shape[0]), using: &stream) }
        ?? lloyd(points, from: start)
      if best.map({ result.inertia < $0.inertia }) ?? true { best = result }
    }
    return best!
  }

  /// k-means++: each further centre is a point drawn by its squared distance to the nearest centre so far.
  private func initialization(_ points: Tensor, using generator: inout SplittableGenerator) -> Tensor {
    let n = points.shape[0]
    var chosen = [Int.random(in: 0..<n, using: &generator)]
    var nearest = squaredDistances(points, points.gather(chosen)).scalars
    while chosen.count < clusters {
      let total = nearest.reduce(0) { $0 + Double($1) }
      var next = Int.random(in: 0..<n, using: &generator)
      if total > 0 {
        var left = Double.random(in: 0..<total, using: &generator)
        for (index, distance) in nearest.enumerated() where distance > 0 {
          next = index
          left -= Double(distance)
          if left < 0 { break }
        }
      }
      chosen.append(next)
      squaredDistances(points, points.gather([next])).withUnsafeScalars { new in
        for i in 0..<n { nearest[i] = min(nearest[i], new[i]) }
      }
    }
    return points.gather(chosen)
  }

  private func lloyd(_ points: Tensor, from start: Tensor) -> Result {
    var (centroids, last, iterations) = (start, Double.infinity, 0)
    while true {
      let (assignments, distances) = nearestCentroids(points, centroids)
      let inertia = distances.reduce(0) { $0 + Double($1) }
      let hasSettled = last.isFinite && last - inertia <= tolerance * last
      if hasSettled || iterations == maximumIterations {
        return Result(centroids: centroids, assignments: assignments, inertia: inertia)
      }
      (last, iterations) = (inertia, iterations + 1)
      centroids = means(points, assignments, distances)
    }
  }

  /// The mean of each cluster; an empty one starts again at the point that lies worst.
  private func means(_ points: Tensor, _ assignments: [Int], _ distances: [Scalar]) -> Tensor {
    var assignments = assignments
    var counts = [Int](repeating: 0, count: clusters)
    for cluster in assignments { counts[cluster] += 1 }
    if counts.contains(0) {
      var worst = distances.indices.sorted { distances[$0] > distances[$1] }.makeIterator()
      for empty in counts.indices where counts[empty] == 0 {
        while let point = worst.next() {
          guard counts[assignments[point]] > 1 else { continue }
          counts[assignments[point]] -= 1
          (assignments[point], counts[empty]) = (empty, 1)
          break
        }
      }
    }
    let members = Tensor(shape: [points.shape[0], clusters]) { out in
      out.update(repeating: 0)
      for (point, cluster) in assignments.enumerated() {
        out[point * clusters + cluster] = 1 / Scalar(counts[cluster])
      }
    }
    return matmul(members, points, transposeA: true)
  }

  /// Each batch draws every mean it touches towards it by one over the points that mean has seen.
  private func miniBatch(
    _ points: Tensor, from start: Tensor, size: Int, using generator: inout SplittableGenerator
  ) -> Result {
    var centroids = start
    let d = points.shape[1]
    var seen = [Int](repeating: 0, count: clusters)
    for _ in 0..<maximumIterations {
      let batch = points.gather((0..<size).map { _ in Int.random(in: 0..<points.shape[0], using: &generator) })
      let (assignments, _) = nearestCentroids(batch, centroids)
      centroids.withUnsafeMutableScalars { c in
        for (point, cluster) in assignments.enumerated() {
          seen[cluster] += 1
          let rate = 1 / Scalar(seen[cluster])
          for i in 0..<d { c[cluster * d + i] += rate * (batch.pointer[point * d + i] - c[cluster * d + i]) }
        }
      }
    }
    let (assignments, distances) = nearestCentroids(points, centroids)
    return Result(
      centroids: centroids, assignments: assignments, inertia: distances.reduce(0) { $0 + Double($1) })
  }
}

/// The nearest row of `centroids` for each point, the first of equals, and the squared distance to it.
func nearestCentroids(_ points: Tensor, _ centroids: Tensor) -> (assignments: [Int], distances: [Scalar]) {
  let all = squaredDistances(points, centroids)
  let assignments = all.argmin()
  return (
    assignments,
    all.withUnsafeScalars { all in assignments.enumerated().map { all[$0 * centroids.shape[0] + $1] } }
  )
}
