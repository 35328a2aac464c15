// Three first questions to the method, on a small set: CIFAR-10 where its folder is given, else the embedded digits.
//
//     swift run first-experiments
//     swift run -c release first-experiments cifar10:DIR
//
// E1  Does it convert: do images become the representative of their class?
// E2  Does it clarify: are converted images clearer to a classifier that had no part in the conversion?
// E3  Does it gain: is the classifier more accurate than one that was trained on for as long?

import Foundation
import Reports

let source = try DataSource(CommandLine.arguments.dropFirst().first ?? "digits")
let data = try source.load()
var configuration = ExperimentConfiguration.defaults(for: source)
configuration.model = source == .digits ? "lenet5" : "resnet20"
// What is left over is the audit set, which nothing trains on or chooses by.
configuration.subset = source == .digits ? 1_000 : 2_000
configuration.batchSize = 32
configuration.epochs = source == .digits ? 10 : 20
configuration.conversion.epochs = 30
configuration.conversion.encoderLearningRateScale = 1
configuration.transfer.headEpochs = 4
configuration.transfer.fineTuneEpochs = 4

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }
let report = try Experiment(configuration).run(on: data, in: folder, progress: { print($0, $1) })
guard let conversion = report.seeds[0].diagnostics?.conversions.first, let outcome = conversion.unseen,
  let judged = outcome.byJudge
else { fatalError("a conversion should have been looked at, and by a judge") }
print("\n\(report.text)\n")

/// Ends the program where something does not hold that held when it was written.
func insist(_ holds: Bool, _ what: String) {
  guard !holds else { return }
  FileHandle.standardError.write(Data("first-experiments: \(what)\n".utf8))
  exit(1)
}

// E1: of audit images. On the digits 97.0 % were nearest to their class, of which the baseline knew 95.6 %; the judge recognised
// 95.0 % of the converted images and 98.0 % of the images themselves.
let (before, known) = (judged.all, outcome.byBaseline.all.accuracyBefore)
print("E1  nearest representative of the class: \(outcome.nearestIsOfClass), known to the baseline: \(known)")
print("    recognised by the judge: \(before.accuracyBefore) as they are, \(before.accuracyAfter) converted")
insist(
  outcome.nearestIsOfClass >= known - 0.03,
  "converted images should be nearest to their class about as often as it is known")
insist(
  before.accuracyAfter >= before.accuracyBefore - 0.05, "the judge should recognise converted images about as often")

// E2: entropy in nats; the hard half is where the baseline's is high. On the digits it fell from 0.076 to 0.055, and of the hard
// half for 59.1 % that were then right and 4.0 % that were wrong, where the baseline had 91.3 % right.
let (hard, hardKnown) = (judged.hard, outcome.byBaseline.hard.accuracyBefore)
print("E2  mean entropy to the judge: \(before.entropyBefore) before conversion, \(before.entropyAfter) after")
print("    hard half, lowered and right: \(hard.loweredAndRight), and wrong: \(hard.loweredAndWrong)")
insist(before.entropyAfter < before.entropyBefore, "conversion should lower the entropy")
insist(
  hard.loweredAndRight * (1 - hardKnown) >= 0.9 * hard.loweredAndWrong * hardKnown,
  "where it lowers the entropy it should be right about as often as the baseline is")

// E3: one seed shows nothing, so nothing is insisted on.
let gain = report.answers.last!
print("E3  \(gain.figure) \(gain.words)")
