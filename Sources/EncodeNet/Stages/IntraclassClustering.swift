/// Stage S2: divides the images of each class into clusters of their features.
///
/// For each class the features are standardised and reduced to their principal components, then divided by ``KMeans``.
/// Clusters too small to learn from join their neighbours, and a class has at most as many clusters as images.
///
/// Classes are divided one after the other: where the features of all images do not fit ``featureMemory``, those of a class
/// are computed, divided and forgotten, a part of a class at a time where it does not fit by itself.
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
  /// The memory for features, in MiB; nil for 1,024. Beyond it they are computed class by class, and the principal components
  /// of a class of more than a quarter of it are those of a sample.
  public var featureMemory: Int?
  /// Decides the initialisations of k-means and the silhouette's sample.
  public var seed: UInt64 = 0

  /// Two to eight clusters a class, by their silhouette.
  public init() { self.init(clustersPerClass: .silhouette(2...8)) }

  public static let settings: [Setting<IntraclassClustering>] = [
    Setting("clustersPerClass", \.clustersPerClass), Setting("dimensions", \.dimensions),
    Setting("restarts", \.restarts), Setting("minimumSilhouette", \.minimumSilhouette),
    Setting("smallestCluster", \.smallestCluster), Setting("smallestShare", \.smallestShare),
    Setting("miniBatchAbove", \.miniBatchAbove), Setting("featureMemory", \.featureMemory), Setting("seed", \.seed),
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
  /// - Throws: For a class without images, and for features that are NaN or infinite.
  public func callAsFunction(
    _ features: Tensor, labels: [Int], names: [String] = []
  ) throws(ExperimentError) -> Clusters {
    require(
      features.rank >= 2 && features.shape[0] == labels.count,
      "IntraclassClustering: features \(features.shape) do not fit \(labels.count) labels")
    return try self(ImageFeatures(features), labels: labels, names: names)
  }

  /// Divides the images of every class, whose features are asked for class by class.
  ///
  /// - Parameters:
  ///   - features: Of the training images alone.
  ///   - names: The classes' names, for errors.
  /// - Throws: For a class without images, and for features that are NaN or infinite.
  public func callAsFunction(
    _ features: ImageFeatures, labels: [Int], names: [String] = []
  ) throws(ExperimentError) -> Clusters {
    require(
      features.count == labels.count && labels.allSatisfy { $0 >= 0 },
      "IntraclassClustering: features of \(features.count) images do not fit \(labels.count) labels")
    var members = [[Int]](repeating: [], count: (labels.max() ?? -1) + 1)
    for (image, label) in labels.enumerated() { members[label].append(image) }
    var generator = SplittableGenerator(seed: seed)
    var classes: [Clusters.Class] = []
    for (label, images) in members.enumerated() {
      let classSeed = generator.next()
      try check(images.count, name: label < names.count ? "'\(names[label])'" : "\(label)")
      let points = try reduced(features, images, seed: classSeed)
      classes.append(try divide(points, images, label, seed: classSeed))
    }
    return Clusters(classes: classes)
  }

  /// Whether each class has an image, without dividing any.
  func check(labels: [Int], names: [String]) throws(ExperimentError) {
    let counts = labels.reduce(into: [Int](repeating: 0, count: names.count)) { $0[$1] += 1 }
    for (name, count) in zip(names, counts) { try check(count, name: "'\(name)'") }
  }

  private func check(_ images: Int, name: String) throws(ExperimentError) {
    let fewest = counts.lowerBound
    guard fewest > 0 else { throw ExperimentError("\(fewest) clusters per class: there must be at least 1") }
    guard images > 0 else { throw ExperimentError("class \(name) has no images: there is nothing to cluster") }
  }

  /// A notice of the classes that have fewer clusters than asked for, nil where there are none.
  package func notice(ofImages images: [Int], clusters: [Int]) -> String? {
    let asked = counts.lowerBound
    let tooFew = images.count { $0 < asked }
    // By silhouette or elbow one cluster may be what was found.
    var joined = 0
    if case .fixed = clustersPerClass { joined = zip(images, clusters).count { $0 >= asked && $1 < asked } }
    guard tooFew + joined > 0 else { return nil }
    let reasons =
      (tooFew > 0 ? ["\(tooFew) with fewer images than that"] : [])
      + (joined > 0 ? ["\(joined) in which clusters that were too small (smallestCluster) joined others"] : [])
    return
      "\(tooFew + joined) of \(images.count) classes have fewer than the \(asked) clusters asked for: \(reasons.joined(separator: ", "))"
  }

  /// The bytes that features may take.
  var featureMemoryLimit: Int { featureMemory.map { $0 << 20 } ?? ImageFeatures.usualMemoryLimit }

  var largestCount: Int { counts.upperBound }

  private var counts: ClosedRange<Int> {
    switch clustersPerClass {
    case .fixed(let k): k...k
    case .silhouette(let range), .elbow(let range): range
    }
  }

  /// The features of the images of a class along their principal components; those of a class too large for memory along the
  /// components of a sample, a part at a time.
  func reduced(_ features: ImageFeatures, _ images: [Int], seed: UInt64) throws(ExperimentError) -> Tensor {
    guard images.count > features.largestPart else {
      let members = features(images)
      return try PrincipalComponents(of: members, count: dimensions)(members)
    }
    var generator = SplittableGenerator(seed: seed, stream: "sample of components")
    let sample = images.shuffled(using: &generator).prefix(features.largestPart).sorted()
    let components = try PrincipalComponents(of: features(sample), count: dimensions)
    var parts: [Tensor] = []
    for part in features.parts(images) {
      let rows = features(part)
      try PrincipalComponents.requireFinite(rows)
      parts.append(components(rows))
    }
    return .concatenated(parts)
  }

  private func divide(
    _ reduced: Tensor, _ images: [Int], _ label: Int, seed: UInt64
  ) throws(ExperimentError) -> Clusters.Class {
    func result(_ k: Int) throws(ExperimentError) -> KMeans.Result {
      let batch = images.count > miniBatchAbove ? 1024 : nil
      return try KMeans(clusters: k, restarts: k == 1 ? 1 : restarts, batchSize: batch, seed: seed)(reduced)
    }
    let silhouette = Silhouette(of: reduced, seed: seed)
    var tried: [(result: KMeans.Result, silhouette: Double)] = []
    // No more clusters than images.
    for k in min(counts.lowerBound, images.count)...min(counts.upperBound, images.count) {
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
      // Equal points may leave a cluster empty.
      guard Double(sizes[smallest]) < least || sizes[smallest] == 0, living.count > 1 else { break }
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
