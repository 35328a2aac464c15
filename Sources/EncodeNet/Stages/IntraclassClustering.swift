/// Stage S2: divides the images of each class into clusters of their features.
///
/// For each class the features are standardised and reduced to their principal components, then divided by ``KMeans``.
/// Clusters too small to learn from join their neighbours.
///
/// ```swift
/// let clusters = try IntraclassClustering(clustersPerClass: .silhouette(2...8))(features, labels: labels)
/// ```
public struct IntraclassClustering: Settings {
  /// The rule for the number of clusters of a class.
  public enum Count: Sendable, Hashable {
    /// The same number for each class.
    case fixed(Int)
    /// The number of greatest mean silhouette, or 1 where even that is below ``minimumSilhouette``.
    case silhouette(ClosedRange<Int>)
    /// The number at the bend of the curve of inertia: the farthest below its chord.
    case elbow(ClosedRange<Int>)
  }

  /// The rule for the number of clusters of a class.
  public var clustersPerClass: Count
  /// Principal components at most.
  public var dimensions = 50
  /// Initialisations of k-means.
  public var restarts = 10
  /// A mean silhouette below this says that a class has no structure.
  public var minimumSilhouette = 0.05
  /// A cluster smaller than this, or than ``smallestShare``, joins its neighbours.
  public var smallestCluster = 20
  /// The share of its class that a cluster must have.
  public var smallestShare = 0.01
  /// Classes larger than this are divided in mini-batches of 1,024.
  public var miniBatchAbove = 20_000
  /// Decides the initialisations of k-means and the silhouette's sample.
  public var seed: UInt64 = 0

  /// Two to eight clusters a class, by their silhouette.
  public init() { self.init(clustersPerClass: .silhouette(2...8)) }

  public static let settings: [Setting<IntraclassClustering>] = [
    Setting("clustersPerClass", \.clustersPerClass), Setting("dimensions", \.dimensions),
    Setting("restarts", \.restarts), Setting("minimumSilhouette", \.minimumSilhouette),
    Setting("smallestCluster", \.smallestCluster), Setting("smallestShare", \.smallestShare),
    Setting("miniBatchAbove", \.miniBatchAbove), Setting("seed", \.seed),
  ]

  /// The defaults with that count and seed.
  public init(clustersPerClass: Count, seed: UInt64 = 0) {
    (self.clustersPerClass, self.seed) = (clustersPerClass, seed)
  }

  /// Divides the images of every class.
  ///
  /// - Parameters:
  ///   - features: `[images, …]`, of the training images alone.
  ///   - names: The classes' names, for errors.
  /// - Throws: For a class with fewer images than clusters, and for features that are NaN or infinite.
  public func callAsFunction(
    _ features: Tensor, labels: [Int], names: [String] = []
  ) throws(ExperimentError) -> Clusters {
    require(
      features.rank >= 2 && features.shape[0] == labels.count,
      "IntraclassClustering: features \(features.shape) do not fit \(labels.count) labels")
    let points = features.flattenedRows
    var generator = SplittableGenerator(seed: seed)
    var classes: [Clusters.Class] = []
    for label in 0..<(labels.max() ?? -1) + 1 {
      let classSeed = generator.next()
      let images = labels.indices.filter { labels[$0] == label }
      let name = label < names.count ? "'\(names[label])'" : "\(label)"
      classes.append(try divide(points, images, label, name: name, seed: classSeed))
    }
    return Clusters(classes: classes)
  }

  /// Whether each class has an image for each of its fewest clusters, without dividing any.
  func check(labels: [Int], names: [String]) throws(ExperimentError) {
    for (label, name) in names.enumerated() { try check(labels.count { $0 == label }, name: "'\(name)'") }
  }

  private func check(_ images: Int, name: String) throws(ExperimentError) {
    let fewest = counts.lowerBound
    guard fewest > 0 else { throw ExperimentError("\(fewest) clusters per class: there must be at least 1") }
    guard images >= fewest else {
      throw ExperimentError(
        "class \(name) has \(images) images, fewer than \(fewest) clusters: "
          + "ask for fewer clusters per class or use more images")
    }
  }

  var largestCount: Int { counts.upperBound }

