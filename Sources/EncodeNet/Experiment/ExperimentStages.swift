import Foundation

/// A classifier that an experiment has trained.
public struct TrainedArm {
  /// What it is.
  public let arm: Arm
  /// With its weights of the last epoch, or their average.
  public let model: any SplitClassifier
  /// How training went.
  public let curves: LearningCurves
  /// The file of its weights; see ``SavedClassifier``.
  public let weights: URL
  /// What was paid for it.
  public let budget: TrainingBudget
  /// What its epochs took, with those of everything it was made from.
  public let seconds: Double
  let key: String
}

/// What the stages S2 to S4 found, as indices into the images trained on, ``ExperimentRun/images``.
public struct ClusteringStage {
  /// The clusters of each class.
  public let clusters: Clusters
  /// The image that stands for each cluster.
  public let representatives: Representatives
  /// How sure the baseline is of each image trained on, in their order.
  public let certainty: Certainty
  /// What the baseline sees in each image trained on, `[images, features]`: a map's mean over height and width.
  public let features: Tensor
  let baseline: String
  let key: String
}

/// What stage S6 trained.
public struct ConversionStage {
  /// The autoencoder, nil where the encoder learnt sub-classes instead.
  public let gcae: GeneralizedConvertingAutoencoder?
  /// The classifier whose feature layers are the autoencoder's encoder, and whose head is still the baseline's.
  public let model: any SplitClassifier
  /// How training went.
  public let curves: LearningCurves
  let key: String

  /// What its epochs took.
  var seconds: Double { curves.seconds }
}

extension LearningCurves {
  /// What the epochs took together.
  var seconds: Double { reports.reduce(0) { $0 + $1.seconds } }
}

extension DatasetSplit {
  /// Of the training images those trained on, those kept for validation and those for audit, each drawn by a stream of
  /// `seed`, and each with the same share of every class.
  ///
  /// - Parameters:
  ///   - subset: Those trained on and validated on together, nil for all.
  ///   - audit: As many of what `subset` leaves unused, at most.
  func divided(validationShare: Double, subset: Int?, audit: Int, seed: UInt64) throws(EncodeNetError) -> (
    training: [Int], validation: [Int], audit: [Int]
  ) {
    do {
      let used = try training.stratified(
        min(subset ?? training.count, training.count), seed: SplittableGenerator.seed(seed, stream: "subset"))
      let all = training.subset(used)
      let kept = try all.stratified(
        Int((Double(all.count) * validationShare).rounded()), seed: SplittableGenerator.seed(seed, stream: "validation")
      )
      let isKept = Set(kept)
      let trained = used.indices.filter { !isKept.contains($0) }
      let counts = trained.reduce(into: [Int](repeating: 0, count: classNames.count)) { $0[all.labels[$1]] += 1 }
      if let label = counts.firstIndex(of: 0) {
        throw EncodeNetError(
          "\(name): class '\(classNames[label])' has no image left to train on of the \(used.count) used: "
            + "use a larger subset or a smaller validation share")
      }
      let isUsed = Set(used)
      let unused = training.labels.indices.filter { !isUsed.contains($0) }
      let audited = try training.subset(unused).stratified(
        min(audit, unused.count), seed: SplittableGenerator.seed(seed, stream: "audit"))
      return (trained.map { used[$0] }, kept.map { used[$0] }, audited.map { unused[$0] })
    } catch let error as EncodeNetError { throw error } catch { throw EncodeNetError("\(error)") }
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
    for index in classes.indices {
      let all = classes[index].clusters.joined().sorted()
      switch grouping {
      case .found: break
      case .one: result.classes[index].clusters = [all]
      case .random:
        var left = all.shuffled(using: &generator)[...]
        result.classes[index].clusters = classes[index].clusters.map { cluster in
          defer { left = left.dropFirst(cluster.count) }
          return left.prefix(cluster.count).sorted()
        }
      }
      if grouping != .found { result.classes[index].silhouette = 0 }
    }
    return result
  }
}
