/// The clusters, entropies and representatives that the steps S2 to S4 found, as indices into the images trained on,
/// ``SeedRun/images``.
public struct ClusteringStage {
  /// The clusters of each class.
  public let clusters: Clusters
  /// The image that stands for each cluster.
  public let representatives: Representatives
  /// The baseline's entropy and confidence for each image trained on, in their order.
  public let confidence: PredictionConfidence
  /// The baseline's features of each image trained on: a map's mean over height and width.
  public let features: ImageFeatures
}

/// Stages S2 to S4, on the images trained on as they are: leaves a ``ClusteringStage``.
public struct Cluster: Step {
  let split: String?
  let clustering: IntraclassClustering
  let entropy: PredictionEntropy
  let selection: RepresentativeSelection

  /// The step with those settings.
  ///
  /// - Parameter split: The last feature layer, nil for the network's own.
  public init(
    split: String? = nil, clustering: IntraclassClustering = .init(), entropy: PredictionEntropy = .init(),
    selection: RepresentativeSelection = .init()
  ) {
    (self.split, self.clustering) = (split, clustering)
    (self.entropy, self.selection) = (entropy, selection)
  }

  public func planned(in plan: inout ArmPlan) throws -> Cluster {
    plan.forward("features and entropies")
    return self
  }

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    let (network, key) = (state.network, state.key)
    let images = run.images
    let features = features(of: network.parts(at: split).features, in: run)
    let confidence = entropy(of: network, on: run.inOrder(images))
    var clustering = clustering
    clustering.seed = run.seed("clusters", clustering.seed)
    let clusters = try run.store.value("clusters", key: key) {
      try clustering(features, labels: images.labels, names: images.classNames)
    } fits: {
      $0.fits(labels: images.labels)
    }
    let counts = clusters.classes.map(\.clusters.count)
    if let notice = clustering.notice(ofImages: clusters.classes.map(\.imageCount), clusters: counts) {
      run.warn(notice)
    }
    let representatives = try run.store.value("representatives", key: key) {
      selection.seeded(by: run)(clusters, features: features, confidence: confidence, images: images)
    } fits: {
      $0.fits(clusters)
    }
    state[ClusteringStage.self] = ClusteringStage(
      clusters: clusters, representatives: representatives, confidence: confidence, features: features)
  }

  /// The features that `layer` gives for the images trained on.
  private func features(of layer: any Layer, in run: SeedRun) -> ImageFeatures {
    let images = run.images
    let map = LayerTrace.run(layer, on: images.imageShape).output
    // Pixels are copied for these: 64 MiB at a time.
    let part = max(run.settings.batchSize, (64 << 20) / images.imageShape.count)
    func rows(_ images: LabeledImages) -> Tensor {
      outputs(of: layer, on: run.inOrder(images)) { $0.averagedOverSpace }
    }
    return ImageFeatures(
      count: images.count, width: map.rank == 4 ? map[3] : map.count, memoryLimit: clustering.featureMemoryLimit
    ) {
      rows(images)
    } computing: { all in
      .concatenated(
        stride(from: 0, to: all.count, by: part).map { rows(images.subset(Array(all[$0..<min($0 + part, all.count)]))) }
      )
    }
  }
}

extension RepresentativeSelection {
  /// Returns the selection with the seed of a run's stream.
  func seeded(by run: SeedRun) -> RepresentativeSelection {
    var selection = self
    selection.seed = run.seed("representatives", seed)
    return selection
  }
}

extension SplitClassifier {
  /// The parts before and after a split, nil for the network's own.
  func parts(at split: String?) -> (features: any Layer, classifier: any Layer) {
    split.map { self.split(at: $0) } ?? (features, classifier)
  }
}

extension Clusters {
  /// Each image's cluster, counted over all classes, for the images `0..<count` that this divides.
  func numbers(_ count: Int) -> [Int] {
    var (numbers, next) = ([Int](repeating: 0, count: count), 0)
    for members in classes.flatMap(\.clusters) {
      for image in members { numbers[image] = next }
      next += 1
    }
    return numbers
  }

  /// The clusters that a conversion goes by.
  func grouped(_ grouping: Conversion.Grouping, using generator: inout SplittableGenerator) -> Clusters {
    var result = self
    for index in classes.indices where grouping != .found {
      let all = classes[index].clusters.joined().sorted()
      if grouping == .one {
        result.classes[index].clusters = [all]
      } else {
        var left = all.shuffled(using: &generator)[...]
        result.classes[index].clusters = classes[index].clusters.map { cluster in
          defer { left = left.dropFirst(cluster.count) }
          return left.prefix(cluster.count).sorted()
        }
      }
      result.classes[index].silhouette = 0
    }
    return result
  }
}
