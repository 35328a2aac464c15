import ArgumentParser
import Foundation
import Logging
import Reports

/// The settings of an experiment: those of the data's kind, over them those of a file, over those the arguments.
struct ExperimentOptions: ParsableArguments {
  @Option(help: "The images: \(DataSource.forms) (default: digits).")
  var data: DataSource?
  @Option(help: "The network: \(ModelChoice.forms) (default: resnet20).")
  var model: String?
  @Option(help: "A ResNet's shortcuts: identity (option A) or projection (option B) (default: identity).")
  var shortcut: ResNet.Shortcut?
  @Option(help: "Multiplies the network's channels (default: 1).")
  var width: Double?
  @Option(help: "Use so many training images, the same share of each class (default: all).")
  var subset: Int?
  @Option(help: "Decides weights and orders; several are joined by commas (default: 0).")
  var seed: Seeds?
  @Option(help: "What is compared: ids joined by commas (default: A0,A1,A2,A3,A4,A16).")
  var arms: Arms?
  @Option(help: "The folder of the results; a run that stopped goes on there.")
  var out = "out/encodenet"
  @Option(help: "A JSON file of settings, as a run writes it in configuration.json; any may be left out.")
  var config: String?
  @Option(
    help:
      "Settings that are ready to run, which those of the file and the arguments go over: \(ExperimentConfiguration.presets.map(\.name).joined(separator: ", "))."
  )
  var preset: String?

  @Option(
    help:
      "A trained classifier to begin with instead of training one: a PyTorch, safetensors, NumPy or Keras file of --model's weights."
  )
  var baseline: String?
  @OptionGroup var normalization: NormalizationOptions
  @Flag(
    help: "Say that the given baseline was also trained on the images kept for validation: figures on them are marked.")
  var baselineTrainedOnAll = false

  @Option(help: "Epochs of the baseline (default: 12, for CIFAR 60).")
  var epochs: Int?
  @Option(help: "Epochs of the autoencoder (default: 20, for CIFAR 12).")
  var conversionEpochs: Int?
  @Option(help: "Epochs of the head (default: 10).")
  var headEpochs: Int?
  @Option(help: "Epochs of fine-tuning (default: 10, for CIFAR 20).")
  var fineTuneEpochs: Int?
  @Option(help: "Images in a batch (default: 32, for CIFAR 128).")
  var batchSize: Int?
  @Option(
    help:
      "The baseline's highest learning rate, a fifth of which restarts take (default: what suits the network and the batch size)."
  )
  var learningRate: Double?
  @Option(help: "The share of the training images kept for validation (default: 0.1).")
  var validationShare: Double?
  @Option(
    help: "Changes of the training images: none, or any of crop,flip,shift,cutout (default: none, for CIFAR crop,flip)."
  )
  var augmentation: AugmentationChoice?
  @Option(help: "Clusters per class: automatic, elbow or a number (default: automatic).")
  var clusters: ClusterCount?
  @Option(help: "How a cluster's representative is chosen (default: minimumEntropy, for CIFAR evenContrast).")
  var selector: RepresentativeSelection.Selector?
  @Option(help: "Where the network is cut, by the name of the last feature layer (default: the model's choice).")
  var split: String?

  @Option(help: "Seconds between saves inside an epoch; each epoch is saved too.")
  var saveEvery = 20.0

  @Flag(help: "Go on from a baseline that has not learnt.")
  var force = false

  @OptionGroup var console: ConsoleOptions

  /// Every setting, checked.
  func configuration() throws -> ExperimentConfiguration {
    let json = try config.map { path in
      do { return try Data(contentsOf: fileURL(path)) } catch {
        throw ExperimentError("\(path): the configuration cannot be read: is there such a file?")
      }
    }
    var settings: ExperimentConfiguration
    do {
      let written = try json.flatMap(ExperimentConfiguration.data(inJSON:))
      let preset = try preset.map(ExperimentConfiguration.preset)
      let source = try data ?? written.map { try DataSource($0) } ?? preset.map { try DataSource($0.data) } ?? .digits
      var c = preset ?? ExperimentConfiguration.defaults(for: source)
      if let json { c = try ExperimentConfiguration.decoded(from: json, over: c) }
      c.data = "\(source)"
      func set<T>(_ path: WritableKeyPath<ExperimentConfiguration, T>, _ value: T?) {
        if let value { c[keyPath: path] = value }
      }
      set(\.model, model?.lowercased())
      set(\.shortcut, shortcut)
      set(\.widthMultiplier, width)
      set(\.seeds, seed?.values)
      set(\.arms, arms?.values)
      set(\.epochs, epochs)
      set(\.conversion.epochs, conversionEpochs)
      set(\.transfer.headEpochs, headEpochs)
      set(\.transfer.fineTuneEpochs, fineTuneEpochs)
      set(\.batchSize, batchSize)
      if let learningRate { c.learningRate = learningRate }
      set(\.validationShare, validationShare)
      set(\.clustering.clustersPerClass, clusters?.count)
      set(\.selection.selector, selector)
      if let subset { c.subset = subset }
      if let split { c.split = split }
      if let augmentation { c.augmentation = augmentation.augmentation }
      settings = c
    } catch let error as ExperimentError where json != nil {
      throw ExperimentError("\(config!): \(error)")
    } catch { throw ValidationError("\(error)") }
    let named = json.map(ExperimentConfiguration.names(in:)) ?? []
    try begin(
      &settings, namesModel: model != nil || named.contains("model"), namesArms: arms != nil || named.contains("arms"))
    try validating { [settings] in
      try settings.check()
      try settings.modelChoice.check()
    }
    return settings
  }

