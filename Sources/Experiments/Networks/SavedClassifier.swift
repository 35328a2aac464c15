import Foundation

/// A description of a classifier that suffices to use its weights, saved in the metadata of their file.
public struct SavedClassifier: Sendable, Codable, Hashable {
  /// The network.
  public var model: ModelChoice
  /// `[height, width, channels]`.
  public var imageShape: Shape
  /// The classes' names, by label.
  public var classNames: [String]
  /// The normalisation of the images it was trained on.
  public var normalization: Normalization
  /// The names of the file that its first weights came from, nil for the network's own.
  public var origin: OriginalNames?
  /// How images of other sizes were made ready, nil where all came as they are.
  public var preparation: ImagePreparation?

  private static let metadataKey = "encodenet"

  /// A description.
  public init(
    model: ModelChoice, imageShape: Shape, classNames: [String], normalization: Normalization,
    origin: OriginalNames? = nil, preparation: ImagePreparation? = nil
  ) {
    (self.model, self.imageShape, self.classNames) = (model, imageShape, classNames)
    (self.normalization, self.origin, self.preparation) = (normalization, origin, preparation)
  }

  /// How an image of any size is made ready for it: as those that it was trained on, which had its size and all their pixels where
  /// nothing is said.
  public var imagePreparation: ImagePreparation {
    preparation
      ?? ImagePreparation(size: ImageSize(height: imageShape[0], width: imageShape[1]), decoding: .full)
  }

  /// Writes the weights of `network` with this description as safetensors, with PyTorch's layout, and with the names of
  /// ``origin`` where there are any: PyTorch's `load_state_dict` takes them where it took those that came in.
  public func save(_ network: any Module, to url: URL) throws {
    try Safetensors.save(
      state(of: network), integers: origin?.counters ?? [:], metadata: [Self.metadataKey: sortedJSON(self)], to: url)
  }

  /// The weights of `network`, under the names of ``origin`` where there are any.
  public func state(of network: any Module) -> StateDictionary {
    let state = network.stateDictionary
    return origin.map { $0.renaming(state) } ?? state
  }

  /// Writes `network` as ONNX, whose metadata are `classes`, a line each, `model` and `preparation`, as JSON.
  ///
  /// - Parameters:
  ///   - takesPixels: Whether the file takes images of any size in bytes, `[batch, height, width, 3]`, and prepares them itself, all
  ///     but their orientation; else floats in 0...1 of its own size, `[batch, channels, height, width]`.
  ///   - givesProbabilities: Whether the output is `probabilities`, the softmax of `logits`.
  public func saveONNX(
    _ network: any Layer, takesPixels: Bool = false, givesProbabilities: Bool = false, to url: URL
  ) throws {
    let metadata = try [
      "classes": classNames.joined(separator: "\n"), "model": "\(model)", "preparation": sortedJSON(imagePreparation),
    ]
    let fit = ONNX.Fit(rawValue: imagePreparation.fit.rawValue)!
    try ONNX.save(
      network, imageShape: imageShape, input: takesPixels ? .pixels(fit) : .floats, mean: normalization.mean,
      deviation: normalization.deviation, output: givesProbabilities ? "probabilities" : "logits",
      probabilities: givesProbabilities, metadata: metadata, to: url)
  }

  /// Images of any size as the network takes them, `[images, height, width, channels]`: prepared and normalised as those that it was
  /// trained on.
  ///
  /// - Throws: Where that takes images of other than 1 or 3 channels.
  public func tensor(of images: [DecodedImage]) throws(DataError) -> Tensor {
    guard [1, 3].contains(imageShape[2]) else {
      throw DataError("a network of \(imageShape[2]) channels takes no image files, which have 1 or 3")
    }
    let prepared = images.map { image in
      let isReady = image.shape.dimensions.prefix(2) == imageShape.dimensions.prefix(2)
      let prepared = isReady ? image : imagePreparation(image)
      return imageShape[2] == 3 ? prepared.inColour : prepared.inGrey
    }
    // As 'evaluate' has them, to the bit.
    return try LabeledImages(
      name: "images", pixels: Array(prepared.map(\.pixels).joined()), labels: images.map { _ in 0 },
      imageShape: imageShape, classNames: classNames, preparation: imagePreparation
    ).tensor(at: Array(images.indices), normalization: normalization)
  }

