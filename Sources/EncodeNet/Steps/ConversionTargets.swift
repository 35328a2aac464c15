extension Convert {
  /// The target of each image trained on, by the kind of conversion: its pairs, and the images that their targets are
  /// of, nil for the images trained on.
  func pairs(_ found: ClusteringStage, _ run: SeedRun) throws -> (pairs: ConversionPairs, targets: LabeledImages?) {
    var generator = run.generator("targets")
    let images = run.images
    let clusters = found.clusters.grouped(conversion.clusters, using: &generator)
    let numbers = clusters.numbers(images.count)
    func selected(_ selection: RepresentativeSelection) -> Representatives {
      selection.seeded(by: run)(clusters, features: found.features, confidence: found.confidence, images: images)
    }
    func pairs(_ target: (Int) -> Int) -> ConversionPairs {
      let all = ConversionPairs(images.labels.indices.map { .init(input: $0, target: target($0)) })
      let strength = pairing.entropyWeighting
      return strength > 0 ? all.weighted(by: found.confidence.entropies, strength: strength) : all
    }
    switch conversion.target {
    case .representative:
      let chosen = conversion.clusters == .found ? found.representatives : selected(selection)
      return (pairing(clusters, chosen, imageFeatures: found.features, confidence: found.confidence), nil)
    case .medoid:
      var medoids = selection
      medoids.selector = .medoid
      let chosen = Array(selected(medoids).classes.joined())
      return (pairs { chosen[numbers[$0]] }, nil)
    case .randomOfClass:
      let chosen = clusters.classes.flatMap { members in
        let all = members.clusters.flatMap { $0 }
        return members.clusters.map { _ in all.randomElement(using: &generator)! }
      }
      return (pairs { chosen[numbers[$0]] }, nil)
    case .input: return (pairs { $0 }, nil)
    case .subclass: return (pairs { numbers[$0] }, nil)
    case .shuffledPixels:
      let shuffled = selected(selection).classes.joined().map { images.shuffledPixels(at: $0, using: &generator) }
      return (pairs { numbers[$0] }, try images.targets("shuffled representatives", shuffled))
    case .classMean:
      let means = (0..<images.classCount).map { images.meanImage(ofClass: $0) }
      return (pairs { images.labels[$0] }, try images.targets("class means", means))
    }
  }
}

extension LabeledImages {
  /// Images that are targets and nothing else.
  fileprivate func targets(_ name: String, _ pixels: [[UInt8]]) throws -> LabeledImages {
    try LabeledImages(
      name: name, pixels: Array(pixels.joined()), labels: pixels.map { _ in 0 }, imageShape: imageShape,
      classNames: classNames)
  }

  /// An image with its pixels in random order.
  fileprivate func shuffledPixels(at index: Int, using generator: inout SplittableGenerator) -> [UInt8] {
    let (channels, image) = (imageShape[2], image(at: index))
    let order = Array(0..<image.count / channels).shuffled(using: &generator)
    return order.flatMap { image[$0 * channels..<($0 + 1) * channels] }
  }

  /// The mean of the images of a class.
  fileprivate func meanImage(ofClass label: Int) -> [UInt8] {
    let members = indices(ofClass: label)
    var sums = [Int](repeating: 0, count: imageShape.count)
    for index in members {
      let image = image(at: index)
      for place in sums.indices { sums[place] += Int(image[place]) }
    }
    let count = max(members.count, 1)
    return sums.map { UInt8(($0 + count / 2) / count) }
  }
}
