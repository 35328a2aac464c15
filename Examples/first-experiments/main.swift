// Three first questions to the method, on a small set: CIFAR-10 where its folder is given, else the embedded digits.
//
//     swift run first-experiments
//     swift run -c release first-experiments cifar10:DIR
//
// E1  Does the autoencoder convert images into their representatives?
// E2  Are converted images clearer to the baseline: is their entropy less?
// E3  What does the transfer gain, beside training on for as long (A2)?

import EncodeNet
import Foundation

let source = try DataSource(CommandLine.arguments.dropFirst().first ?? "digits")
let data = try source.load()
var configuration = ExperimentConfiguration.defaults(for: source)
configuration.model = source == .digits ? "lenet5" : "resnet20"
configuration.subset = source == .digits ? nil : 2_000
configuration.batchSize = 32
configuration.learningRate = source == .digits ? 0.02 : 0.1
configuration.continuedLearningRate = configuration.learningRate / 10
configuration.epochs = source == .digits ? 10 : 20
configuration.conversionEpochs = 15
configuration.encoderLearningRateScale = 1
configuration.transfer.headEpochs = 4
configuration.transfer.fineTuneEpochs = 4

let choice = configuration.modelChoice
try choice.check(inputShape: data.imageShape)
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }
let run = try ExperimentRun(
  configuration, on: data, in: folder, progress: { print($0, $1) },
  model: { try! choice.make(classes: data.classNames.count, inputShape: data.imageShape, using: &$0) })

let baseline = try run.baseline()
let clustering = try run.clustering(baseline)
let conversion = try run.conversion(baseline, clustering)

// E1: the error against that of the best constant image, which knows nothing of its input.
let targets = data.training.tensor(at: clustering.pairs.pairs.map(\.target))
let constant = square(targets - targets.mean(alongAxes: [0], keepingDimensions: true)).mean().item
let error = square(conversion.shown - targets).mean().item
print("E1  squared error of conversion \(error), of the mean image \(constant): R² \(1 - error / constant)")
precondition(error < constant, "the autoencoder should do better than one image for all")

// E2: the entropy of the baseline's answers, in nats.
let (before, after) = (clustering.certainty, conversion.certainty)
print("E2  mean entropy \(before.meanEntropy) before conversion, \(after.meanEntropy) after")
let lowered = zip(before.entropies, after.entropies).map { $1 < $0 }
let rightly = zip(lowered, after.isCorrect).count { $0 && $1 }
let wrongly = zip(lowered, after.isCorrect).count { $0 && !$1 }
print("    lowered for \(rightly) images taken for their class, and for \(wrongly) that are not")

// E3: both from the same baseline.
let report = try run.report()
print("E3\n\(report.text)")
