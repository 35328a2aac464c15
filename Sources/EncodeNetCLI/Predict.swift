import ArgumentParser
import Reports

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the likeliest classes of images.",
    discussion: """
        encodenet predict --weights out/digits/seed-0/A3.safetensors digit.png

      The weights must be those of an 'encodenet run': their file says for which images and classes they are.
      """)

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The number of classes to print, at least 1.")
  var top = 3
  @Option(help: "Average the probabilities over views of each image.")
  var testTimeAugmentation = TestTimeAugmentation.none
  @OptionGroup var console: ConsoleOptions
  @Argument(help: "PNG or JPEG files of the size that the classifier was trained on.")
  var images: [String]

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), it must be at least 1") }
  }

  func run() throws {
    let logger = try console.logger()
    let (network, description) = try options.classifier(for: nil) { logger.info("\($0)") }
    let averaged = network.averaged(over: testTimeAugmentation)
    // All are read before anything is said.
    let decoded = try images.map { path in
      try DecodedImage(contentsOf: fileURL(path)).fitting(description.imageShape, file: path)
    }
    var lines: [[String]] = []
    for (path, pixels) in zip(images, decoded) {
      let shape = Shape([1] + description.imageShape.dimensions)
      let image = Tensor(pixels.map { Scalar($0) / 255 }, shape: shape)
      let logits = averaged.evaluating { averaged(description.normalization(image)) }
      try options.requireFinite(logits, for: path)
      let probabilities = softmax(logits).scalars
      let best = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }.prefix(top)
      lines.append(
        [path] + best.map { "\(description.classNames[$0].escaped()) \(percent(Double(probabilities[$0])))" })
    }
    print(aligned([], lines))
  }
}

extension DecodedImage {
  /// The bytes of this image with the channels of `expected`, grey being the same as three equal colours.
  fileprivate func fitting(_ expected: Shape, file: String) throws -> [UInt8] {
    guard shape[0] == expected[0], shape[1] == expected[1] else {
      throw ExperimentError(
        "\(file): the image has \(shape[1]) by \(shape[0]) pixels, the classifier takes \(expected[1]) by \(expected[0]): scale it"
      )
    }
    switch (shape[2], expected[2]) {
    case (let a, let b) where a == b: return pixels
    case (1, 3): return inColour.pixels
    case (3, 1): return inGrey.pixels
    default:
      throw ExperimentError("\(file): the image has \(shape[2]) channels, the classifier takes \(expected[2])")
    }
  }
}
