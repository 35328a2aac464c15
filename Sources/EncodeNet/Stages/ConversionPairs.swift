import Foundation

/// The product of stage S5: which image each training image is to be converted into.
///
/// Pairs are indices, so that images are never copied and a shuffle cannot part an image from its target.
///
/// ```swift
/// var pairs = ConversionPairs(clusters, representatives)
/// pairs = pairs.weighted(by: entropies, strength: 0.5)
/// ```
public struct ConversionPairs: Sendable, Codable, Hashable {
  /// A part of a mixed target.
  public struct Share: Sendable, Codable, Hashable {
    /// An index into the target images.
    public var target: Int
    /// The share, in 0...1; those of a pair sum to 1.
    public var share: Double

    /// `share` of the target image `target`.
    public init(target: Int, share: Double) { (self.target, self.share) = (target, share) }
  }

  /// An image and its target.
  public struct Pair: Sendable, Codable, Hashable {
    /// The image, as an index into the images trained on.
    public var input: Int
    /// Its target, as an index into the target images: by default the images trained on.
    public var target: Int
    /// Multiplies the loss of this pair.
    public var weight: Double
    /// The parts of a mixed target; empty for ``target`` alone.
    public var mixture: [Share]

    /// `input` is to become `target`.
    public init(input: Int, target: Int, weight: Double = 1, mixture: [Share] = []) {
      (self.input, self.target, self.weight, self.mixture) = (input, target, weight, mixture)
    }
  }

  /// The pairs, in the order of their images.
  public private(set) var pairs: [Pair]

  /// Pairs of the caller's own.
  ///
  /// - Precondition: No image is in two pairs, weights are finite and not negative, and the shares of a mixture sum to 1.
  public init(_ pairs: [Pair]) {
    self.pairs = pairs.sorted { $0.input < $1.input }
    require(
      zip(self.pairs, self.pairs.dropFirst()).allSatisfy { $0.input != $1.input },
      "ConversionPairs: an image is in two pairs")
    for pair in pairs {
      require(
        pair.weight >= 0 && pair.weight.isFinite,
        "ConversionPairs: the pair of image \(pair.input) has the weight \(pair.weight)")
      require(
        pair.mixture.isEmpty || abs(pair.mixture.reduce(0) { $0 + $1.share } - 1) < 1e-6,
        "ConversionPairs: the shares of image \(pair.input)'s target do not sum to 1")
    }
  }

  /// A pair for every image of every cluster: with its representative.
  ///
  /// - Precondition: Both describe the same clusters, and no image is in two of them.
  public init(_ clusters: Clusters, _ representatives: Representatives) {
    require(
      clusters.classes.map(\.clusters.count) == representatives.classes.map(\.count),
      "ConversionPairs: there is not one representative for each cluster")
    self.init(
      zip(clusters.classes, representatives.classes).flatMap { group, targets in
        zip(group.clusters, targets).flatMap { members, target in members.map { Pair(input: $0, target: target) } }
      })
  }

  /// The number of pairs.
  public var count: Int { pairs.count }

  /// These pairs with the images of high entropy counting for more, weights of mean 1.
  ///
  /// - Parameters:
  ///   - entropies: Of every image trained on.
  ///   - strength: 0 weighs all alike; 1 weighs an image by its entropy alone.
  public func weighted(by entropies: [Double], strength: Double) -> ConversionPairs {
    require((0...1).contains(strength), "ConversionPairs.weighted: the strength \(strength) is not in 0...1")
    require(
      pairs.allSatisfy { entropies.indices.contains($0.input) },
      "ConversionPairs.weighted: there are \(entropies.count) entropies, an image paired is beyond them")
    let mean = pairs.mean { entropies[$0.input] }
    guard mean > 0 else { return self }
    var result = self
    for index in pairs.indices {
      result.pairs[index].weight = 1 - strength + strength * entropies[pairs[index].input] / mean
    }
    return result
  }

  /// These pairs with each target mixed of the representatives of all clusters of the image's class.
  ///
  /// A cluster's share falls with the squared distance of the image's features from those of the cluster's centre:
  /// softmax(−d² / (temperature · mean d²)), where the mean is over the images of the class and the nearest centre of each.
  /// So an image between two clusters becomes a mixture of both, as in soft k-means (MacKay: "Information theory, inference,
  /// and learning algorithms", 2003, chapter 22). The mixture takes the place of the pair's target, also where the nearest
  /// centre is that of another cluster of the class: clusters should have been found in these features.
  ///
  /// - Parameters:
  ///   - features: Of every image trained on, `[images, …]`.
  ///   - temperature: Near 0 only the nearest cluster counts; the larger, the more the others.
  public func softened(
    _ clusters: Clusters, _ representatives: Representatives, features: Tensor, temperature: Double
  ) -> ConversionPairs {
    softened(clusters, representatives, imageFeatures: ImageFeatures(features), temperature: temperature)
  }

  /// The same by features that are asked for class by class.
  func softened(
    _ clusters: Clusters, _ representatives: Representatives, imageFeatures features: ImageFeatures,
    temperature: Double
  ) -> ConversionPairs {
    require(temperature > 0 && temperature.isFinite, "ConversionPairs.softened: the temperature is \(temperature)")
    var mixtures: [Int: [Share]] = [:]
    for (group, targets) in zip(clusters.classes, representatives.classes) where targets.count > 1 {
      let centres = group.centres(in: features)
      let images = group.clusters.joined().sorted()
      let distances = features.parts(images).flatMap { part in
        squaredDistances(features(part), centres).scalars.map { Double($0) }
      }
      let k = targets.count
      let rows = images.indices.map { Array(distances[$0 * k..<($0 + 1) * k]) }
      let mean = rows.mean { $0.min()! }
      guard mean > 0 else { continue }
      for (image, row) in zip(images, rows) {
        let least = row.min()!
        let weights = row.map { exp(-($0 - least) / (temperature * mean)) }
        let sum = weights.reduce(0, +)
        mixtures[image] = zip(targets, weights).map { Share(target: $0, share: $1 / sum) }
      }
    }
    var result = self
    for index in pairs.indices { result.pairs[index].mixture = mixtures[pairs[index].input] ?? [] }
    return result
  }
}

