extension ExperimentRun {
  /// What each image trained on is to become, by the kind of conversion: its pairs, and the images that their targets are
  /// of, nil for the images trained on.
  func pairs(_ conversion: Conversion, _ found: ClusteringStage) throws -> (
    pairs: ConversionPairs, targets: LabeledImages?
  ) {
    var generator = generator("targets")
    let clusters = found.clusters.grouped(conversion.clusters, using: &generator)
    let numbers = clusters.numbers(images.count)
    func selected(_ selection: RepresentativeSelection) -> Representatives {
      selection(clusters, features: found.features, certainty: found.certainty, images: images)
    }
    func pairs(_ target: (Int) -> Int) -> ConversionPairs {
      let all = ConversionPairs(images.labels.indices.map { .init(input: $0, target: target($0)) })
      let strength = configuration.pairing.entropyWeighting
      return strength > 0 ? all.weighted(by: found.certainty.entropies, strength: strength) : all
    }
    switch conversion.target {
    case .representative:
      let chosen = conversion.clusters == .found ? found.representatives : selected(selection)
      return (configuration.pairing(clusters, chosen, features: found.features, certainty: found.certainty), nil)
    case .medoid:
      var medoids = selection
      medoids.selector = .medoid
      let chosen = Array(selected(medoids).classes.joined())
      return (pairs { chosen[numbers[$0]] }, nil)
    case .randomOfClass:
      let chosen = clusters.classes.flatMap { one in
        let all = one.clusters.flatMap { $0 }
        return one.clusters.map { _ in all.randomElement(using: &generator)! }
      }
      return (pairs { chosen[numbers[$0]] }, nil)
    case .input: return (pairs { $0 }, nil)
    case .subclass: return (pairs { numbers[$0] }, nil)
    case .shuffledPixels:
      let channels = images.imageShape[2]
      let pixels = selected(selection).classes.joined().map { index in
        let image = images.image(at: index)
        let order = Array(0..<image.count / channels).shuffled(using: &generator)
        return order.flatMap { image[$0 * channels..<($0 + 1) * channels] }
      }
      return (pairs { numbers[$0] }, try table("shuffled representatives", pixels))
    case .classMean:
      let means = (0..<images.classCount).map { label in
        let members = images.indices(ofClass: label)
        var sums = [Int](repeating: 0, count: images.imageShape.count)
        for index in members {
          let image = images.image(at: index)
          for place in sums.indices { sums[place] += Int(image[place]) }
        }
        let count = max(members.count, 1)
        return sums.map { UInt8(($0 + count / 2) / count) }
      }
      return (pairs { images.labels[$0] }, try table("class means", means))
    }
  }

  /// Images that are targets and nothing else.
  private func table(_ name: String, _ pixels: [[UInt8]]) throws -> LabeledImages {
    try LabeledImages(
      name: name, pixels: Array(pixels.joined()), labels: pixels.map { _ in 0 }, imageShape: images.imageShape,
      classNames: images.classNames)
  }
}

/// Batches whose labels are the targets of their pairs: clusters counted over all classes.
struct SubclassBatches: BatchSource {
  let inputs: Batches
  let pairs: ConversionPairs

  var batchCount: Int { inputs.batchCount }

  func epoch(_ number: Int) -> some Sequence<Batch> {
    inputs.epoch(number).lazy.map { batch in
      var batch = batch
      batch.labels = batch.indices.map { pairs.pairs[$0].target }
      return batch
    }
  }
}
