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

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }
let report = try Experiment(configuration).run(on: data, in: folder, progress: { print($0, $1) })
guard let found = report.seeds[0].diagnostics else { fatalError("A3 should have been looked at") }
let conversion = found.conversion

// E1: R² is the error against that of the best constant image, which knows nothing of its input.
print("E1  squared error of conversion \(conversion.squaredError), R² \(conversion.r2)")
precondition(conversion.r2 > 0, "the autoencoder should do better than one image for all")

// E2: the entropy of the baseline's answers, in nats.
print("E2  mean entropy \(conversion.all.entropyBefore) before conversion, \(conversion.all.entropyAfter) after")
print("    lowered for \(conversion.all.loweredAndRight) of the images, which are taken for their class,")
print("    and for \(conversion.all.loweredAndWrong), which are not")

// E3: both from the same baseline.
print("E3\n\(report.text)")