  private var counts: ClosedRange<Int> {
    switch clustersPerClass {
    case .fixed(let k): k...k
    case .silhouette(let range), .elbow(let range): range
    }
  }

  private func divide(
    _ points: Tensor, _ images: [Int], _ label: Int, name: String, seed: UInt64
  ) throws(ExperimentError) -> Clusters.Class {
    try check(images.count, name: name)
    let members = points.gather(images)
    let reduced = try PrincipalComponents(of: members, count: dimensions)(members)
    func result(_ k: Int) throws(ExperimentError) -> KMeans.Result {
      let batch = images.count > miniBatchAbove ? 1024 : nil
      return try KMeans(clusters: k, restarts: k == 1 ? 1 : restarts, batchSize: batch, seed: seed)(reduced)
    }
    let silhouette = Silhouette(of: reduced, seed: seed)
    var tried: [(result: KMeans.Result, silhouette: Double)] = []
    for k in counts.lowerBound...min(counts.upperBound, images.count) {
      let result = try result(k)
      tried.append((result, silhouette(result.assignments)))
    }
    var chosen: KMeans.Result
    switch clustersPerClass {
    case .fixed: chosen = tried[0].result
    case .silhouette:
      let best = tried.indices.reduce(0) { tried[$1].silhouette > tried[$0].silhouette ? $1 : $0 }
      chosen = tried[best].silhouette < minimumSilhouette ? try result(1) : tried[best].result
    case .elbow: chosen = tried[Self.bend(tried.map(\.result.inertia))].result
    }
    let merged = merging(chosen, reduced)
    let count = (merged.max() ?? 0) + 1
    var clusters = [[Int]](repeating: [], count: count)
    for (image, cluster) in zip(images, merged) { clusters[cluster].append(image) }
    return Clusters.Class(
      label: label, clusters: clusters, silhouette: silhouette(merged), inertia: chosen.inertia,
      curve: tried.map { .init(k: $0.result.centroids.shape[0], inertia: $0.result.inertia, silhouette: $0.silhouette) }
    )
  }

  /// The index farthest below the chord from the first to the last value.
  static func bend(_ values: [Double]) -> Int {
    guard values.count > 2, let first = values.first, let last = values.last else { return 0 }
    let depths = values.enumerated().map { index, value in
      first + (last - first) * Double(index) / Double(values.count - 1) - value
    }
    return depths.indices.reduce(0) { depths[$1] > depths[$0] ? $1 : $0 }
  }

  /// Gives the points of the smallest cluster to the nearest others while it is too small; clusters are renumbered.
  private func merging(_ result: KMeans.Result, _ points: Tensor) -> [Int] {
    let least = max(Double(smallestCluster), smallestShare * Double(points.shape[0]))
    var living = Array(0..<result.centroids.shape[0])
    var assignments = result.assignments
    while true {
      let sizes = living.map { cluster in assignments.count { $0 == cluster } }
      guard let smallest = sizes.indices.min(by: { sizes[$0] < sizes[$1] }) else { return assignments }
      guard Double(sizes[smallest]) < least, living.count > 1 else { break }
      let gone = living.remove(at: smallest)
      let left = assignments.indices.filter { assignments[$0] == gone }
      guard !left.isEmpty else { continue }
      let nearest = nearestCentroids(points.gather(left), result.centroids.gather(living)).assignments
      for (point, cluster) in zip(left, nearest) { assignments[point] = living[cluster] }
    }
    return assignments.map { living.firstIndex(of: $0)! }
  }
}

extension IntraclassClustering.Count: Codable {
  /// A number, or an object such as `{"silhouette": [2, 8]}`.
  public init(from decoder: any Swift.Decoder) throws {
    if let count = try? decoder.singleValueContainer().decode(Int.self) {
      self = .fixed(count)
      return
    }
    let found = try Alternative(from: decoder, of: ["fixed", "silhouette", "elbow"])
    switch found.name {
    case "fixed": self = .fixed(try found.value())
    case "silhouette": self = .silhouette(try found.value())
    default: self = .elbow(try found.value())
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .fixed(let count): try count.encode(to: encoder)
    case .silhouette(let range): try Alternative.encode("silhouette", range, to: encoder)
    case .elbow(let range): try Alternative.encode("elbow", range, to: encoder)
    }
  }
}
