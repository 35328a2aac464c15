/// Stage S4: chooses the image that stands for each cluster.
public struct RepresentativeSelection: Settings {
  /// The rule that chooses the image of a cluster.
  public enum Selector: String, Sendable, Codable, Hashable, CaseIterable {
    /// The image of least entropy: the paper's. The first of equals.
    case minimumEntropy
    /// The medoid of the tenth of least entropy among the images that the baseline classifies rightly.
    ///
    /// Where a baseline has saturated, many entropies are nearly 0, and rounding decides which is least; it does not decide this.
    case lowEntropyMedoid
    /// The image of that tenth whose distance from the mean image is nearest to the median over all such images.
    ///
    /// An image of little contrast lies near the mean of all images, and so near to every mixture: converted images of any
    /// class come out nearest to it. Representatives of one contrast have no such hub.
    /// Radovanović, Nanopoulos, Ivanović: "Hubs in space: popular nearest neighbors in high-dimensional data", 2010.
    case evenContrast
    /// The one with the least sum of distances to the others, whatever its entropy.
    case medoid
    /// Any.
    case random
  }
  /// The rule that chooses the image of a cluster.
  public var selector: Selector
  /// Decides ``Selector/random``.
  public var seed: UInt64

  /// The paper's: least entropy.
  public init() { self.init(.minimumEntropy) }

  public static let settings: [Setting<RepresentativeSelection>] = [
    Setting("selector", \.selector), Setting("seed", \.seed),
  ]

  /// A selection by that rule.
  public init(_ selector: Selector, seed: UInt64 = 0) {
    (self.selector, self.seed) = (selector, seed)
  }

  /// Chooses an image for every cluster.
  ///
  /// - Parameters:
  ///   - features: `[images, …]`, in which medoids are found.
  ///   - confidence: Of every image.
  ///   - images: Needed by ``Selector/evenContrast`` alone.
  /// - Precondition: What the selector needs is given.
  public func callAsFunction(
    _ clusters: Clusters, features: Tensor, confidence: PredictionConfidence, images: LabeledImages? = nil
  ) -> Representatives {
    require(
      features.rank >= 2 && features.shape[0] == confidence.entropies.count,
      "RepresentativeSelection: features \(features.shape) do not fit \(confidence.entropies.count) entropies")
    return self(clusters, features: ImageFeatures(features), confidence: confidence, images: images)
  }

  /// Chooses an image for every cluster, from features that are asked for cluster by cluster, and by medoids alone.
  ///
  /// The medoid of more than ``largestMedoid`` images, or of more than fit the memory for features, is that of a sample of them.
  /// - Parameters:
  ///   - features: In which medoids are found.
  ///   - confidence: Of every image.
  ///   - images: Needed by ``Selector/evenContrast`` alone.
  /// - Precondition: What the selector needs is given.
  public func callAsFunction(
    _ clusters: Clusters, features: ImageFeatures, confidence: PredictionConfidence, images: LabeledImages? = nil
  ) -> Representatives {
    require(
      features.count == confidence.entropies.count,
      "RepresentativeSelection: features of \(features.count) images do not fit \(confidence.entropies.count) entropies"
    )
    require(
      selector != .evenContrast || images?.count == confidence.entropies.count,
      "RepresentativeSelection: evenContrast needs the images, as many as there are entropies")
    if selector == .evenContrast, let images { return evenContrast(clusters, confidence, images) }
    var generator = SplittableGenerator(seed: seed)
    func chosen(_ members: [Int]) -> Int {
      require(!members.isEmpty, "RepresentativeSelection: a cluster has no image")
      switch selector {
      case .minimumEntropy, .evenContrast: return members.min { confidence.precedes($0, $1) }!
      case .medoid: return Self.medoid(members, features)
      case .random: return members.randomElement(using: &generator)!
      case .lowEntropyMedoid:
        return Self.medoid(confidence.clearestTenth(of: members), features)
      }
    }
    return Representatives(
      classes: clusters.classes.map { $0.clusters.map(chosen) }, saturation: confidence.saturation)
  }

