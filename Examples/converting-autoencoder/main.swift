// The earlier Converting Autoencoder (CBNet, arXiv 2403.07036): hard images become easy ones of their class before a light
// classifier looks at them. `swift run converting-autoencoder` uses the embedded digits, `… mnist:DIR` MNIST.
import EncodeNet
import Foundation

func report(_ fit: Fit<some Layer, Batches>, _ what: String) throws {
  for epoch in fit {
    try epoch.check()
    print("\(what), epoch \(epoch.epoch + 1): loss \(epoch.loss)")
  }
}

func run(_ source: DataSource) throws {
  let data = try source.load()
  let (training, test) = (data.training, data.test)
  var generator = SplittableGenerator(seed: 1)

  // A light classifier, which is sure of the easy images.
  let size = data.imageShape.count
  let classifier = Sequential {
    Flatten()
    Linear(size, 32, using: &generator)
    ReLU()
    Linear(32, data.classNames.count, using: &generator)
  }
  let batches = Batches(of: training, size: 64, shuffledBy: generator.split())
  let fit = Fit(
    classifier, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
    optimizer: Adam(classifier, learningRate: 2e-3), epochs: 15)
  try report(fit, "classifier")

  // Which images are hard: those whose class it is not sure of.
  let inOrder = Batches(of: training, size: 256)
  let logits = classifier.evaluating { Tensor.concatenated(inOrder.epoch(0).map { classifier($0.images) }) }
  let confidence = PredictionEntropy()(logits, labels: training.labels)
  let threshold = 0.05
  let pairs = ConversionPairs(
    convertingHardImages: confidence, labels: training.labels, threshold: threshold, using: &generator)
  let hard = pairs.pairs.count { $0.input != $0.target }
  print("\(hard) of \(training.count) images are hard: entropy above \(threshold) nats, or wrong")

  // The autoencoder learns to make them easy.
  let converter = DenseConvertingAutoencoder(imageShape: data.imageShape, widths: [128, 64, 32], using: &generator)
  let target = pairs.pairs.map(\.target)
  let conversion = Fit(
    converter, to: batches,
    loss: { meanSquaredError($0, training.tensor(at: $1.indices.map { target[$0] })) },
    optimizer: Adam(converter, learningRate: 2e-3), epochs: 60, classifies: false)
  try report(conversion, "converter")

  // Both in a row, on images that neither has seen.
  let tandem = ConvertingTandem(converter: converter, classifier: classifier)
  let testBatches = Batches(of: test, size: 256)
  let alone = try evaluate(classifier, on: testBatches.epoch(0))
  let together = try evaluate(tandem, on: testBatches.epoch(0))
  print("the classifier alone: \(alone.correct) of \(alone.count) right; in tandem: \(together.correct)")
  precondition(together.correct * 10 > together.count * 8, "the tandem should be right on most test images")
}

do {
  try run(DataSource(CommandLine.arguments.dropFirst().first ?? "digits"))
} catch {
  print("converting-autoencoder: \(error)")
  exit(1)
}
