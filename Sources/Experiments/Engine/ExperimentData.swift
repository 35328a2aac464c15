/// The images of an experiment: those trained on, validation and audit images, and the held-out test images.
public struct ExperimentData: Sendable {
  /// The name of the images in reports.
  public let name: String
  /// All training images, among them those for validation where the set has none of its own.
  public let training: LabeledImages
  /// The test images, which each arm is scored on once.
  public let test: HeldOutTestSet
  /// The training images used, as indices.
  public let rows: [Int]
  /// The validation images that are drawn from the training images, as indices; none where the set has its own.
  public let validation: [Int]
  /// The validation images that the set has itself, nil where they are drawn.
  public let givenValidation: LabeledImages?
  /// The audit images, as indices: nothing trains on them or chooses by them.
  public let audit: [Int]
  /// The images of ``rows``.
  public let images: LabeledImages
  /// The normalisation of all images and networks: that of the images trained on, or a given baseline's.
  public let normalization: Normalization
  /// The fingerprint of all images and labels.
  public let fingerprint: String

  /// Divides the training images of `data` as `settings` say.
  ///
  /// - Parameter normalization: nil for that of the images trained on.
  package init(
    _ data: DatasetSplit, _ settings: RunSettings, normalization: Normalization?
  ) throws {
    (name, training, givenValidation) = (data.name, data.training, data.validation)
    (test, fingerprint) = try throwingDataFaults { (HeldOutTestSet(data.test), data.fingerprint) }
    (rows, validation, audit) = try data.divided(
      validationShare: settings.validationShare, subset: settings.subset, audit: settings.auditImages,
      seed: settings.splitSeed)
    guard rows.count > 1 else { throw ExperimentError("\(rows.count) training images: there must be at least 2") }
    images = data.training.subset(rows)
    let images = images
    self.normalization = try normalization ?? throwingDataFaults { .computed(from: images) }
  }

  /// The number of validation images.
  public var validationCount: Int { givenValidation?.count ?? validation.count }
  /// The validation images, nil where there are none.
  public var validationImages: LabeledImages? {
    givenValidation ?? (validation.isEmpty ? nil : training.subset(validation))
  }

  /// Throws where some of `images` are test, validation or audit images.
  func refuseHeldOutImages(in images: LabeledImages, for arm: String) throws(ExperimentError) {
    let trainedOn = Set(self.images.imageFingerprints)
    let held = training.subset(validation + audit).imageFingerprints + (givenValidation?.imageFingerprints ?? [])
    let kept = Set(held).subtracting(trainedOn)
    let count = images.imageFingerprints.count { kept.contains($0) }
    guard count == 0 else {
      throw ExperimentError(
        "arm '\(arm)': \(count) of the \(images.count) images it trains on are kept for validation or audit")
    }
    let known = Set(training.imageFingerprints)
    let testCount = test.count(among: images.imageFingerprints.filter { !known.contains($0) })
    guard testCount == 0 else {
      throw ExperimentError(
        "arm '\(arm)': \(testCount) of the \(images.count) images it trains on are test images: an arm may not look at them"
      )
    }
  }
}

extension DatasetSplit {
  /// Divides the training images into those trained on, validation images and audit images, each drawn by a stream of
  /// `seed`, and each with the same share of every class. A set with validation images of its own keeps all for training.
  ///
  /// - Parameters:
  ///   - subset: Those trained on and validated on together, nil for all.
  ///   - audit: As many of what `subset` leaves unused, at most.
  package func divided(validationShare: Double, subset: Int?, audit: Int, seed: UInt64) throws(ExperimentError) -> (
    training: [Int], validation: [Int], audit: [Int]
  ) {
    do {
      let used = try training.stratified(
        min(subset ?? training.count, training.count), seed: SplittableGenerator.seed(seed, stream: "subset"))
      let all = training.subset(used)
      let kept = try all.stratified(
        validation == nil ? Int((Double(all.count) * validationShare).rounded()) : 0,
        seed: SplittableGenerator.seed(seed, stream: "validation"))
      let isKept = Set(kept)
      let trained = used.indices.filter { !isKept.contains($0) }
      let counts = trained.reduce(into: [Int](repeating: 0, count: classNames.count)) { $0[all.labels[$1]] += 1 }
      if let label = counts.firstIndex(of: 0) {
        throw ExperimentError(
          "\(name): class '\(classNames[label])' has no image left to train on of the \(used.count) used: "
            + "use a larger subset or a smaller validation share")
      }
      let isUsed = Set(used)
      let unused = training.labels.indices.filter { !isUsed.contains($0) }
      let audited = try training.subset(unused).stratified(
        min(audit, unused.count), seed: SplittableGenerator.seed(seed, stream: "audit"))
      return (trained.map { used[$0] }, kept.map { used[$0] }, audited.map { unused[$0] })
    } catch let error as ExperimentError { throw error } catch { throw ExperimentError("\(error)") }
  }
}
