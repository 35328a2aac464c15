import ArgumentParser
import Foundation
import Logging
import Reports

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts the test images that a classifier gets right.",
    discussion: """
        encodenet evaluate --weights out/digits/seed-0/A3.safetensors --data digits
        encodenet evaluate --weights out/photos/seed-0/A3.safetensors --data folder:photographs/test --all-images

      Of a folder that has no 'test' or 'val' the images are those that 'train' and 'run' would hold out, a fifth of each \
      class, unless all are asked for.
      """)

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The images: \(DataSource.forms) (default: digits).", transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions
  @Flag(help: "Take all images of the data, not those for tests alone: for a folder of test images.")
  var allImages = false
  @Option(help: "Images in a batch, at least 1.")
  var batchSize = 256
  @Option(help: "Average the probabilities over views of each image.")
  var testTimeAugmentation = TestTimeAugmentation.none
  @Flag(help: "Print one JSON object with correct, total and top1, and nothing else.")
  var json = false
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if batchSize < 1 { throw ValidationError("--batch-size is \(batchSize), it must be at least 1") }
  }

  private struct Result: Encodable {
    let correct: Int
    let total: Int
    let top1: Double
  }

  func run() throws {
    let logger = try console.logger()
    let saved = try options.saved()
    let images = try World.inTurns {
      try dataOptions.load(dataOptions.source(data) ?? .digits, for: saved, options.weights)
    }
    try World.requireAgreement(
      "\(allImages) \(batchSize) \(testTimeAugmentation.rawValue)", data: World.ranks.size > 1 ? images.fingerprint : ""
    )
    warn(of: images)
    if !allImages { for caution in images.cautions { warn("\(images.name): \(caution)") } }
    if let preparation = images.preparation { logger.info("\(images.name): \(preparation)") }
    let (network, description) = try options.classifier(for: images) { logger.info("\($0)") }
    let parts = allImages ? [images.training, images.validation, images.test].compactMap { $0 } : [images.test]
    try announce(parts, of: images, for: description, logger)
    let prepared = try parts.map {
      try $0.withChannels(description.imageShape[2]).relabeled(as: description.classNames)
    }
    let evaluation = try evaluate(network.averaged(over: testTimeAugmentation), on: prepared, description)
    try options.requireFinite(evaluation.probabilities, for: images.name)
    if let text = order(of: evaluation, description.classNames) { warn("\(options.weights): \(text)") }
    guard json else {
      print("\(evaluation.correct) of \(evaluation.count) right: \(percent(evaluation.top1))")
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let result = Result(correct: evaluation.correct, total: evaluation.count, top1: evaluation.top1)
    print(String(decoding: try encoder.encode(result), as: UTF8.self))
  }

  private func evaluate(
    _ network: some Layer, on parts: [LabeledImages], _ description: SavedClassifier
  ) throws -> Evaluation {
    let line = StatusLine(isQuiet: console.quiet)
    let count = parts.reduce(0) { $0 + $1.count }
    var done = 0
    defer { line.clear() }
    let batches = parts.map { Batches(of: $0, size: batchSize, normalization: description.normalization) }
    return try Training.evaluate(network, onAll: batches, communicator: World.ranks) { batch in
      line.show("\(done) of \(count) images")
      done += batch.labels.count * World.ranks.size
    }
  }

  /// Says what is evaluated, and how images get the classifier's channels and labels.
  private func announce(
    _ parts: [LabeledImages], of images: DatasetSplit, for description: SavedClassifier, _ logger: Logger
  ) throws {
    try description.requireImages(in: options.weights)
    let (channels, test) = (description.imageShape[2], images.test)
    logger.info(
      "\(description.model) on \(parts.reduce(0) { $0 + $1.count }) \(allImages ? "" : "test ")images of \(images.name)"
    )
    if channels != test.imageShape[2] {
      logger.info(
        channels == 3 ? "grey images are repeated to three channels" : "images in colour become grey, by Rec. 601")
    }
    if test.classNames != description.classNames {
      logger.info("classes are matched by name: the weights know \(listed(description.classNames, 10)), in this order")
    }
  }

  /// A warning where most images of several classes are taken for one another: the classes have another order.
  private func order(of evaluation: Evaluation, _ names: [String]) -> String? {
    let rows = evaluation.confusion.enumerated().filter { $0.element.contains { $0 > 0 } }
    let taken = rows.compactMap { label, row -> (label: Int, other: Int)? in
      let most = row.indices.max { row[$0] < row[$1] }!
      return 2 * row[most] > row.reduce(0, +) ? (label, most) : nil
    }
    let moved = taken.filter { $0.label != $0.other }
    guard taken.count == rows.count, Set(taken.map(\.other)).count == taken.count, !moved.isEmpty else { return nil }
    let pairs = moved.prefix(5).map { "'\(names[$0.label].escaped(80))' for '\(names[$0.other].escaped(80))'" }
    return
      "it takes most images of \(pairs.joined(separator: ", of ")): its classes have another order: see --class-names"
  }
}
