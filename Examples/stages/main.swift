// The whole method on handwritten digits, one public stage after another and no `Experiment`, with a clustering and a choice of
// representatives of one's own. Every stage takes what the one before gave, or anything else of that kind.

import Foundation
import Reports

let seed: UInt64 = 1
func stream(_ name: String) -> SplittableGenerator { SplittableGenerator(seed: seed, stream: name) }

let (training, validation) = try DatasetSplit.digits.training.split(holdingOut: 300, seed: seed)
let normalization = Normalization.computed(from: training)
func inOrder(_ images: LabeledImages) -> Batches { Batches(of: images, size: 128, normalization: normalization) }

/// Ends the program where something does not hold that held when it was written.
func insist(_ holds: Bool, _ what: String) {
  guard !holds else { return }
  FileHandle.standardError.write(Data("stages: \(what)\n".utf8))
  exit(1)
}

// S0  A baseline, trained by the library's loop.
var weights = stream("weights")
let baseline = LeNet5(classes: 10, inputShape: training.imageShape, using: &weights)
let batches = Batches(of: training, size: 32, shuffledBy: stream("order"), normalization: normalization)
let (epochs, rate): (Int, Scalar) = (12, 0.02)
var fit = Fit(
  baseline, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
  optimizer: SGD(baseline, learningRate: rate, momentum: 0.9, nesterov: true),
  schedule: .cosine(from: rate, over: epochs * batches.batchCount), epochs: epochs)
try fit.run()
let before = try evaluate(baseline, on: inOrder(validation))
print("S0  baseline: \(before.correct) of \(before.count) validation images right")

// S2  Clusters. `IntraclassClustering()(features, labels: training.labels)` finds them by k-means; here thin and bold figures
//     are told apart: each class is divided at the median of its ink.
let ink = training.labels.indices.map { training.image(at: $0).reduce(0) { $0 + Int($1) } }
let median = (0..<10).map { label in
  let sorted = training.indices(ofClass: label).map { ink[$0] }.sorted()
  return sorted[sorted.count / 2]
}
let clusters = Clusters(
  training.labels.indices.map { ink[$0] < median[training.labels[$0]] ? 0 : 1 }, labels: training.labels)
print("S2  \(clusters.count) clusters: thin and bold figures of each class")

// S3  Entropies of the baseline's answers.
let confidence = PredictionEntropy()(outputs(of: baseline, on: inOrder(training)), labels: training.labels)
print("S3  mean entropy \(confidence.meanEntropy) nats, saturated on \(confidence.saturation) of the images")

// S4  Representatives. `RepresentativeSelection()` takes the image of least entropy; here it is, of the ten of least entropy,
//     the one nearest to the cluster's mean image.
let pixels = training.tensor(at: Array(training.labels.indices)).reshaped(to: [
  training.count, training.imageShape.count,
])
let representatives = Representatives(clusters) { _, members in
  let mean = pixels.gather(members).mean(alongAxes: [0])
  let clearest = members.sorted { (confidence.entropies[$0], $0) < (confidence.entropies[$1], $1) }.prefix(10)
  return clearest.min {
    square(pixels.gather([$0]) - mean).sum().item < square(pixels.gather([$1]) - mean).sum().item
  }!
}

// S5  Pairs: every image with the representative of its class and cluster; those of high entropy count for more.
let pairs = ConversionPairs(clusters, representatives).weighted(by: confidence.entropies, strength: 0.5)
print("S5  \(pairs.count) pairs")

// S6  The converting autoencoder, whose encoder begins as a copy of the baseline's.
var others = stream("decoder")
let copy = LeNet5(classes: 10, inputShape: training.imageShape, using: &others)
try copy.load(baseline.stateDictionary)
let decoder = Decoder(mirroring: copy, imageShape: training.imageShape, using: &others)
var conversion = ConversionTraining()
(conversion.epochs, conversion.batchSize, conversion.seed) = (25, 32, seed)
let (gcae, reports) = try conversion(
  encoder: copy.features, decoder: decoder, pairs: pairs, images: training, normalization: normalization)
print("S6  loss \(reports[0].loss) after the first epoch, \(reports.last!.loss) after the last")

let shown = gcae.evaluating { Tensor.concatenated(inOrder(validation).map { gcae($0.images) }) }
let seen = PredictionEntropy()(
  baseline.evaluating { baseline(normalization(shown)) }, labels: validation.labels)
let recognised = Double(seen.isCorrect.count { $0 }) / Double(validation.count)
print("    the baseline recognises \(recognised) of the converted validation images")
print(
  "    their mean entropy is \(seen.meanEntropy) nats, \(before.entropies.reduce(0, +) / Double(before.count)) before")

// Seen: 0.947.
insist(recognised > 0.88, "the baseline should recognise most converted images, it recognises \(recognised)")

// S7  A head on the encoder, then both together.
var transfer = KnowledgeTransfer(.headThenFineTune)
transfer.seed = seed
let classifier = EncoderClassifier(encoder: gcae.encoder, head: copy.classifier)
_ = try transfer(classifier, training, normalization: normalization)

// S8  The classifier costs what the baseline costs; the decoder is gone.
let after = try evaluate(classifier, on: inOrder(validation))
print("S8  EncodeNet: \(after.correct) of \(after.count) right")
// Seen: 287.
insist(after.correct > 270, "the classifier should have kept what the baseline knew")
insist(classifier.parameterCount == baseline.parameterCount, "inference must cost the same")
