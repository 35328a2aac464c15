import ArgumentParser
import Foundation
import Reports

/// A trained classifier: a file of weights, and settings that the file lacks.
struct ClassifierOptions: ParsableArguments {
  @Option(
    help:
      "The weights: a safetensors or PyTorch file with PyTorch's names, such as A0.safetensors of 'encodenet run'.")
  var weights: String
  @OptionGroup var weightsOptions: WeightsOptions
  @OptionGroup var networkOptions: NetworkOptions
  @OptionGroup var normalization: NormalizationOptions

  /// What the file says of the classifier, nil where it says nothing.
  func saved() throws -> SavedClassifier? { try SavedClassifier.read(from: fileURL(weights)) }

  /// The network with its weights; what neither the file nor the options say comes from the training images.
  ///
  /// - Parameter notice: Is called with what a user must know of the weights.
  func classifier(
    for data: DatasetSplit?, notice: (String) -> Void
  ) throws -> (network: ChosenModel, description: SavedClassifier) {
    let url = fileURL(weights)
    let given = weightsOptions.names
    let saved = try saved()
    let file = try WeightsFile(contentsOf: url)
    if let saved, let data { try check(saved, data) }
    guard let names = saved?.classNames ?? given ?? data?.classNames,
      let shape = saved?.imageShape ?? data?.imageShape
    else {
      throw ExperimentError(
        "\(weights): the file does not say for which network, images and classes it is: write one that does with "
          + "'encodenet import \(weights) --model MODEL --data DATA --out FILE.safetensors'")
    }
    if saved == nil, given == nil {
      warn(
        "\(weights): the file says no class names, so its outputs are taken for \(listed(names, 10)), in this order, that of "
          + "the data: give --class-names where the network was trained with another")
    }
    if let saved, let given, given != saved.classNames {
      throw ExperimentError(
        "\(weights): the file says that its classes are \(listed(saved.classNames, 10)), --class-names says others")
    }
    let (model, taken) =
      try saved.map { (networkOptions.choice ?? $0.model, shape) } ?? foreign(file, names.count, shape)
    let normalization = try normalization(of: saved, data, channels: taken[2])
    let description = SavedClassifier(
      model: model, imageShape: taken, classNames: names, normalization: normalization, origin: saved?.origin,
      preparation: saved.map(\.preparation) ?? data?.preparation)
    let network = try description.load(
      file, size: url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0, at: weightsOptions.map,
      renaming: weightsOptions.renamings, notice: { notice("\(weights): \($0)") })
    return (network, description)
  }

  /// Refuses outputs of which no class is the likeliest.
  func requireFinite(_ outputs: Tensor, for images: String) throws {
    guard outputs.isFinite else {
      throw ExperimentError(
        "\(weights): the network's outputs for \(images) are NaN or infinite: its weights, or --mean and --std, are not those of a "
          + "trained network")
    }
  }

  /// Refuses data that the classifier does not know: other classes, or images of another size.
  private func check(_ saved: SavedClassifier, _ data: DatasetSplit) throws {
    do { _ = try data.test.relabeled(as: saved.classNames) } catch {
      throw ExperimentError(
        "\(weights): it knows the \(saved.classNames.count) classes \(listed(saved.classNames, 3)), and \(data.name) has "
          + "\(data.classNames.count), \(listed(data.classNames, 3)): \(error.problem): give --data with classes of these names"
      )
    }
    guard saved.imageShape[0] == data.imageShape[0], saved.imageShape[1] == data.imageShape[1] else {
      throw ExperimentError(
        "\(weights): it is for images \(saved.imageShape) of \(saved.classNames.count) classes, "
          + "\(listed(saved.classNames, 3)); \(data.name) has \(data.imageShape) of \(data.classNames.count), "
          + "\(listed(data.classNames, 3)): give --data")
    }
  }

  /// The network of a file that does not say it, and the images it takes: grey ones may be repeated to three channels.
  private func foreign(_ file: WeightsFile, _ classes: Int, _ shape: Shape) throws -> (ModelChoice, Shape) {
    let shapes = shape[2] == 1 ? [shape, [shape[0], shape[1], 3]] : [shape]
    let (path, renaming) = (weightsOptions.map, try weightsOptions.renamings)
    if let choice = networkOptions.choice {
      var generator = SplittableGenerator(seed: 0)
      let taken = try shapes.first { shape in
        let network = try choice.make(classes: classes, inputShape: shape, using: &generator)
        return try file.fitted(to: network, at: path, renaming: renaming).fit.isComplete
      }
      return (choice, taken ?? shape)
    }
    for shape in shapes {
      if let model = ModelChoice.fitting(file, at: path, renaming: renaming, classes: classes, inputShape: shape).first
      {
        return (model, shape)
      }
    }
    throw ExperimentError(
      "\(weights): the file does not say for which network it is, and none of \(ModelChoice.forms) fits at width 1 with "
        + "\(classes) classes: give --model, and --width, --shortcut or --rename where it needs them")
  }

  private func normalization(
    of saved: SavedClassifier?, _ data: DatasetSplit?, channels: Int
  ) throws -> Normalization {
    let known = try self.normalization.value() ?? saved?.normalization
    if known == nil, data != nil {
      warn(
        "\(weights): the file says no normalisation, so that of the training images is used: give --normalization, or --mean "
          + "and --std, where the network was trained with another")
    }
    guard let normalization = known ?? data.map({ .computed(from: $0.training.withChannels(channels)) }) else {
      throw ExperimentError("\(weights): the file says no normalisation: give --normalization, or --mean and --std")
    }
    guard normalization.fits(channels: channels) else {
      throw ExperimentError("\(normalization.mean.count) means are given, the images have \(channels) channels")
    }
    return normalization
  }
}

extension SavedClassifier {
  /// Refuses a network of other than grey images and those in colour.
  func requireImages(in file: String) throws(ExperimentError) {
    guard [1, 3].contains(imageShape[2]) else {
      throw ExperimentError("\(file): it takes images of \(imageShape[2]) channels, and image files have 1 or 3")
    }
  }
}

/// The first names, for a message.
func listed(_ names: [String], _ count: Int) -> String {
  names.prefix(count).map { $0.escaped(80) }.joined(separator: ", ") + (names.count > count ? " …" : "")
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
    if let value = (mean.values + std.values).first(where: { !(0...1).contains($0) }) {
      throw ValidationError(
        "--mean and --std are of images in 0...1, and \(value) is outside: divide those of images in 0...255 by 255")
    }
    return Normalization(mean: mean.values, deviation: std.values)
  }
}
