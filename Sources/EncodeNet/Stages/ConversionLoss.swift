/// The loss of converted images: squared error, and how a frozen baseline sees them.
struct ConversionLoss {
  private let options: ConversionTraining
  private let baseline: FrozenView?
  /// The places of targets in ``cachedMaps``.
  private let places: [Int: Int]
  /// The baseline's maps of every target, where they are few enough to cache; else they are computed batch by batch.
  private let cachedMaps: [Tensor]

  init(
    _ options: ConversionTraining, baseline: (any SplitClassifier)?, _ batches: ConversionBatches,
    _ pairs: ConversionPairs, _ inputs: Batches
  ) {
    self.options = options
    let shape = inputs.dataset.imageShape
    self.baseline = baseline.map { FrozenView($0, normalization: inputs.normalization, imageShape: shape) }
    let targets = Set(pairs.pairs.map(\.target)).sorted()
    guard options.perceptualWeight > 0, let baseline, let view = self.baseline,
      pairs.pairs.allSatisfy(\.mixture.isEmpty),
      Self.caches(targets.count, of: baseline, imageShape: shape)
    else {
      (places, cachedMaps) = ([:], [])
      return
    }
    places = Dictionary(uniqueKeysWithValues: zip(targets, 0...))
    let parts = stride(from: 0, to: targets.count, by: 64).map { start in
      let part = targets[start..<min(start + 64, targets.count)]
      return view(batches.targets(of: part.map { .init(input: 0, target: $0) })).maps.map(\.detached)
    }
    cachedMaps = parts.isEmpty ? [] : parts[0].indices.map { map in Tensor.concatenated(parts.map { $0[map] }) }
  }

  /// Whether the baseline's maps of so many targets are cached: they must take no more than 256 MiB.
  static func caches(_ targets: Int, of baseline: any SplitClassifier, imageShape: Shape) -> Bool {
    let (trace, _) = LayerTrace.run(baseline, on: imageShape)
    // Of every layer: those cached, the last of each size, are fewer.
    let scalars = trace.events.reduce(0) { $0 + $1.output.count }
    // In double precision too, so that a budget does not depend on it.
    return targets * scalars * MemoryLayout<Float>.stride <= 256 << 20
  }

  /// The mean over the batch, each image times its pair's weight.
  func callAsFunction(_ shown: Tensor, _ batch: ConversionBatch) -> Tensor {
    let weights = batch.pairs.map { Scalar($0.weight) }
    func mean(_ errors: Tensor) -> Tensor {
      let perImage = errors.flattenedRows.mean(alongAxes: [1])
      return (perImage * Tensor(weights, shape: [weights.count])).mean()
    }
    let isPlain = weights.allSatisfy { $0 == 1 }
    var loss = isPlain ? meanSquaredError(shown, batch.targets) : mean(square(shown - batch.targets))
    guard let baseline else { return loss }
    let seen = baseline(shown)
    if options.perceptualWeight > 0 {
      let targets =
        places.isEmpty
        ? baseline(batch.targets).maps.map(\.detached)
        : cachedMaps.map { $0.gather(batch.pairs.map { places[$0.target]! }) }
      var distance = Tensor(0)
      for (map, target) in zip(seen.maps, targets) {
        // As a share of the target's own squares, so that maps of any layer and network count alike.
        distance = distance + mean(square(map - target)) * (1 / max(square(target).mean().item, 1e-12))
      }
      loss = loss + distance * Scalar(options.perceptualWeight / Double(max(targets.count, 1)))
    }
    if options.classificationWeight > 0 {
      let entropies = logSoftmax(seen.logits, axis: -1) * Tensor.oneHot(batch.labels, classes: seen.logits.shape[1])
      let perImage = -entropies.sum(alongAxes: [1]).unsqueezed(at: 1)
      loss = loss + mean(perImage) * Scalar(options.classificationWeight)
    }
    return loss
  }
}

/// A trained classifier that looks at images in 0...1 and never changes.
struct FrozenView {
  private let network: any SplitClassifier
  private let normalization: Normalization?
  private let imageShape: Shape

  init(_ network: any SplitClassifier, normalization: Normalization?, imageShape: Shape) {
    (self.network, self.normalization, self.imageShape) = (network, normalization, imageShape)
    network.freeze()
  }

  /// The logits, and the last map of each size on the way, with the features that the network ends with.
  func callAsFunction(_ images: Tensor) -> (maps: [Tensor], logits: Tensor) {
    let sized =
      images.shape[1] == imageShape[0] && images.shape[2] == imageShape[1]
      ? images : resized2d(images, height: imageShape[0], width: imageShape[1])
    let (outputs, logits) = network.evaluating { network.stageOutputs(normalization?(sized) ?? sized) }
    func size(_ output: Tensor) -> ArraySlice<Int> { output.shape.dimensions.dropFirst().dropLast() }
    let maps = outputs.indices.filter { $0 == outputs.count - 1 || size(outputs[$0]) != size(outputs[$0 + 1]) }
    return (maps.map { outputs[$0] }, logits)
  }
}
