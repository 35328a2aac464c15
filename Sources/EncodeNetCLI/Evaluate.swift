import ArgumentParser
import Foundation
import Reports

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts the test images that a classifier gets right.",
    discussion: "  encodenet evaluate --weights out/digits/seed-0/A3.safetensors --data digits")

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The images: \(DataSource.forms).")
  var data = DataSource.digits
  @Option(help: "Images in a batch, at least 1.")
  var batchSize = 256
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
    let logger = console.logger()
    let images = try data.load()
    let (network, description) = try options.classifier(for: images)
    logger.info("\(description.model) on \(images.test.count) test images of \(images.name)")
    let batches = Batches(of: images.test, size: batchSize, normalization: description.normalization)
    let evaluation = try Training.evaluate(network, on: batches)
    guard json else {
      print("\(evaluation.correct) of \(evaluation.count) right: \(percent(evaluation.top1))")
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let result = Result(correct: evaluation.correct, total: evaluation.count, top1: evaluation.top1)
    print(String(decoding: try encoder.encode(result), as: UTF8.self))
  }
}