/// A batch of images and what they are to become.
public struct ConversionBatch: TrainingBatch {
  /// The encoder's input, `[batch, height, width, channels]`, augmented and normalised.
  public var images: Tensor
  /// The class of each image.
  public var labels: [Int]
  /// The decoder's targets, `[batch, height, width, channels]`, in 0...1.
  public var targets: Tensor
  /// The pairs of this batch, in its order.
  public var pairs: [ConversionPairs.Pair]

  public func rows(_ range: Range<Int>) -> ConversionBatch {
    let rows = Array(range)
    return ConversionBatch(
      images: images.gather(rows), labels: Array(labels[range]), targets: targets.gather(rows),
      pairs: Array(pairs[range]))
  }
}

/// Batches of pairs, for training a converting autoencoder: inputs augmented and normalised, targets as they are.
///
/// ```swift
/// let batches = ConversionBatches(Batches(of: images, size: 128, shuffledBy: generator), pairs: pairs)
/// ```
public struct ConversionBatches: BatchSource, Sendable {
  private let inputs: Batches
  private let targets: LabeledImages
  private let targetShape: Shape
  /// The pair of each image of ``inputs``.
  private let pairs: [ConversionPairs.Pair]

  /// The images of `inputs`, each with its target.
  ///
  /// - Parameters:
  ///   - targets: The images that targets are of; nil for those of `inputs`.
  ///   - targetShape: `[height, width, channels]` of the targets where it is another than that of their images: they are
  ///     resized.
  /// - Throws: Where an image has no pair, or a pair's target is not among the target images.
  public init(
    _ inputs: Batches, pairs: ConversionPairs, targets: LabeledImages? = nil, targetShape: Shape? = nil
  ) throws(ExperimentError) {
    let targets = targets ?? inputs.dataset
    guard inputs.mixing == nil else {
      throw ExperimentError(
        "conversion: the inputs are mixed, and a mixture of two images has no target: use no mixing")
    }
    guard pairs.pairs.map(\.input) == Array(0..<inputs.dataset.count) else {
      let paired = Set(pairs.pairs.map(\.input))
      let lacking = (0..<inputs.dataset.count).first { !paired.contains($0) }
      throw ExperimentError(
        "conversion: there are \(pairs.count) pairs for \(inputs.dataset.count) images"
          + (lacking.map { ", image \($0) has none" } ?? "") + ": every image needs one")
    }
    let all = pairs.pairs.lazy.flatMap { [$0.target] + $0.mixture.map(\.target) }
    if let wrong = all.first(where: { !(0..<targets.count).contains($0) }) {
      throw ExperimentError("conversion: a pair's target is image \(wrong), there are \(targets.count) target images")
    }
    (self.inputs, self.targets, self.pairs) = (inputs, targets, pairs.pairs)
    self.targetShape = targetShape ?? targets.imageShape
    guard self.targetShape.rank == 3, self.targetShape[2] == targets.imageShape[2] else {
      throw ExperimentError("conversion: targets \(self.targetShape) cannot be made of images \(targets.imageShape)")
    }
  }

  public var batchCount: Int { inputs.batchCount }

  public func epoch(_ number: Int) -> some Sequence<ConversionBatch> { inputs.epoch(number).lazy.map(paired) }

  public func epoch(_ number: Int, from first: Int) -> any Sequence<ConversionBatch> {
    inputs.rest(ofEpoch: number, from: first).lazy.map(paired)
  }

  public func epoch(_ number: Int, from first: Int, shard: Shard) -> any Sequence<BatchShard<ConversionBatch>> {
    inputs.shards(ofEpoch: number, from: first, shard, paired)
  }

  public var dataFingerprint: String? { "\(inputs.dataset.fingerprint) to \(targets.fingerprint)" }

  private func paired(_ batch: Datasets.Batch) -> ConversionBatch {
    let pairs = batch.indices.map { self.pairs[$0] }
    return ConversionBatch(images: batch.images, labels: batch.labels, targets: targets(of: pairs), pairs: pairs)
  }

  /// Returns the decoder's targets for `pairs`.
  func targets(of pairs: [ConversionPairs.Pair]) -> Tensor {
    let images: Tensor
    if pairs.allSatisfy(\.mixture.isEmpty) {
      images = targets.tensor(at: pairs.map(\.target))
    } else {
      let shares = pairs.map { $0.mixture.isEmpty ? [.init(target: $0.target, share: 1)] : $0.mixture }
      let parts = Array(Set(shares.joined().map(\.target))).sorted()
      let place = Dictionary(uniqueKeysWithValues: zip(parts, 0...))
      let matrix = Tensor(shape: [pairs.count, parts.count]) { out in
        out.update(repeating: 0)
        for (row, mixture) in shares.enumerated() {
          for part in mixture { out[row * parts.count + place[part.target]!] += Scalar(part.share) }
        }
      }
      let pixels = targets.tensor(at: parts)
      images = matmul(matrix, pixels.flattenedRows).reshaped(
        to: Shape([pairs.count] + targets.imageShape.dimensions))
    }
    return targetShape == targets.imageShape
      ? images : resized2d(images, height: targetShape[0], width: targetShape[1])
  }
}
