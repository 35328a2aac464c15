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
      are prepared exactly as those that the network was trained on. Of a folder all images are taken, also in folders inside. \
      Predictions are written as they come. A file that cannot be read has its error in its place, as 'error' in CSV and JSON, \
      and then the command ends with status 1; --skip-unreadable leaves such files out. With --out the lines are in \
      FILE.partial until all are there.
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
    var files = try ImageFiles(listing: images)
    let writer = PredictionWriter(
      format, classes: description.classNames, top: top,
      pathWidth: files.names.lazy.map { $0.escaped().count }.max() ?? 0,
      to: try World.ranks.isFirst ? out.map { try GrowingFile(fileURL($0)) } : nil)
    try writer.begin()
    // The lines themselves show how far it is where they are printed to a terminal.
    let line = StatusLine(isQuiet: console.quiet || (out == nil && isatty(STDOUT_FILENO) != 0))
    var saysSize = true
    let ranks = World.ranks
    for start in stride(from: 0, to: files.paths.count, by: batchSize * ranks.size) {
      line.show("\(start) of \(files.paths.count) files")
      let range = start..<min(start + batchSize * ranks.size, files.paths.count)
      // A batch for each rank, and perhaps none for the last ones.
      let first = min(start + batchSize * ranks.rank, range.upperBound)
      let readings = files.readings(
        first..<min(first + batchSize, range.upperBound), description.imagePreparation,
        channels: description.imageShape[2])
      let kinds = ranks.gathered(encoded(readings.map(\.file))).flatMap { decoded($0, [ImageFiles.FileKind].self) }
      let outcomes = zip(range, kinds).map { files.add($1, at: $0) }
      if saysSize, files.survey.sizes.keys.contains(where: { $0 != Array(description.imageShape.dimensions.prefix(2)) })
      {
        line.clear()
        logger.info("images of other sizes are prepared: \(description.imagePreparation)")
        saysSize = false
      }
      let found = zip(files.names[first...], readings).compactMap { name, reading in reading.image.map { (name, $0) } }
      let probabilities = try ranks.joined(probabilities(of: found, averaged, description))
      try write(outcomes, files.names[range], probabilities, of: description.classNames.count, to: writer)
    }
    try writer.end()
    line.clear()
    files.notices.forEach(warn)
    if let out { logger.info("written to \(out)") }
    guard let problem = files.survey.unreadableLine, let first = files.survey.unreadable.first else {
      guard !files.survey.formats.isEmpty else { throw ExperimentError("\(images[0]): there are no images in it") }
      return
    }
    guard !skipUnreadable else { return warn("left out: \(problem)") }
    let isOne = files.survey.unreadableCount == 1
    throw ExperimentError(
      "\(isOne ? "\(first.example): \(first.problem)" : problem); --skip-unreadable leaves \(isOne ? "it" : "them") out"
    )
  }

  /// The probabilities of all classes for images, one after the other.
  private func probabilities(
    of images: [(name: String, image: DecodedImage)], _ network: some Layer, _ description: SavedClassifier
  ) throws -> [Scalar] {
    guard let first = images.first else { return [] }
    let batch = try description.tensor(of: images.map(\.image))
    let logits = network.evaluating { network(batch) }
    try options.requireFinite(
      logits, for: images.count == 1 ? first.name : "\(first.name) and \(images.count - 1) more")
    return Array(softmax(logits).scalars)
  }

  /// Writes predictions, and the files that cannot be read in their places among them.
  private func write(
    _ outcomes: [ImageFiles.FileOutcome], _ names: ArraySlice<String>, _ probabilities: [Scalar], of classes: Int,
    to writer: PredictionWriter
  ) throws {
    var rest = probabilities[...]
    for (name, outcome) in zip(names, outcomes) {
      switch outcome {
      case .image:
        writer.add(name, rest.prefix(classes))
        rest.removeFirst(classes)
      case .unreadable(let problem): if !skipUnreadable { writer.add(name, unreadable: problem) }
      case .other: break
      }
    }
    try writer.flush()
  }
}
