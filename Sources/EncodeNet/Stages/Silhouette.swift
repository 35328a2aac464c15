/// The silhouette of points in clusters: near 1 far from other clusters, near 0 between two, below 0 in the wrong one.
///
/// Distances are found once for a sample of the points, so that many divisions of the same points can be compared.
/// Rousseeuw: "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", 1987.
public struct Silhouette: Sendable {
  /// The points measured.
  public let sample: [Int]
  private let distances: Tensor

  /// For `points`, `[points, features]`, or `limit` of them drawn by `seed` where there are more.
  public init(of points: Tensor, limit: Int = 1000, seed: UInt64 = 0) {
    require(points.rank == 2 && limit > 0, "Silhouette: points \(points.shape) are not [points, features]")
    var generator = SplittableGenerator(seed: seed)
    let all = Array(0..<points.shape[0])
    sample = all.count > limit ? all.shuffled(using: &generator).prefix(limit).sorted() : all
    let rows = points.gather(sample)
    var distances = squaredDistances(rows, rows)
    distances.withUnsafeMutableScalars { for i in $0.indices { $0[i] = $0[i].squareRoot() } }
    self.distances = distances
  }

  /// The mean over the sample for a division of all points; a point alone in its cluster counts 0, and so does one cluster.
  public func callAsFunction(_ assignments: [Int]) -> Double {
    let sampled = sample.map { assignments[$0] }
    let clusters = (sampled.max() ?? 0) + 1
    var counts = [Int](repeating: 0, count: clusters)
    for cluster in sampled { counts[cluster] += 1 }
    guard counts.count(where: { $0 > 0 }) > 1 else { return 0 }
    let n = sample.count
    let total = distances.withUnsafeScalars { distances in
      var total = 0.0
      var sums = [Double](repeating: 0, count: clusters)
      for row in 0..<n {
        for cluster in sums.indices { sums[cluster] = 0 }
        for other in 0..<n { sums[sampled[other]] += Double(distances[row * n + other]) }
        guard counts[sampled[row]] > 1 else { continue }
        let within = sums[sampled[row]] / Double(counts[sampled[row]] - 1)
        var between = Double.infinity
        for cluster in sums.indices where cluster != sampled[row] && counts[cluster] > 0 {
          between = min(between, sums[cluster] / Double(counts[cluster]))
        }
        let larger = max(within, between)
        if larger > 0 { total += (between - within) / larger }
      }
      return total
    }
    return total / Double(n)
  }
}
