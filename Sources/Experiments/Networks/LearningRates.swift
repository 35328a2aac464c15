// The learning rates of networks where none is given, each with its reason; `Docs/defaults.md` has the accuracies that
// `Scripts/defaults-table` finds with them.

extension ModelChoice {
  /// The highest learning rate of SGD with Nesterov's momentum 0.9, warmed up over 5 % of the steps and falling to 0 by a
  /// cosine, with which this network learns.
  ///
  /// For batches of 128 it is 0.1 for a ResNet (He et al., sections 3.4 and 4.2) and a MobileNetV2, which has batch norm after every
  /// convolution too and is trained so on CIFAR (kuangliu/pytorch-cifar), 0.05 for a VGG16, and 0.04 for networks without
  /// batch norm, whose ReLUs die of larger steps. A ResNet of more than 56 layers has 0.04: the first steps at 0.1 throw some seeds
  /// so far off that 12 epochs do not bring them back (He et al. met the same at 110 layers and began at 0.01). For other batches, up
  /// to 512, it scales with the root of their size (Hoffer et al., "Train longer, generalize better", 2017).
  public func learningRate(batchSize: Int) -> Double {
    let rate = isVeryDeep ? 0.04 : ["resnet": 0.1, "mobilenetv2": 0.1, "vgg16": 0.05][family] ?? 0.04
    return scaledRate(rate, batchSize: batchSize)
  }
}

/// Rounded to two digits: nothing depends on more.
private func scaledRate(_ rate: Double, batchSize: Int) -> Double {
  let scaled = rate * (Double(min(batchSize, 512)) / 128).squareRoot()
  var unit = 1.0
  while scaled * unit < 10 { unit *= 10 }
  return (scaled * unit).rounded() / unit
}

extension RunSettings {
  /// The highest learning rate that suits the network: by its name, else by whether it has batch norms.
  ///
  /// - Parameter network: Of the caller's own; nil for one that ``model`` names.
  package func learningRate(for network: (any SplitClassifier)?) -> Double {
    guard let network else { return modelChoice.learningRate(batchSize: batchSize) }
    var hasBatchNorm = false
    network.visit { _, part in hasBatchNorm = hasBatchNorm || part is BatchNorm2d }
    return scaledRate(hasBatchNorm ? 0.1 : 0.04, batchSize: batchSize)
  }

  /// These settings with every rate that was left to the network.
  package func withRates(for network: (any SplitClassifier)?) -> RunSettings {
    var settings = self
    let rate = learningRate ?? learningRate(for: network)
    settings.learningRate = rate
    // A restart at the first rate would undo what the baseline has learnt; a hundredth of it would leave it where it is.
    settings.continuedLearningRate = continuedLearningRate ?? rate / 5
    return settings
  }
}
