/// Stage S5: which image each training image is to be converted into: the representative of its class and cluster.
///
/// Pairs are indices, so that images are never copied and a shuffle cannot part an image from its target.
public struct ConversionPairs: Sendable, Codable, Hashable {
  /// An image and what it is to become.
  public struct Pair: Sendable, Codable, Hashable {
    /// The image, as an index into the training set.
    public var input: Int
    /// Its representative, as an index into the same set.
    public var target: Int
  }
  /// One pair for each image, in the order of the images.
  public let pairs: [Pair]

  /// Pairs in the order of their images.
  init(_ pairs: [Pair]) { self.pairs = pairs }

  /// A pair for every image of every cluster.
  ///
  /// - Precondition: Both describe the same clusters, and no image is in two of them.
  public init(_ clusters: Clusters, _ representatives: Representatives) {
    require(
      clusters.classes.map(\.clusters.count) == representatives.classes.map(\.count),
      "ConversionPairs: there is not one representative for each cluster")
    var pairs: [Pair] = []
    for (one, targets) in zip(clusters.classes, representatives.classes) {
      for (members, target) in zip(one.clusters, targets) { pairs += members.map { Pair(input: $0, target: target) } }
    }
    pairs.sort { $0.input < $1.input }
    require(
      zip(pairs, pairs.dropFirst()).allSatisfy { $0.input != $1.input }, "ConversionPairs: an image is in two clusters")
    self.init(pairs)
  }

  /// The number of pairs.
  public var count: Int { pairs.count }

  /// The batch of the pairs at `positions`.
  ///
  /// - Parameters:
  ///   - inputs: Makes the encoder's input of images by index: augmented and normalised.
  ///   - targets: Makes what the decoder should show: the images as they are, in 0...1.
  public func batch(
    _ positions: [Int], inputs: ([Int]) -> Tensor, targets: ([Int]) -> Tensor
  ) -> ConversionBatch {
    let chosen = positions.map { pairs[$0] }
    let batch = ConversionBatch(
      pairs: chosen, images: inputs(chosen.map(\.input)), targets: targets(chosen.map(\.target)))
    require(
      batch.images.shape[0] == chosen.count && batch.targets.shape[0] == chosen.count,
      "ConversionPairs: \(chosen.count) pairs gave inputs \(batch.images.shape) and targets \(batch.targets.shape)")
    return batch
  }
}

/// Images and what they are to become.
public struct ConversionBatch: Sendable {
  /// The pairs of this batch.
  public let pairs: [ConversionPairs.Pair]
  /// The encoder's input, `[batch, height, width, channels]`.
  public let images: Tensor
  /// What the decoder should show, of the same shape, in 0...1.
  public let targets: Tensor
}
