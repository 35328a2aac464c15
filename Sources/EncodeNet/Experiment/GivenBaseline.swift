import Foundation

/// A trained classifier from elsewhere, with which an experiment begins instead of training its own S0.
///
/// ```swift
/// configuration = configuration.beginning(
///   with: GivenBaseline("resnet20.pth", normalization: try .named("imagenet")))
/// ```
public struct GivenBaseline: Sendable, Codable, Hashable {
  /// The file of its weights: PyTorch's, safetensors, NumPy's, or Keras' where HDF5 is built in.
  public var weights: String
  /// Of the images it was trained on, nil for what the file says, as one that this library wrote does.
  public var normalization: Normalization?
  /// Whether it was also trained on images that this experiment keeps for validation and audit: figures on those are then
  /// not held out.
  public var isTrainedOnAll = false
  /// What the batch norms of a Keras file add to variances, which the file does not say.
  public var kerasEpsilon = 1e-3

  /// The classifier in that file.
  public init(_ weights: String, normalization: Normalization? = nil, isTrainedOnAll: Bool = false) {
    (self.weights, self.normalization, self.isTrainedOnAll) = (weights, normalization, isTrainedOnAll)
  }

  /// All but ``weights`` may be left out; a normalisation may be a name of ``Normalization/published``.
  public init(from decoder: any Swift.Decoder) throws {
    let known = ["weights", "normalization", "isTrainedOnAll", "kerasEpsilon"]
    let unknown = try decoder.container(keyedBy: AnyName.self).allKeys.map(\.stringValue).filter { !known.contains($0) }
    guard unknown.isEmpty else {
      throw EncodeNetError(
        "the configuration has no setting 'baseline.\(unknown.sorted()[0])'; there are \(known.joined(separator: ", "))"
      )
    }
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(try values.decode(String.self, forKey: .weights))
    do {
      if let name = try? values.decode(String.self, forKey: .normalization) {
        normalization = try .named(name)
      } else {
        normalization = try values.decodeIfPresent(Normalization.self, forKey: .normalization)
      }
    } catch let error as DataError { throw EncodeNetError("the configuration's 'baseline.normalization': \(error)") }
    isTrainedOnAll = try values.decodeIfPresent(Bool.self, forKey: .isTrainedOnAll) ?? isTrainedOnAll
    kerasEpsilon = try values.decodeIfPresent(Double.self, forKey: .kerasEpsilon) ?? kerasEpsilon
  }

  private struct AnyName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The file's name, as a report may show it.
  var displayName: String {
    String(url.lastPathComponent.map { $0.isLetter || $0.isNumber || " -_.+()".contains($0) ? $0 : "?" })
  }

  /// The file.
  public var url: URL { URL(fileURLWithPath: (weights as NSString).expandingTildeInPath) }

  /// Gives `network` the weights.
  ///
  /// - Returns: The normalisation of its images, and the names that the file has.
  /// - Throws: Where the file does not fit the network or the data, or does not say what it must.
  func load(
    into network: any SplitClassifier, for data: LabeledImages
  ) throws -> (normalization: Normalization, names: OriginalNames?) {
    let saved = try SavedClassifier.read(from: url)
    if let saved {
      guard saved.classNames.count == data.classCount else {
        throw EncodeNetError("\(weights): it knows \(saved.classNames.count) classes, the data has \(data.classCount)")
      }
      if let label = data.classNames.indices.first(where: { saved.classNames[$0] != data.classNames[$0] }) {
        throw EncodeNetError(
          "\(weights): its class \(label) is '\(saved.classNames[label])', that of the data '\(data.classNames[label])'"
        )
      }
      guard saved.imageShape == data.imageShape else {
        throw EncodeNetError(
          "\(weights): it is for images \(saved.imageShape), those of the data are \(data.imageShape)")
      }
    }
    guard let normalization = normalization ?? saved?.normalization else {
      throw EncodeNetError(
        "\(weights): the file does not say how its images were normalised: give --mean and --std, or --normalization with "
          + "one of \(Normalization.published.map(\.name).joined(separator: ", "))")
    }
    guard normalization.fits(channels: data.imageShape[2]) else {
      throw EncodeNetError(
        "\(weights): its normalisation is for \(normalization.mean.count) channels, the images have \(data.imageShape[2])"
      )
    }
    if KerasFile.recognizes(url) {
      try network.load(KerasFile.state(from: url, for: network, epsilon: Scalar(kerasEpsilon)))
      return (normalization, nil)
    }
    let state = try loadNamedState(from: url)
    let fit = StateFit(of: state, to: network)
    guard fit.isExact else {
      let known = ModelChoice.fitting(state, classes: data.classCount, inputShape: data.imageShape).first
      let hint = known.map {
        "; they fit --model \($0)" + ($0.family == "resnet" ? " --shortcut \($0.shortcut.rawValue)" : "")
      }
      throw EncodeNetError(
        "\(weights): the weights do not fit the network\(hint ?? "")\(hint == nil ? ": " : " (")"
          + "\(fit.problems.joined(separator: "; "))\(hint == nil ? "" : ")")")
    }
    let plain = state.withPlainNames
    if let name = plain.keys.sorted().first(where: { !plain[$0]!.isFinite }) {
      throw EncodeNetError("\(weights): '\(name)' has numbers that are not finite")
    }
    try network.load(plain)
    return (normalization, OriginalNames(of: state))
  }
}

/// The names that a file of weights has where a network of this library has plain ones.
public struct OriginalNames: Sendable, Codable, Hashable {
  /// The file's name for each plain one.
  public var names: [String: String]
  /// PyTorch's counts of the batches that norms have seen, which `load_state_dict` asks for and nothing depends on.
  public var counters: [String: Int]

