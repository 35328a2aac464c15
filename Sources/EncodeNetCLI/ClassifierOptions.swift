import ArgumentParser
import Reports

/// A trained classifier: a file of weights, and settings that the file lacks.
struct ClassifierOptions: ParsableArguments {
  @Option(
    help:
      "The weights: a safetensors or PyTorch file with PyTorch's names, such as A0.safetensors of 'encodenet run'.")
  var weights: String
  @OptionGroup var networkOptions: NetworkOptions
  @OptionGroup var normalization: NormalizationOptions

  /// The network with its weights; what neither the file nor the options say comes from the training images.
  func classifier(for data: DatasetSplit?) throws -> (network: ChosenModel, description: SavedClassifier) {
    let url = fileURL(weights)
    let saved = try SavedClassifier.read(from: url)
    if let saved, let data, saved.classNames != data.classNames || saved.imageShape != data.imageShape {
      throw ExperimentError(
        "\(weights): it is for images \(saved.imageShape) of \(saved.classNames.count) classes, \(listed(saved.classNames)); "
          + "\(data.name) has \(data.imageShape) of \(data.classNames.count), \(listed(data.classNames)): give --data")
    }
    guard let shape = data?.imageShape ?? saved?.imageShape, let names = data?.classNames ?? saved?.classNames else {
      throw ExperimentError("\(weights): the file does not say for which images it is: only 'evaluate' can use it")
    }
    let fitting =
      try networkOptions.choice == nil && saved == nil && !KerasFile.recognizes(url)
      ? ModelChoice.fitting(loadNamedState(from: url), classes: names.count, inputShape: shape).first : nil
    guard let model = networkOptions.choice ?? saved?.model ?? fitting else {
      throw ExperimentError("\(weights): the file does not say for which network it is: give --model")
    }
    let known = try self.normalization.value() ?? saved?.normalization
    if known == nil, data != nil {
      warn(
        "\(weights): the file says no normalisation, so that of the training images is used: give --normalization, or --mean "
          + "and --std, where the network was trained with another")
    }
    guard let normalization = known ?? data.map({ .computed(from: $0.training) }) else {
      throw ExperimentError("\(weights): the file says no normalisation: give --normalization, or --mean and --std")
    }
    guard normalization.fits(channels: shape[2]) else {
      throw ExperimentError("\(normalization.mean.count) means are given, the images have \(shape[2]) channels")
    }
    let description = SavedClassifier(
      model: model, imageShape: shape, classNames: names, normalization: normalization, origin: saved?.origin)
    return (try description.load(url), description)
  }

  private func listed(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " …" : "")
  }
}

/// The normalisation of images in 0...1.
struct NormalizationOptions: ParsableArguments {
  @Option(
    help: "The mean of each channel of images in 0...1, such as 0.485,0.456,0.406 (default: what the file says)."
  )
  var mean: Channels?
  @Option(help: "The standard deviation of each channel, above 0, such as 0.229,0.224,0.225.")
  var std: Channels?
  @Option(
    help:
      "Mean and standard deviation by name: \(Normalization.published.map(\.name).joined(separator: ", "))."
  )
  var normalization: String?

  func validate() throws { _ = try value() }

  /// The normalisation of the options, nil where they have none.
  func value() throws -> Normalization? {
    guard (mean == nil) == (std == nil) else { throw ValidationError("--mean and --std go together: give both") }
    if let normalization {
      guard mean == nil else { throw ValidationError("--normalization stands for --mean and --std: give one of them") }
      return try validating { try Normalization.named(normalization) }
    }
    guard let mean, let std else { return nil }
    guard mean.values.count == std.values.count else {
      throw ValidationError("--mean has \(mean.values.count) numbers, --std has \(std.values.count)")
    }
    guard std.values.allSatisfy({ $0 > 0 }) else { throw ValidationError("--std must be positive") }
    return Normalization(mean: mean.values, deviation: std.values)
  }
}
