extension ExperimentConfiguration {
  /// Settings that suit the images of `source`.
  public static func defaults(for source: DataSource) -> ExperimentConfiguration {
    switch source {
    case .cifar10, .cifar100: return .cifar
    case .digits, .synthetic, .folder: return .init()
    // A digit a pixel aside is the same digit; a mirrored one is none.
    case .mnist: return Self().with { $0.augmentation = .shift(by: 1) }
    }
  }

  /// Settings for CIFAR: longer training, larger batches, crops and flips, representatives of even contrast.
  public static var cifar: ExperimentConfiguration {
    Self().with {
      $0.epochs = 60
      $0.batchSize = 128
      $0.conversion.epochs = 12
      $0.transfer.fineTuneEpochs = 20
      $0.augmentation = .randomCrop(padding: 4) + .horizontalFlip
      $0.selection.selector = .evenContrast
    }
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
    Self().with {
      $0.model = "resnet8"
      // With all images every arm is right on 99 of 100, and there is nothing to compare.
      $0.subset = 500
      $0.epochs = 30
      $0.conversion.epochs = 15
      $0.transfer.headEpochs = 4
      $0.transfer.fineTuneEpochs = 18
      $0.seeds = [0, 1, 2]
      $0.arms += ArmSettings.standard.filter { ["A12", "A13"].contains($0.id) }
    }
  }

  private static var subset: ExperimentConfiguration {
    cifar.with {
      $0.data = "cifar10:cifar-10-batches-bin"
      $0.subset = 10_000
      $0.epochs = 30
      $0.conversion.epochs = 10
      // 60 full-backprop-equivalent epochs with the autoencoder's 17.4.
      $0.transfer.fineTuneEpochs = 12
      $0.seeds = [0, 1, 2]
      $0.arms += ArmSettings.standard.filter { $0.id == "A13" }
    }
  }

  private static var ablation: ExperimentConfiguration {
    subset.with {
      $0.arms = ArmSettings.standard.filter { $0.id.wholeMatch(of: /A[0-9]+/) != nil }
    }
  }

  private static func paper(_ model: String) -> ExperimentConfiguration {
    cifar.with {
      $0.model = model
      $0.data = model == "vgg16" ? "cifar10:cifar-10-batches-bin" : "cifar100:cifar-100-binary"
      ($0.epochs, $0.transfer.fineTuneEpochs) = (120, 60)
      $0.conversion.epochs = 15
      $0.seeds = [0, 1, 2]
      $0.arms += ArmSettings.standard.filter { ["A13", "cutmix", "swa"].contains($0.id) }
    }
  }

  private func with(_ change: (inout ExperimentConfiguration) -> Void) -> ExperimentConfiguration {
    var changed = self
    change(&changed)
    return changed
  }

  /// The preset of that name.
  public static func preset(_ name: String) throws(ExperimentError) -> ExperimentConfiguration {
    guard let preset = presets.first(where: { $0.name == name }) else {
      throw ExperimentError("there is no preset '\(name)'; there are \(presets.map(\.name).joined(separator: ", "))")
    }
    return preset.configuration
  }
}