  /// Those of a file's state; see ``loadNamedState(from:)``.
  public init(of state: StateDictionary) {
    names = [String: String](uniqueKeysWithValues: state.plainNames.map { ($0.value, $0.key) })
    counters = state.batchCounters
  }

  /// The same without the prefix that all names have: what a network that is not wrapped takes.
  public var plain: OriginalNames {
    var plain = self
    let prefix = names.first.map { $0.value.dropLast($0.key.count) } ?? ""
    plain.names = [String: String](uniqueKeysWithValues: names.keys.map { ($0, $0) })
    plain.counters = [String: Int](
      counters.map { (String($0.key.hasPrefix(prefix) ? $0.key.dropFirst(prefix.count) : $0.key[...]), $0.value) },
      uniquingKeysWith: { $1 })
    return plain
  }

  /// `state` under the file's names; as it is where they are not those of all its tensors.
  func renaming(_ state: StateDictionary) -> StateDictionary {
    guard Set(state.keys) == Set(names.keys), isPossible else { return state }
    return StateDictionary(uniqueKeysWithValues: state.map { (names[$0.key]!, $0.value) })
  }

  /// Whether a file can have these names.
  var isPossible: Bool {
    let all = Array(names.values) + counters.keys
    return Set(all).count == all.count && !all.contains("__metadata__")
  }
}

extension ExperimentConfiguration {
  /// These settings with a trained baseline to begin with, and without the arms that would train one.
  public func beginning(with baseline: GivenBaseline) -> ExperimentConfiguration {
    var settings = self
    settings.baseline = baseline
    settings.arms.removeAll { $0.start == .random && !$0.isBaseline }
    return settings
  }
}

/// What a given baseline makes of the images, before anything is built on it.
struct GivenAccuracy: Codable {
  /// Of the images trained on.
  var training: Double
  /// Of those kept for validation, nil where there are none.
  var validation: Double?
  /// The class that most images of each class are taken for, nil where no class has more than half of them.
  var majorities: [Int?]
  /// The published normalisation with which it would be better by a point or more, and how good it would be.
  var better: Better?
  /// Whether all that it says is finite.
  var isFinite = true
  struct Better: Codable {
    var name: String
    var accuracy: Double
    /// As it is, on the same images.
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

extension ExperimentRun {
  /// Looks at what a given baseline makes of the images.
  ///
  /// - Throws: Where that is near chance, or right but for the order of the classes, unless ``force`` says to go on.
  func check(_ model: any SplitClassifier, _ given: GivenBaseline, key: String) throws {
    let found = try store.value("given-baseline", key: key) {
      accuracy(of: model)
    } fits: {
      $0.majorities.count == training.classCount
    }
    func percent(_ share: Double) -> String { fixed(100 * share, 2) + " %" }
    let file = given.displayName
    guard found.isFinite else {
      throw EncodeNetError("\(given.weights): what it makes of the training images is not finite")
    }
    warn(
      "the baseline \(file) is right on \(percent(found.training)) of the \(images.count) training images"
        + (found.validation.map { " and on \(percent($0)) of the \(validation.count) kept for validation" } ?? ""))
    func refuse(_ problem: String) throws {
      guard !force else { return warn("\(file): \(problem)") }
      throw EncodeNetError("\(given.weights): \(problem), or go on from it with --force")
    }
    let hint =
      found.better.map {
        "with --normalization \($0.name) it would be right on \(percent($0.accuracy)) of a sample of the training images, instead of \(percent($0.now))"
      } ?? "give the normalisation and the network that it was trained with"
    if let ring = found.ring {
      let names = (ring + [ring[0]]).map { "'\(training.classNames[$0])'" }
      try refuse(
        "it takes most images of \(names.joined(separator: " for ")): its classes have another order than those of the data, "
          + "\(training.classNames.prefix(12).joined(separator: ", "))\(training.classCount > 12 ? " …" : "")")
    }
    let largest = LearningCheck(labels: images.labels).largest
    if !given.isTrainedOnAll, let validation = found.validation, found.training > 0.9,
      validation >= found.training - 0.01
    {
      warn(
        "\(file): it is as right on the images kept for validation as on the others: it was probably trained on both, which "
          + "--baseline-trained-on-all says")
    }
    if found.training <= largest + min(0.02, (1 - largest) / 10) {
      try refuse(
        "it is right on \(percent(found.training)) of the training images, the largest class has \(percent(largest)): \(hint)"
      )
    } else if let better = found.better {
      // A network that is so much better seen otherwise was trained otherwise.
      if better.accuracy > better.now + 0.05 { try refuse(hint) } else { warn("\(file): \(hint)") }
    }
  }

  private func accuracy(of model: any SplitClassifier) -> GivenAccuracy {
    let all = evaluate(model, on: inOrder(images))
    let majorities = all.confusion.map { row -> Int? in
      let most = row.max() ?? 0
      return 2 * most > row.reduce(0, +) ? row.firstIndex(of: most) : nil
    }
    var accuracy = GivenAccuracy(
      training: all.top1, validation: validationSet.map { $0(model).top1 }, majorities: majorities)
    accuracy.isFinite = all.loss.isFinite
    let sample = images.subset(Array(stride(from: 0, to: images.count, by: max(1, images.count / 1000))))
    func top1(_ normalization: Normalization) -> Double {
      evaluate(model, on: Batches(of: sample, size: configuration.batchSize, normalization: normalization)).top1
    }
    let now = top1(normalization)
    for (name, other) in Normalization.published where other.fits(channels: training.imageShape[2]) {
      let share = top1(other)
      if share >= now + 0.01, share > accuracy.better?.accuracy ?? 0 {
        accuracy.better = .init(name: name, accuracy: share, now: now)
      }
    }
    return accuracy
  }
}
