// A network of one's own, made a `SplitClassifier` in a few lines, goes through the whole of EncodeNet.

import Foundation
import Reports

/// Two convolutions, then a linear layer. EncodeNet works between `features` and `classifier`.
final class SmallNetwork: SplitClassifier {
  let features: any Layer
  let classifier: any Layer

  init(classes: Int, using generator: inout SplittableGenerator) {
    features = Sequential {
      Conv2d(1, 8, kernelSize: 3, padding: 1, bias: false, using: &generator)
      BatchNorm2d(8)
      ReLU()
      MaxPool2d(2)
      Conv2d(8, 16, kernelSize: 3, padding: 1, bias: false, using: &generator)
      BatchNorm2d(16)
      ReLU()
    }
    classifier = Sequential {
      GlobalAveragePool()
      Linear(16, classes, using: &generator)
    }
  }
}

var configuration = ExperimentConfiguration()
configuration.model = "small network"
configuration.batchSize = 32
configuration.epochs = 8
configuration.conversion.epochs = 6
configuration.transfer.headEpochs = 4
configuration.transfer.fineTuneEpochs = 4
configuration.clustering.clustersPerClass = .fixed(2)

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }
let report = try Experiment(configuration).run(
  on: .digits, in: folder, progress: { print($0, $1) }, model: { SmallNetwork(classes: 10, using: &$0) })

print(report.text)
precondition(
  report.arms.allSatisfy { $0.inference.parameters == report.arms[0].inference.parameters },
  "inference must cost the same")
precondition(report.arms[0].mean > 0.7, "the baseline should have learned something")
