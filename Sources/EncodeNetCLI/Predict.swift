import ArgumentParser
import Foundation
import Reports

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the likeliest classes of images.",
    discussion: """
        encodenet predict --weights out/digits/seed-0/A3.safetensors digit.png
        encodenet predict --weights out/photos/seed-0/A3.safetensors --format csv --out classes.csv photographs

      The weights must be those of an 'encodenet run': their file says for which images and classes they are. Images of any size \
      are prepared exactly as those that the network was trained on. Of a folder all images are taken, also in folders inside.
      """)

  /// How predictions are written.
  enum Format: String, CaseIterable, ExpressibleByArgument { case table, csv, jsonl }

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The number of classes to print, at least 1.")
  var top = 3
  @Option(help: "Average the probabilities over views of each image.")
  var testTimeAugmentation = TestTimeAugmentation.none
  @Option(help: "How to write them: table, csv, or jsonl for a JSON object a line.")
  var format = Format.table
  @Option(help: "The file to write them to (default: standard output).")
  var out: String?
  @Option(help: "Images in a batch, at least 1.")
  var batchSize = 64
  @Flag(help: "Leave out images that cannot be read, with a line that counts them.")
  var skipUnreadable = false
  @OptionGroup var console: ConsoleOptions
  @Argument(help: "Images (PNG, JPEG, WebP, BMP or PPM), and folders of images.")
  var images: [String]

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), it must be at least 1") }
    if batchSize < 1 { throw ValidationError("--batch-size is \(batchSize), it must be at least 1") }
  }

  func run() throws {
    let logger = try console.logger()
    let (network, description) = try options.classifier(for: nil) { logger.info("\($0)") }
    let averaged = network.averaged(over: testTimeAugmentation)
    try description.requireImages(in: options.weights)
    // All headers are read before anything is said.
    var files = try ImageFiles(images, skipsUnreadable: skipUnreadable)
    files.notices.forEach(warn)
    let preparation = description.imagePreparation
    if files.survey.sizes.keys.contains(where: { $0 != [preparation.size.height, preparation.size.width] }) {
      logger.info("images of other sizes are prepared: \(preparation)")
    }
    var writer = PredictionWriter(format, classes: description.classNames, top: top, isHeld: out != nil)
    writer.begin()
    for start in stride(from: 0, to: files.paths.count, by: batchSize) {
      let range = start..<min(start + batchSize, files.paths.count)
      let read = files.images(range, preparation, channels: description.imageShape[2])
      let problem = files.survey.unreadableLine
      if !skipUnreadable, read.contains(nil), let problem {
        throw ExperimentError("\(problem); --skip-unreadable leaves it out")
      }
      let decoded = zip(files.names[range], read).compactMap { path, image in image.map { (path, $0) } }
      guard !decoded.isEmpty else { continue }
      // The numbers are those that 'evaluate' gives a network.
      let images = try LabeledImages(
        name: "images", pixels: Array(decoded.map(\.1.pixels).joined()), labels: decoded.map { _ in 0 },
        imageShape: description.imageShape, classNames: description.classNames, preparation: preparation)
      let batch = images.tensor(at: Array(decoded.indices), normalization: description.normalization)
      let logits = averaged.evaluating { averaged(batch) }
      try options.requireFinite(
        logits, for: decoded.count == 1 ? decoded[0].0 : "\(decoded[0].0) and \(decoded.count - 1) more")
      writer.add(decoded.map(\.0), softmax(logits))
    }
    if let line = files.survey.unreadableLine { warn("left out: \(line)") }
    let text = writer.end()
    guard let out else { return print(text, terminator: "") }
    try writeAtomically(Array(text.utf8), to: fileURL(out))
    logger.info("written to \(out)")
  }
}
