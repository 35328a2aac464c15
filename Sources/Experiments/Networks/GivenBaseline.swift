import Foundation

/// A trained classifier from elsewhere, with which an experiment begins instead of training its own S0.
///
/// ```swift
/// configuration = configuration.beginning(
///   with: GivenBaseline("resnet20.pth", normalization: try .named("imagenet")))
/// ```
public struct GivenBaseline: Settings {
  /// The file of its weights: PyTorch's, safetensors, NumPy's, or Keras' where HDF5 is built in.
  public var weights: String
  /// The normalisation of the images it was trained on, nil for the one in the file, which files of this library have.
  public var normalization: Normalization?
  /// Whether it was also trained on the validation and audit images of this experiment: figures on those are then not held
  /// out.
  public var isTrainedOnAll = false
  /// The epsilon that the batch norms of a Keras file add to variances: the file does not say it.
  public var kerasEpsilon = 1e-3

  /// The classifier in that file.
  public init(_ weights: String, normalization: Normalization? = nil, isTrainedOnAll: Bool = false) {
    (self.weights, self.normalization, self.isTrainedOnAll) = (weights, normalization, isTrainedOnAll)
  }

  public static let settings: [Setting<GivenBaseline>] = [
    Setting("weights", \.weights),
    Setting("normalization", \.normalization) { decoder in
      // Its numbers, or the name of a published one.
      if let name = try? decoder.singleValueContainer().decode(String.self) { return try .named(name) }
      return try Normalization(from: decoder)
    },
    Setting("isTrainedOnAll", \.isTrainedOnAll), Setting("kerasEpsilon", \.kerasEpsilon),
  ]

  /// A file of no name: JSON must say which.
  public init() { self.init("") }

  /// The file's name, as a report may show it.
  package var displayName: String {
    String(url.lastPathComponent.map { $0.isLetter || $0.isNumber || " -_.+()".contains($0) ? $0 : "?" })
  }

  /// The file.
  public var url: URL { URL(fileURLWithPath: (weights as NSString).expandingTildeInPath) }

  /// Gives `network` the weights.
  ///
  /// - Returns: The normalisation of its images, and the names that the file has.
  /// - Throws: Where the file does not fit the network or the data, or does not say what it must.
  package func load(
    into network: any SplitClassifier, for data: LabeledImages
  ) throws -> (normalization: Normalization, names: OriginalNames?) {
    let saved = try SavedClassifier.read(from: url)
    if let saved {
      guard saved.classNames.count == data.classCount else {
        throw ExperimentError("\(weights): it knows \(saved.classNames.count) classes, the data has \(data.classCount)")
      }
      if let label = data.classNames.indices.first(where: { saved.classNames[$0] != data.classNames[$0] }) {
        throw ExperimentError(
          "\(weights): its class \(label) is '\(saved.classNames[label])', that of the data '\(data.classNames[label])'"
        )
      }
      guard saved.imageShape == data.imageShape else {
        throw ExperimentError(
          "\(weights): it is for images \(saved.imageShape), those of the data are \(data.imageShape)")
      }
    }
    guard let normalization = normalization ?? saved?.normalization else {
      throw ExperimentError(
        "\(weights): the file does not say how its images were normalised: give --mean and --std, or --normalization with "
          + "one of \(Normalization.published.map(\.name).joined(separator: ", "))")
    }
    guard normalization.fits(channels: data.imageShape[2]) else {
      throw ExperimentError(
        "\(weights): its normalisation is for \(normalization.mean.count) channels, the images have \(data.imageShape[2])"
      )
    }
    if KerasFile.recognizes(url) {
      try network.load(KerasFile.state(from: url, for: network, epsilon: Scalar(kerasEpsilon)))
      return (normalization, nil)
    }
    let file = try WeightsFile(contentsOf: url)
    let found = try file.fitted(to: network)
    guard found.fit.isComplete else {
      let problems = found.fit.problems.joined(separator: "; ")
      let known = ModelChoice.fitting(file, classes: data.classCount, inputShape: data.imageShape).first
      let hint = known.map { "--model \($0)" + ($0.hasShortcuts ? " --shortcut \($0.shortcut.rawValue)" : "") }
      throw ExperimentError(
        "\(weights): the weights do not fit the network"
          + (hint.map { "; they fit \($0) (\(problems))" } ?? ": \(problems)"))
    }
    do {
      try network.load(try found.state())
      return (normalization, OriginalNames(of: found, try found.map.tensors()))
    } catch { throw ExperimentError("\(weights): \(error.problem)") }
  }
}
