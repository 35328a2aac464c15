extension ExperimentConfiguration {
  /// Settings that suit the images of `source`.
  public static func defaults(for source: DataSource) -> ExperimentConfiguration {
    switch source {
    case .cifar10, .cifar100: return .cifar
    case .digits, .synthetic, .folder, .list, .coco: return .init()
    case .mnist:
      var settings = ExperimentConfiguration()
      // A digit a pixel aside is the same digit; a mirrored one is none.
      settings.augmentation = .shift(by: 1)
      return settings
    }
  }

  /// Settings for CIFAR: longer training, larger batches, crops and flips, representatives of even contrast.
  public static var cifar: ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.epochs = 60
    configuration.batchSize = 128
    configuration.conversion.epochs = 12
    configuration.transfer.fineTuneEpochs = 20
    configuration.augmentation = .randomCrop(padding: 4) + .horizontalFlip
    configuration.selection.selector = .evenContrast
    return configuration
  }

  /// Settings that are ready to run, by their names.
  public static let presets: [(name: String, what: String, configuration: ExperimentConfiguration)] = [
    ("quick", "500 of the digits, a small network, 8 arms and 3 seeds: about a minute", .quick),
    (
      "subset", "10,000 images of CIFAR-10, ResNet20, A0 to A4, A13 and A16, 3 seeds: less than an hour a seed", .subset
    ),
    ("paper-vgg16", "the paper's first claim: VGG16 on CIFAR-10", paper("vgg16")),
    ("paper-resnet20", "the paper's second claim: ResNet20 on CIFAR-100", paper("resnet20")),
    ("ablation", "what each part of the method is worth: A0 to A16 on the subset", .ablation),
  ]

  private static var quick: ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.model = "resnet8"
    // With all images every arm is right on 99 of 100, and there is nothing to compare.
    configuration.subset = 500
    configuration.epochs = 30
    configuration.conversion.epochs = 15
    configuration.transfer.headEpochs = 4
    configuration.transfer.fineTuneEpochs = 18
    configuration.seeds = [0, 1, 2]
    configuration.arms += ArmSettings.standard.filter { ["A12", "A13"].contains($0.id) }
    return configuration
  }

  private static var subset: ExperimentConfiguration {
    var configuration = ExperimentConfiguration.cifar
    configuration.data = "cifar10:cifar-10-batches-bin"
    configuration.subset = 10_000
    configuration.epochs = 30
    configuration.conversion.epochs = 10
    // 60 full-backprop-equivalent epochs with the autoencoder's 17.4.
    configuration.transfer.fineTuneEpochs = 12
    configuration.seeds = [0, 1, 2]
    configuration.arms += ArmSettings.standard.filter { $0.id == "A13" }
    return configuration
  }

  private static var ablation: ExperimentConfiguration {
    var configuration = ExperimentConfiguration.subset
    configuration.arms = ArmSettings.standard.filter { $0.id.wholeMatch(of: /A[0-9]+/) != nil }
    return configuration
  }

  private static func paper(_ model: String) -> ExperimentConfiguration {
    var configuration = ExperimentConfiguration.cifar
    configuration.model = model
    configuration.data = model == "vgg16" ? "cifar10:cifar-10-batches-bin" : "cifar100:cifar-100-binary"
    (configuration.epochs, configuration.transfer.fineTuneEpochs) = (120, 60)
    configuration.conversion.epochs = 15
    configuration.seeds = [0, 1, 2]
    configuration.arms += ArmSettings.standard.filter { ["A13", "cutmix", "swa"].contains($0.id) }
    return configuration
  }

  /// The preset of that name.
  public static func preset(_ name: String) throws(ExperimentError) -> ExperimentConfiguration {
    guard let preset = presets.first(where: { $0.name == name }) else {
      throw ExperimentError("there is no preset '\(name)'; there are \(presets.map(\.name).joined(separator: ", "))")
    }
    return preset.configuration
  }
}