  private func evenContrast(_ clusters: Clusters, _ confidence: PredictionConfidence, _ images: LabeledImages)
    -> Representatives
  {
    var sum = Tensor.zeros(images.imageShape)
    for start in stride(from: 0, to: images.count, by: 256) {
      sum += images.tensor(at: Array(start..<min(start + 256, images.count))).sum(alongAxes: [0])
    }
    let mean = (sum * (1 / Scalar(images.count))).reshaped(to: [1, images.imageShape.count])
    let candidates = clusters.classes.map { $0.clusters.map { confidence.clearestTenth(of: $0) } }
    let distances = candidates.map { group in
      group.map { members in
        // Only large parts are divided: products of other sizes may round otherwise.
        let part = max(256, (256 << 20) / (4 * images.imageShape.count))
        return stride(from: 0, to: members.count, by: part).flatMap { start in
          let part = Array(members[start..<min(start + part, members.count)])
          return squaredDistances(images.tensor(at: part).flattenedRows, mean).scalars
        }
      }
    }
    let sorted = distances.joined().joined().sorted()
    let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    let chosen = zip(candidates, distances).map { group, ofGroup in
      zip(group, ofGroup).map { members, contrasts in
        members[contrasts.indices.min { abs(contrasts[$0] - median) < abs(contrasts[$1] - median) }!]
      }
    }
    return Representatives(classes: chosen, saturation: confidence.saturation)
  }

  /// The largest number of images whose distances from each other are all found.
  public static let largestMedoid = 20_000

  /// The member with the least sum of distances to the others; rows are taken a few at a time to bound memory.
  private static func medoid(_ members: [Int], _ features: ImageFeatures) -> Int {
    let members = features.sample(of: members, atMost: largestMedoid)
    let all = features(members)
    var sums: [Double] = []
    for start in stride(from: 0, to: members.count, by: 512) {
      let part = all.gather(Array(start..<min(start + 512, members.count)))
      squaredDistances(part, all).withUnsafeScalars { distances in
        for row in 0..<part.shape[0] {
          sums.append(
            distances[row * members.count..<(row + 1) * members.count].reduce(0) { $0 + Double($1.squareRoot()) })
        }
      }
    }
    return members[sums.indices.reduce(0) { sums[$1] < sums[$0] ? $1 : $0 }]
  }
}

extension PredictionConfidence {
  /// Orders by entropy, then by index, so that the order never depends on the sort.
  func precedes(_ a: Int, _ b: Int) -> Bool { (entropies[a], a) < (entropies[b], b) }

  /// The tenth of least entropy among the `members` that are classified rightly, or among all where none is.
  func clearestTenth(of members: [Int]) -> [Int] {
    let right = members.filter { isCorrect[$0] }
    let sorted = (right.isEmpty ? members : right).sorted { precedes($0, $1) }
    return Array(sorted.prefix((sorted.count + 9) / 10))
  }
}

/// The image that stands for each cluster of each class: the product of ``RepresentativeSelection``.
public struct Representatives: Sendable, Codable, Hashable {
  /// For each class the image of each cluster, as indices into the images that the clusters are of.
  public var classes: [[Int]]
  /// The share of training images on which the baseline has saturated.
  public var saturation: Double

  /// Representatives given by hand, or by another method.
  public init(classes: [[Int]], saturation: Double = 0) { (self.classes, self.saturation) = (classes, saturation) }

  /// Representatives that `choose` names: of each cluster one of its members.
  ///
  /// - Precondition: What it names is a member.
  public init<E: Error>(
    _ clusters: Clusters, choosing choose: (_ label: Int, _ members: [Int]) throws(E) -> Int
  ) throws(E) {
    self.init(classes: [])
    for group in clusters.classes {
      var chosen: [Int] = []
      for members in group.clusters {
        let image = try choose(group.label, members)
        require(
          members.contains(image),
          "Representatives: image \(image) was chosen for a cluster of class \(group.label) that it is not in")
        chosen.append(image)
      }
      classes.append(chosen)
    }
  }

  /// Whether each is of its cluster.
  func fits(_ clusters: Clusters) -> Bool {
    classes.count == clusters.classes.count
      && zip(classes, clusters.classes).allSatisfy { chosen, group in
        chosen.count == group.clusters.count && zip(chosen, group.clusters).allSatisfy { $1.contains($0) }
      }
  }
}
