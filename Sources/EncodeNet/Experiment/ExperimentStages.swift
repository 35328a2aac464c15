import Foundation

/// A classifier that an experiment has trained.
public struct TrainedArm<Model: SplitClassifier> {
  /// "A0" to "A4".
  public let id: String
  /// What it is.
  public let name: String
  /// With its weights of the last epoch.
  public let model: Model
  /// How training went.
  public let curves: LearningCurves
  /// The file of its weights; see ``SavedClassifier``.
  public let weights: URL
}

/// What the stages S2 to S5 found, as indices into the training set.
public struct ClusteringStage: Sendable {
  /// The clusters of each class.
  public let clusters: Clusters
  /// The image that stands for each cluster.
  public let representatives: Representatives
  /// How sure the baseline is of each image trained on, in their order.
  public let certainty: Certainty
  let key: String

  /// Which image each is to be converted into.
  public var pairs: ConversionPairs { ConversionPairs(clusters, representatives) }
}

/// What stage S6 trained.
public struct ConversionStage<Model: SplitClassifier> {
  /// The autoencoder.
  public let gcae: GeneralizedConvertingAutoencoder
  /// The classifier whose feature layers are the autoencoder's encoder, and whose head is still the baseline's.
  public let model: Model
  /// How training went.
  public let curves: LearningCurves
  /// What the autoencoder makes of each image trained on, in 0...1.
  public let shown: Tensor
  /// How sure the baseline is of the converted images.
  public let certainty: Certainty
  let encoderCost: Int
  let decoderCost: Int
  let key: String
}

extension DatasetSplit {
  /// The training images in two: the same share of each class, drawn by `seed`, is for validation.
  func divided(validationShare: Double, subset: Int?, seed: UInt64) throws(EncodeNetError) -> (
    training: [Int], validation: [Int]
  ) {
    do {
      let used = try training.stratified(min(subset ?? training.count, training.count), seed: seed)
      let all = training.subset(used)
      let held = try all.stratified(Int((Double(all.count) * validationShare).rounded()), seed: seed)
      let isHeld = Set(held)
      let kept = used.indices.filter { !isHeld.contains($0) }
      let counts = kept.reduce(into: [Int](repeating: 0, count: classNames.count)) { $0[all.labels[$1]] += 1 }
      if let label = counts.firstIndex(of: 0) {
        throw EncodeNetError(
          "\(name): class '\(classNames[label])' has no image left to train on of the \(used.count) used: "
            + "use a larger subset or a smaller validation share")
      }
      return (kept.map { used[$0] }, held.map { used[$0] })
    } catch let error as EncodeNetError { throw error } catch { throw EncodeNetError("\(error)") }
  }
}

extension Clusters {
  /// The same clusters of the images that `rows` names.
  func at(_ rows: [Int]) -> Clusters {
    var result = self
    for index in classes.indices {
      result.classes[index].clusters = classes[index].clusters.map { $0.map { rows[$0] } }
    }
    return result
  }
}

extension Representatives {
  /// The same representatives among the images that `rows` names.
  func at(_ rows: [Int]) -> Representatives {
    Representatives(classes: classes.map { $0.map { rows[$0] } }, saturation: saturation)
  }
}
