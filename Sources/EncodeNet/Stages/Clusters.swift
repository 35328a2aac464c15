/// The images of each class in clusters: the product of ``IntraclassClustering``.
public struct Clusters: Sendable, Codable, Hashable {
  /// Measurements of one number of clusters.
  public struct Trial: Sendable, Codable, Hashable {
    public var k: Int
    public var inertia: Double
    public var silhouette: Double
  }
  /// One class.
  public struct Class: Sendable, Codable, Hashable {
    public var label: Int
    /// The images of each cluster, as indices into those that the labels are of.
    public var clusters: [[Int]]
    /// The mean silhouette of the clusters after merging, 0 for one cluster.
    public var silhouette: Double
    /// The inertia before merging.
    public var inertia: Double
    /// Every number of clusters tried.
    public var curve: [Trial]

    /// Clusters of a class; what was measured of them is for reports alone.
    public init(
      label: Int, clusters: [[Int]], silhouette: Double = 0, inertia: Double = 0, curve: [Trial] = []
    ) {
      (self.label, self.clusters, self.silhouette) = (label, clusters, silhouette)
      (self.inertia, self.curve) = (inertia, curve)
    }

    /// The number of images.
    var imageCount: Int { clusters.reduce(0) { $0 + $1.count } }

    /// The mean of each cluster's features.
    func centres(in features: ImageFeatures) -> Tensor {
      .stacked(clusters.map { features.mean(of: $0) }, axis: 0)
    }
  }
  /// The classes in the order of their labels.
  public var classes: [Class]

  /// Clusters given by hand, or by another method.
  public init(classes: [Class]) { self.classes = classes }

  /// Clusters of the caller's own.
  ///
  /// - Parameters:
  ///   - assignments: Of each image, any number that it shares with the images of its class in its cluster.
  ///   - labels: The class of each image; every class up to the last has an image.
  public init(_ assignments: [Int], labels: [Int]) {
    require(
      assignments.count == labels.count && labels.allSatisfy { $0 >= 0 },
      "Clusters: \(assignments.count) assignments do not fit \(labels.count) labels, or a label is negative")
    classes = (0..<(labels.max() ?? -1) + 1).map { label in
      let members = labels.indices.filter { labels[$0] == label }
      let groups = Dictionary(grouping: members) { assignments[$0] }
      return Class(label: label, clusters: groups.sorted { $0.key < $1.key }.map(\.value))
    }
  }

  /// Whether every image is in one cluster, and that of its class.
  func fits(labels: [Int]) -> Bool {
    classes.flatMap { $0.clusters.joined() }.sorted() == Array(labels.indices)
      && classes.allSatisfy { group in
        group.clusters.allSatisfy { !$0.isEmpty && $0.allSatisfy { labels[$0] == group.label } }
      }
  }

  /// The number of clusters of all classes.
  public var count: Int { classes.reduce(0) { $0 + $1.clusters.count } }
}
