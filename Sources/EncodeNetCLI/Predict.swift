import ArgumentParser
import Reports

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say the likeliest classes of images.",
    discussion:
      "The weights must be those of an 'encodenet run', whose files say which images and classes they are for.")

  @OptionGroup var options: ClassifierOptions
  @Option(help: "How many classes to say.")
  var top = 3
  @OptionGroup var console: ConsoleOptions
  @Argument(help: "PNG or JPEG files of the size that the classifier was trained on.")
  var images: [String]

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), it must be at least 1") }
  }

  func run() throws {
    _ = console.logger()
    let (network, description) = try options.classifier(for: nil)
    // All are read before anything is said.
    let decoded = try images.map { path in
      try DecodedImage(contentsOf: fileURL(path)).fitting(description.imageShape, file: path)
    }
    var lines: [[String]] = []
    for (path, pixels) in zip(images, decoded) {
      let shape = Shape([1] + description.imageShape.dimensions)
      let image = Tensor(pixels.map { Scalar($0) / 255 }, shape: shape)
      let logits = network.evaluating { network(description.normalization(image)) }
      let probabilities = softmax(logits).scalars
      let best = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }.prefix(top)
      lines.append(
        [path] + best.map { "\(description.classNames[$0]) \(percent(Double(probabilities[$0])))" })
    }
    print(aligned([], lines))
  }
}

extension DecodedImage {
  /// The bytes of this image with the channels wanted, grey being the same as three equal colours.
  fileprivate func fitting(_ wanted: Shape, file: String) throws -> [UInt8] {
    guard shape[0] == wanted[0], shape[1] == wanted[1] else {
      throw ExperimentError(
        "\(file): the image has \(shape[1]) by \(shape[0]) pixels, the classifier wants \(wanted[1]) by \(wanted[0]): scale it"
      )
    }
    switch (shape[2], wanted[2]) {
    case (let a, let b) where a == b: return pixels
    case (1, 3): return pixels.flatMap { [$0, $0, $0] }
    case (3, 1):
      return stride(from: 0, to: pixels.count, by: 3).map { i in
        // Rec. 601.
        let (red, green, blue) = (Int(pixels[i]), Int(pixels[i + 1]), Int(pixels[i + 2]))
        return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000)
      }
    default:
      throw ExperimentError("\(file): the image has \(shape[2]) channels, the classifier wants \(wanted[2])")
    }
  }
}
