/// Gives the network the weights of a trained classifier from elsewhere, and looks at what it makes of the images.
package struct UseGivenBaseline: Step {
  private enum CodingKeys: CodingKey { case fingerprint }
  private let given: GivenBaseline
  /// The fingerprint of the weights.
  private let fingerprint: String

  /// The step, and the normalisation of the images that the classifier was trained on.
  ///
  /// - Throws: Where the file does not fit the network or the data.
  package static func loading(
    _ given: GivenBaseline, into network: any SplitClassifier, for data: LabeledImages
  ) throws -> (step: UseGivenBaseline, normalization: Normalization) {
    let normalization = try given.load(into: network, for: data).normalization
    return (UseGivenBaseline(given: given, fingerprint: weightsFingerprint(network)), normalization)
  }

  package func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    state[OriginalNames.self] = try given.load(into: state.network, for: run.data.training).names
    guard weightsFingerprint(state.network) == fingerprint else {
      throw ExperimentError("\(given.weights): the file has changed since the run began")
    }
    let found = try run.store.value("given-baseline", key: state.key) {
      try accuracy(of: state.network, run)
    } fits: {
      $0.majorities.count == run.images.classCount
    }
    guard found.isFinite else {
      throw ExperimentError("\(given.weights): its outputs for the training images are NaN or infinite")
    }
    run.warn(
      "the baseline \(given.displayName) is right on \(percent(found.training)) of the \(run.images.count) training images"
        + (found.validation.map { " and on \(percent($0)) of the \(run.data.validationCount) validation images" }
          ?? ""))
    try judge(found, run)
  }

  /// Throws where the accuracy is near chance, or right but for the order of the classes, unless `force` says to continue.
  private func judge(_ found: GivenAccuracy, _ run: SeedRun) throws {
    let (file, names) = (given.displayName, run.images.classNames)
    func refuse(_ problem: String) throws {
      guard !run.force else { return run.warn("\(file): \(problem)") }
      throw ExperimentError("\(given.weights): \(problem), or continue from it with --force")
    }
    let hint =
      found.better.map {
        "with --normalization \($0.name) it would be right on \(percent($0.accuracy)) of a sample of the training images, instead of \(percent($0.now))"
      } ?? "give the normalisation and the network that it was trained with"
    if let ring = found.ring {
      let ring = (ring + [ring[0]]).map { "'\(names[$0])'" }
      try refuse(
        "it takes most images of \(ring.joined(separator: " for ")): its classes have another order than those of the data, "
          + "\(names.prefix(12).joined(separator: ", "))\(names.count > 12 ? " …" : "")")
    }
    let largest = LearningCheck(labels: run.images.labels).largest
    if !given.isTrainedOnAll, let validation = found.validation, found.training > 0.9,
      validation >= found.training - 0.01
    {
      run.warn(
        "\(file): its accuracy on the validation images is that on the others: it was probably trained on both, which "
          + "--baseline-trained-on-all says")
    }
    if found.training <= largest + min(0.02, (1 - largest) / 10) {
      try refuse(
        "it is right on \(percent(found.training)) of the training images, the largest class has \(percent(largest)): \(hint)"
      )
    } else if let better = found.better {
      // A network that is so much better with another normalisation was trained with another.
      if better.accuracy > better.now + 0.05 { try refuse(hint) } else { run.warn("\(file): \(hint)") }
    }
  }

  /// The number of images evaluated at once.
  private static let part = 50_000

  private func accuracy(of model: any SplitClassifier, _ run: SeedRun) throws -> GivenAccuracy {
    let images = run.images
    let classes = images.classNames.count
    var (confusion, isFinite) = ([[Int]](repeating: [Int](repeating: 0, count: classes), count: classes), true)
    // A part at a time: an evaluation holds the probabilities of all its images.
    for start in stride(from: 0, to: images.count, by: Self.part) {
      let part = try evaluate(
        model, on: run.inOrder(images.subset(Array(start..<min(start + Self.part, images.count)))))
      for (label, row) in part.confusion.enumerated() {
        for (given, count) in row.enumerated() { confusion[label][given] += count }
      }
      isFinite = isFinite && part.loss.isFinite
    }
    let majorities = confusion.map { row -> Int? in
      let largest = row.max() ?? 0
      return 2 * largest > row.reduce(0, +) ? row.firstIndex(of: largest) : nil
    }
    let correct = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
    var accuracy = GivenAccuracy(
      training: Double(correct) / Double(images.count), validation: try run.validationSet.map { try $0(model).top1 },
      majorities: majorities)
    accuracy.isFinite = isFinite
    let sample = images.subset(Array(stride(from: 0, to: images.count, by: max(1, images.count / 1000))))
    func top1(_ normalization: Normalization) throws -> Double {
      try evaluate(model, on: Batches(of: sample, size: run.settings.batchSize, normalization: normalization)).top1
    }
    let now = try top1(run.data.normalization)
    for (name, other) in Normalization.published where other.fits(channels: images.imageShape[2]) {
      let share = try top1(other)
      if share >= now + 0.01, share > accuracy.better?.accuracy ?? 0 {
        accuracy.better = .init(name: name, accuracy: share, now: now)
      }
    }
    return accuracy
  }
}

/// The accuracy of a given baseline, before anything is built on it.
struct GivenAccuracy: Codable {
  /// On the images trained on.
  var training: Double
  /// On the validation images, nil where there are none.
  var validation: Double?
  /// The class that most images of each class are taken for, nil where no class has more than half of them.
  var majorities: [Int?]
  /// The published normalisation with which it would be better by a point or more, and how good it would be.
  var better: Better?
  /// Whether all outputs are finite.
  var isFinite = true
  struct Better: Codable {
    var name: String
    var accuracy: Double
    /// The accuracy with the present normalisation, on the same images.
    var now: Double
  }

  /// Classes that stand for one another in a ring: the first one's images are taken for the second and so on. Weights that are
  /// merely poor have none; those with another order of the classes have.
  var ring: [Int]? {
    for start in majorities.indices {
      var (ring, next) = ([start], majorities[start])
      while let label = next, label != start, !ring.contains(label) {
        ring.append(label)
        next = majorities[label]
      }
      if next == start, ring.count > 1 { return ring }
    }
    return nil
  }
}