  /// Sets the baseline that is given, here or in the file of settings.
  private func begin(_ c: inout ExperimentConfiguration, namesModel: Bool, namesArms: Bool) throws {
    let wanted = try normalization.value()
    if let path = baseline {
      c.baseline = GivenBaseline(path, normalization: wanted, isTrainedOnAll: baselineTrainedOnAll)
    } else if wanted != nil || baselineTrainedOnAll {
      throw ValidationError("--normalization, --mean, --std and --baseline-trained-on-all go with --baseline")
    }
    guard let given = c.baseline else { return }
    // A file of this library says for which network it is.
    if !namesModel, let saved = try SavedClassifier.read(from: given.url) {
      let choice = ModelChoice(
        saved.model.name, shortcut: shortcut ?? saved.model.shortcut,
        widthMultiplier: width ?? saved.model.widthMultiplier)
      guard choice.shortcut == saved.model.shortcut, choice.widthMultiplier == saved.model.widthMultiplier else {
        throw ExperimentError(
          "\(given.weights): it is a \(saved.model) of width \(saved.model.widthMultiplier) with \(saved.model.shortcut.rawValue) "
            + "shortcuts, and --width or --shortcut want another")
      }
      guard saved.model.variation == .plain else {
        throw ExperimentError(
          "\(given.weights): it is a \(saved.model) with \(saved.model.variation.rawValue): only plain networks can be begun with"
        )
      }
      (c.model, c.shortcut, c.widthMultiplier) = (choice.name, choice.shortcut, choice.widthMultiplier)
    }
    // Arms that nobody asked for need not be there.
    guard !namesArms else { return }
    let left = c.arms.map(\.id)
    c = c.beginning(with: given)
    if preset != nil, c.arms.count < left.count {
      let names = left.filter { id in !c.arms.contains { $0.id == id } }
      warn(
        "beside a given baseline there are no arms that begin at random: \(names.joined(separator: ", ")) are left out")
    }
  }

  /// The images, and the settings that suit them.
  private func loaded(_ logger: Logger) throws -> (ExperimentConfiguration, DatasetSplit) {
    let c = try configuration()
    let data = try DataSource(c.data).load()
    try c.modelChoice.check(inputShape: data.imageShape)
    logger.info(
      "\(data.name): \(data.training.count) training images, \(data.test.count) for tests; \(c.modelChoice)")
    return (c, data)
  }

  /// Gives `body` the stages of the first seed, ready to run, in a folder that is kept for this process meanwhile.
  func withStages(_ body: (ExperimentRun) throws -> Void) throws {
    Interruption.watch()
    let logger = console.logger()
    let (c, data) = try loaded(logger)
    let folder = fileURL(out).appendingPathComponent("seed-\(c.seeds[0])")
    // One lock for the whole run, whichever command is at work in it.
    let lock = try RunLock(fileURL(out))
    var run = try ExperimentRun(
      c, on: data, in: folder, saveInterval: saveEvery, shouldStop: { Interruption.isAsked },
      progress: { logger.epoch($0, $1) })
    run.force = force
    run.notice = { logger.warning("\($0)") }
    try withExtendedLifetime(lock) { try body(run) }
  }

  /// Runs the whole experiment, and prints what it found.
  func compare() throws {
    Interruption.watch()
    let logger = console.logger()
    let (c, data) = try loaded(logger)
    logger.info("\(out)/progress.html shows how far it is and when it will end")
    var experiment = Experiment(c)
    experiment.saveInterval = saveEvery
    experiment.force = force
    experiment.notice = { logger.warning("\($0)") }
    let report = try experiment.run(
      on: data, in: fileURL(out), shouldStop: { Interruption.isAsked }, progress: { logger.epoch($0, $1) })
    print(report.text)
    print("\nThe report is in \(out)/report.html.")
  }
}

/// A path on the command line.
func fileURL(_ path: String) -> URL { URL(fileURLWithPath: (path as NSString).expandingTildeInPath) }
