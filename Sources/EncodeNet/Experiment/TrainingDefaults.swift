// What a network learns with where nothing is said: each rate and its reason stands here, and `Docs/defaults.md` has what
// comes of them, as `Scripts/defaults-table` finds it.

extension ExperimentConfiguration {
  /// Settings that suit the images of `source`.
  public static func defaults(for source: DataSource) -> ExperimentConfiguration {
    switch source {
    case .cifar10, .cifar100: return .cifar
    case .digits, .synthetic, .folder: return .init()
    case .mnist:
      var settings = ExperimentConfiguration()
      // A digit a pixel aside is the same digit; a mirrored one is none.
      settings.augmentation = .shift(by: 1)
      return settings
    }
  }

  /// These settings with every rate left to the network.
  var withoutRates: ExperimentConfiguration {
    var settings = self
    (settings.learningRate, settings.continuedLearningRate, settings.transfer.fineTuneLearningRate) = (nil, nil, nil)
    return settings
  }

  /// These settings with every rate that was left to the network.
  ///
  /// - Parameter network: Of the caller's own; nil for one that ``model`` names.
  func withRates(for network: (any SplitClassifier)?) -> ExperimentConfiguration {
    var settings = self
    let rate =
      learningRate ?? network.map { defaultLearningRate(of: $0, batchSize: batchSize) }
      ?? modelChoice.learningRate(batchSize: batchSize)
    settings.learningRate = rate
    // A restart at the first rate would undo what the baseline has learnt; a hundredth of it would leave it where it is.
    let restart = continuedLearningRate ?? rate / 5
    settings.continuedLearningRate = restart
    settings.transfer.fineTuneLearningRate = transfer.fineTuneLearningRate ?? restart
    return settings
  }
}

extension ModelChoice {
  /// The highest learning rate of SGD with Nesterov's momentum 0.9, warmed up over 5 % of the steps and falling to 0 by a
  /// cosine, with which this network learns.
  ///
  /// In batches of 128: 0.1 for a ResNet (He et al., section 4.2), 0.05 for a VGG16, 0.04 for networks without batch
  /// norm, whose ReLUs die of larger steps. In other batches by the root of
  /// their size (Hoffer et al., "Train longer, generalize better", 2017), up to batches of 512.
  public func learningRate(batchSize: Int) -> Double {
    scaledRate(["resnet": 0.1, "vgg16": 0.05][family] ?? 0.04, batchSize: batchSize)
  }
}

/// The same for a network that has no name: by whether it has batch norms.
private func defaultLearningRate(of network: any SplitClassifier, batchSize: Int) -> Double {
  var hasBatchNorm = false
  network.visit { _, part in hasBatchNorm = hasBatchNorm || part is BatchNorm2d }
  return scaledRate(hasBatchNorm ? 0.1 : 0.04, batchSize: batchSize)
}

/// Rounded to two digits: nothing depends on more.
private func scaledRate(_ rate: Double, batchSize: Int) -> Double {
  let scaled = rate * (Double(min(batchSize, 512)) / 128).squareRoot()
  var unit = 1.0
  while scaled * unit < 10 { unit *= 10 }
  return (scaled * unit).rounded() / unit
}
