import Foundation
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the library wrote itself, and reads again: it may have been damaged, edited, or be from elsewhere.
func runFiles(_ scratch: URL) throws -> [Target] {
  [try classifier(scratch), try state(scratch), try report(scratch), try run(scratch)]
}

private func json(_ value: some Encodable) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  return [UInt8](try encoder.encode(value))
}
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The description beside a classifier's weights, which says what network to make.
private func classifier(_ scratch: URL) throws -> Target {
  var g = SplittableGenerator(seed: 0)
  let (choice, shape) = (ModelChoice("resnet8", widthMultiplier: 0.25), Shape([8, 8, 1]))
  let weights = try choice.make(classes: 3, inputShape: shape, using: &g).stateDictionary
  let described = try ["resnet8", "vgg16", "lenet5"].map {
    try json(
      SavedClassifier(
        model: ModelChoice($0, widthMultiplier: 0.25), imageShape: shape, classNames: ["a", "b", "c"],
        normalization: Normalization(mean: [0.5], deviation: [0.25]),
        preparation: ImagePreparation(size: ImageSize(8), fit: .pad)))
  }
  let file = scratch.appendingPathComponent("classifier.safetensors")
  return Target(name: "classifier", corpus: described, cost: 20) {
    try Safetensors.save(weights, metadata: ["encodenet": text($0)], to: file)
    guard let saved = try SavedClassifier.read(from: file) else { return }
    let network = try saved.load(file)
    _ = network.evaluating { network(Tensor.zeros(Shape([1] + saved.imageShape.dimensions))) }
  }
}

/// Where a training run stands, as its state says.
private func state(_ scratch: URL) throws -> Target {
  var g = SplittableGenerator(seed: 0)
  let model = Sequential([Flatten(), Linear(4, 4, using: &g), Dropout(0.5, seed: 1), Linear(4, 2, using: &g)])
  let optimizer = SGD(model, learningRate: 0.01)
  let images = try LabeledImages(
    name: "grey", pixels: (0..<24).map { UInt8($0) }, labels: [0, 1, 0, 1, 0, 1], imageShape: [2, 2, 1],
    classNames: ["a", "b"])
  let batches = Batches(of: images, size: 2, shuffledBy: SplittableGenerator(seed: 0))
  func fit(from position: TrainingPosition = TrainingPosition(), epochs: Int) -> Fit<Sequential, Batches> {
    Fit(
      model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
      optimizer: optimizer, schedule: .cosine(from: 0.1, over: 10), epochs: epochs, startingAt: position)
  }
  var first = fit(epochs: 1)
  let reports = try first.run()
  let file = scratch.appendingPathComponent("run.safetensors")
  try TrainingCheckpoint(model, optimizer, at: first.position, reports: reports).save(to: file)
  let (tensors, metadata) = try Safetensors.read(file)
  let keys = ["position", "generators", "reports"]
  return Target(name: "state", corpus: keys.map { Array(metadata[$0]!.utf8) }, cost: 20) { bytes in
    // Told by what it looks like, so that damage gets past the first key.
    let key = bytes.first == UInt8(ascii: "[") ? "reports" : text(bytes).contains("epoch") ? "position" : "generators"
    try Safetensors.save(tensors, metadata: metadata.merging([key: text(bytes)]) { $1 }, to: file)
    let state = try TrainingCheckpoint.load(file)
    try state.restore(model, optimizer)
    var next = fit(from: state.position, epochs: 2)
    _ = next.next()
  }
}

/// A classifier of four pixels.
private final class Tiny: SplitClassifier {
  let features: any Layer
  let classifier: any Layer
  init(_ g: inout SplittableGenerator) {
    features = Sequential([Flatten(), Linear(4, 4, using: &g), ReLU()])
    classifier = Sequential([Linear(4, 2, using: &g)])
  }
}

/// A whole experiment that takes a moment.
private func experiment() throws -> (run: (URL) throws -> ExperimentReport, configuration: ExperimentConfiguration) {
  var g = SplittableGenerator(seed: 0)
  func images(_ count: Int) throws -> LabeledImages {
    try LabeledImages(
      name: "corners", pixels: (0..<count * 4).map { $0 % 4 == $0 / 4 % 4 ? 200 : UInt8.random(in: 0..<60, using: &g) },
      labels: (0..<count).map { $0 % 4 / 2 }, imageShape: [2, 2, 1], classNames: ["top", "bottom"])
  }
  let data = try DatasetSplit(training: images(40), test: images(12))
  var c = ExperimentConfiguration()
  (c.model, c.epochs, c.batchSize, c.conversion.epochs) = ("tiny", 1, 20, 1)
  (c.clustering.smallestCluster, c.clustering.restarts) = (2, 1)
  (c.transfer.headEpochs, c.transfer.fineTuneEpochs) = (1, 1)
  c.arms = try ["A0", "A2", "A3"].map { try .named($0) }
  let configuration = c
  var experiment = Experiment(configuration)
  // Nothing is learnt in so few steps, and nothing need be.
  (experiment.force, experiment.notice) = (true, { _ in })
  return ({ [experiment] in try experiment.run(on: data, in: $0, model: { Tiny(&$0) }) }, c)
}

/// The report that the pages are drawn from.
private func report(_ scratch: URL) throws -> Target {
  let folder = scratch.appendingPathComponent("report")
  _ = try experiment().run(folder)
  let file = folder.appendingPathComponent("report.json")
  let whole = [UInt8](try Data(contentsOf: file))
  return Target(name: "report", corpus: [whole], cost: 50) {
    try Data($0).write(to: file)
    _ = try ExperimentReport.rebuilt(in: folder)
  }
}

/// The folder of a run, which goes on with one of its files damaged: it ends with the same results, or says what is wrong.
private func run(_ scratch: URL) throws -> Target {
  let (again, _) = try experiment()
  let whole = scratch.appendingPathComponent("whole")
  let folder = scratch.appendingPathComponent("run")
  let accuracies = try again(whole).arms.map(\.accuracies)
  let manager = FileManager.default
  let names = (try manager.subpathsOfDirectory(atPath: whole.path)).sorted().filter {
    ["json", "safetensors", "csv"].contains(($0 as NSString).pathExtension)
  }
  // The first byte says which file the rest is.
  let corpus = try names.enumerated().map { index, name in
    [UInt8(index)] + [UInt8](try Data(contentsOf: whole.appendingPathComponent(name)))
  }
  return Target(name: "run", corpus: corpus, cost: 1000) { bytes in
    guard let index = bytes.first.map({ Int($0) }), index < names.count else { return }
    try? manager.removeItem(at: folder)
    try manager.copyItem(at: whole, to: folder)
    try Data(bytes.dropFirst()).write(to: folder.appendingPathComponent(names[index]))
    let found = try silently { try again(folder).arms.map(\.accuracies) }
    guard found == accuracies else { throw Wrong("\(names[index]): \(found), not \(accuracies)") }
  }
}

/// Without what is written to standard error, such as warnings of what is damaged.
private func silently<R>(_ body: () throws -> R) rethrows -> R {
  let (kept, nothing) = (dup(2), open("/dev/null", O_WRONLY))
  dup2(nothing, 2)
  defer {
    dup2(kept, 2)
    close(kept)
    close(nothing)
  }
  return try body()
}