  /// The description in the safetensors file at `url`; nil where the file has none, as one from elsewhere.
  public static func read(from url: URL) throws -> SavedClassifier? {
    // Others than safetensors have no such metadata; whether they are whole is said when their weights are read.
    guard try Safetensors.recognizes(url) else { return nil }
    let (tensors, metadata) = try Safetensors.read(url)
    guard let text = metadata[metadataKey] else { return nil }
    var saved: SavedClassifier
    do { saved = try JSONDecoder().decode(SavedClassifier.self, from: Data(text.utf8)) } catch {
      throw ExperimentError("\(url.path): its metadata '\(metadataKey)' cannot be read: \(problem(inDecoding: error))")
    }
    let (mean, std) = (saved.normalization.mean, saved.normalization.deviation)
    guard saved.imageShape.rank == 3, (1...4).contains(saved.imageShape[2]),
      saved.imageShape.dimensions.prefix(2).allSatisfy(ImageSize.sides.contains),
      [saved.imagePreparation.size.height, saved.imagePreparation.size.width] == saved.imageShape.dimensions.dropLast(),
      (1...100_000).contains(saved.classNames.count),
      mean.count == std.count, saved.normalization.fits(channels: saved.imageShape[2]),
      std.allSatisfy({ $0 > 0 }), saved.origin?.isPossible ?? true
    else {
      throw ExperimentError("\(url.path): its metadata '\(metadataKey)' describes no classifier of images")
    }
    saved.model = saved.model.renamed(forTensors: saved.origin.map { Array($0.names.keys) } ?? Array(tensors.keys))
    return saved
  }

  /// The network, with the weights of the file at `url`.
  ///
  /// - Throws: Where they do not fit or are NaN or infinite, also where the network described is far larger than the file.
  public func load(_ url: URL) throws -> ChosenModel {
    try load(WeightsFile(contentsOf: url), size: url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
  }

  /// The network, with the weights in `file`, which has `size` bytes.
  ///
  /// - Parameters:
  ///   - path: The place of the weights in the file, where several fit.
  ///   - renaming: Applied to the names in the file first.
  ///   - notice: Is called with what a user must know of the weights that were taken, a line each.
  public func load(
    _ file: WeightsFile, size: Int, at path: String? = nil, renaming: [Renaming] = [],
    notice: (String) -> Void = { _ in }
  ) throws -> ChosenModel {
    let network = try network(forFileOf: size, file.file)
    if let origin, renaming.isEmpty, path == nil, let map = file.maps.first,
      let state = origin.plainState(of: try map.tensors())
    {
      try state.requireFinite(in: file.file)
      try network.load(state)
      return network
    }
    let weights = try file.fitted(to: network, at: path, renaming: renaming)
    try network.load(try weights.state())
    weights.notes.forEach(notice)
    return network
  }

  /// The network with random weights, for a file of `size` bytes.
  private func network(forFileOf size: Int, _ file: String) throws -> ChosenModel {
    var generator = SplittableGenerator(seed: 0)
    var narrow = model
    narrow.widthMultiplier = min(model.widthMultiplier, 0.25)
    let ratio = model.widthMultiplier / narrow.widthMultiplier
    if ratio > 1, model.name != "lenet5" {
      // A few bytes may ask for gigabytes of weights; their number grows at most with the square of the width.
      let small = try narrow.make(classes: classNames.count, inputShape: imageShape, using: &generator)
      guard Double(small.parameterCount) * ratio * ratio <= 8 * Double(size) + 1e6 else {
        throw ExperimentError(
          "\(file): \(size) bytes cannot be the weights of a \(model) of width \(model.widthMultiplier)")
      }
    }
    generator = SplittableGenerator(seed: 0)
    return try model.make(classes: classNames.count, inputShape: imageShape, using: &generator)
  }
}
