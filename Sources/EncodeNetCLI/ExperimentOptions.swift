import ArgumentParser
import Foundation
import Logging
import Reports

/// The settings of an experiment: those of the data's kind, over them those of a file, over those the arguments.
struct ExperimentOptions: ParsableArguments {
  @Option(help: "The images: \(DataSource.forms) (default: digits).", transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions
  @Option(help: "The network: \(ModelChoice.forms) (default: resnet20).")
  var model: String?
  @Option(help: "A ResNet's shortcuts: identity (option A) or projection (option B) (default: identity).")
  var shortcut: ResNet.Shortcut?
  @Option(help: "Multiplies the network's channels, by 0.05 to 4 (default: 1).")
  var width: Double?
  @Option(help: "The number of training images used, at least 1, the same share of each class (default: all).")
  var subset: Int?
  @Option(help: "The seed of weights and orders, 0 or more; several are joined by commas (default: 0).")
  var seed: Seeds?
  @Option(help: "The arms that are compared: ids joined by commas (default: A0,A1,A2,A3,A4,A16).")
  var arms: Arms?
  @Option(help: "The folder of the results; a run that was stopped resumes there.")
  var out = "out/encodenet"
  @Option(help: "A JSON file of settings, such as the configuration.json of a run; any may be left out.")
  var config: String?
  @Option(
    help:
      "Settings that are ready to run, which the file and the arguments override: \(ExperimentConfiguration.presets.map(\.name).joined(separator: ", "))."
  )
  var preset: String?

  @Option(
    help:
      "A trained baseline to use instead of training one: a PyTorch, safetensors, NumPy or Keras file of --model's weights."
  )
  var baseline: String?
  @OptionGroup var normalization: NormalizationOptions
  @Flag(
    help: "Say that the given baseline was also trained on the validation images: figures on them are marked.")
  var baselineTrainedOnAll = false

  @Option(help: "Epochs of the baseline, at least 1 (default: 12, for CIFAR 60).")
  var epochs: Int?
  @Option(help: "Epochs of the autoencoder, at least 1 (default: 20, for CIFAR 12).")
  var conversionEpochs: Int?
  @Option(
    help:
      "The longer side of converted images in pixels, from 1 to 4096 (default: that of the images, at most \(ConversionTraining.usualTargetSize))."
  )
  var targetSize: Int?
  @Option(help: "Epochs of the head, at least 1 (default: 10).")
  var headEpochs: Int?
  @Option(help: "Epochs of fine-tuning, at least 1 (default: 10, for CIFAR 20).")
  var fineTuneEpochs: Int?
  @Option(help: "Images in a batch, at least 2 (default: 32, for CIFAR 128).")
  var batchSize: Int?
  @Option(
    help:
      "The baseline's highest learning rate, above 0; restarts use a fifth of it (default: by the network and the batch size)."
  )
  var learningRate: Double?
  @Option(
    help:
      "The share of the training images held out for validation, at least 0 and below 1, where the set has no validation images of its own (default: 0.1)."
  )
  var validationShare: Double?
  @Option(
    help:
      "The augmentation of the training images: none, or any of \(AugmentationChoice.forms) (default: none, for MNIST shift, for CIFAR crop,flip).",
    transform: AugmentationChoice.init
  )
  var augmentation: AugmentationChoice?
  @Option(help: "Clusters per class: automatic, elbow, or a number of at least 1 (default: automatic).")
  var clusters: ClusterCount?
  @Option(help: "The rule that chooses a cluster's representative (default: minimumEntropy, for CIFAR evenContrast).")
  var selector: RepresentativeSelection.Selector?
  @Option(help: "The last feature layer, after which the network is cut (default: the model's choice).")
  var split: String?

  @Option(help: "Seconds between checkpoints inside an epoch; the end of each epoch is saved too.")
  var saveEvery = 20.0

  @Option(
    help:
      "On several ranks: the number that train a network together; groups of so many share seeds and arms (default: one group for each seed)."
  )
  var ranksPerRun: Int?
  @Flag(
    help: "On several ranks: take batch norms' statistics over whole batches, and not over each rank's images.")
  var syncBatchNorm = false

  @Flag(help: "Continue from a baseline that has not learnt.")
  var force = false

  @OptionGroup var console: ConsoleOptions

  /// Every setting, checked.
  func configuration() throws -> ExperimentConfiguration {
    let json = try config.map { path in
      do { return try Data(contentsOf: fileURL(path)) } catch {
        throw ExperimentError("\(path): the configuration cannot be read: is there such a file?")
      }
    }
    var c = try configuration(of: json)
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
    if let targetSize { c.conversion.targetSize = targetSize }
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
    dataOptions.set(&c.images)
    let named = json.map(ExperimentConfiguration.names(in:)) ?? []
    try begin(
      &c, namesModel: model != nil || named.contains("model"), namesArms: arms != nil || named.contains("arms"))
    try validating { [c] in
      try c.check()
      try c.modelChoice.check()
    }
    return c
  }

  /// The settings of the data's kind or the preset, and over them those of the file; what is wrong in the file is its error, and
  /// what is wrong in an argument that of the argument.
  private func configuration(of json: Data?) throws -> ExperimentConfiguration {
    func inFile<R>(_ body: (Data) throws -> R?) throws -> R? {
      do { return try json.flatMap(body) } catch { throw ExperimentError("\(config!): \(error)") }
    }
    let preset = try validating { try self.preset.map { try ExperimentConfiguration.preset($0) } }
    let written = try inFile { try ExperimentConfiguration.data(inJSON: $0).map { try DataSource($0) } }
    let ofPreset = try preset.map { try DataSource($0.data) }
    let source = try dataOptions.source(data) ?? written ?? ofPreset ?? .digits
    var c = preset ?? ExperimentConfiguration.defaults(for: source)
    c = try inFile { try ExperimentConfiguration.decoded(from: $0, over: c) } ?? c
    c.data = "\(source)"
    return c
  }

  func validate() throws {
    // As of a variable of the shell that is not set.
    guard !out.isEmpty else { throw ValidationError("--out is empty, it must be a folder") }
    guard (0...86_400).contains(saveEvery) else {
      throw ValidationError("--save-every is \(saveEvery), it must be from 0 to 86400 seconds")
    }
    if let ranksPerRun, ranksPerRun < 1 || World.ranks.size % ranksPerRun != 0 {
      throw ValidationError(
        "--ranks-per-run is \(ranksPerRun), it must divide the number of ranks, \(World.ranks.size)")
    }
  }

  /// Sets the baseline that is given, here or in the file of settings.
  private func begin(_ c: inout ExperimentConfiguration, namesModel: Bool, namesArms: Bool) throws {
    let normalization = try self.normalization.value()
    if let path = baseline {
      c.baseline = GivenBaseline(path, normalization: normalization, isTrainedOnAll: baselineTrainedOnAll)
    } else if normalization != nil || baselineTrainedOnAll {
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
            + "shortcuts, and --width or --shortcut ask for another")
      }
      guard saved.model.variation == .plain else {
        throw ExperimentError(
          "\(given.weights): it is a \(saved.model) with \(saved.model.variation.rawValue): only plain networks can be begun with"
        )
      }
      (c.model, c.shortcut, c.widthMultiplier) = (choice.name, choice.shortcut, choice.widthMultiplier)
    }
    // Arms of the defaults may be left out.
    guard !namesArms else { return }
    let left = c.arms.map(\.id)
    c = c.beginning(with: given)
    if preset != nil, c.arms.count < left.count {
      let names = left.filter { id in !c.arms.contains { $0.id == id } }
      warn(
        "beside a given baseline there are no arms that begin at random: \(names.joined(separator: ", ")) are left out")
    }
  }

  /// How the images are read: as those of a given baseline, where the settings say nothing, and its file does.
  private func imageOptions(_ c: ExperimentConfiguration) throws -> ImageOptions {
    var options = c.images
    if options.size == nil, let baseline = c.baseline, let saved = try SavedClassifier.read(from: baseline.url),
      let preparation = saved.preparation
    {
      options.size = preparation.size
      if dataOptions.fit == nil { options.fit = preparation.fit }
      if !dataOptions.fullDecoding { options.decoding = preparation.decoding }
      if !dataOptions.ignoreOrientation { options.appliesOrientation = preparation.appliesOrientation }
    }
    options.usualSize = c.modelChoice.usualImageSize
    options.cacheFolder = fileURL(out).appendingPathComponent("images")
    return options
  }

  /// The images, and the settings that suit them.
  private func loaded(_ logger: Logger) throws -> (ExperimentConfiguration, DatasetSplit) {
    let c = try configuration()
    // Before images are packed in the folder, which takes long and would replace those of the other process.
    if World.ranks.isFirst { try RunLock.requireFree(fileURL(out)) }
    let data = try World.inTurns { try DataSource(c.data).load(imageOptions(c)) }
    try World.requireAgreement(settings(c), data: World.ranks.size > 1 ? data.fingerprint : "")
    try c.modelChoice.check(inputShape: data.imageShape)
    let prepared = data.preparation.map { ", \($0) (--image-size, --fit)" } ?? ""
    logger.info(
      "\(data.name): \(data.training.count) training images, \(validation(of: data, c))\(data.test.count) for tests\(prepared); \(c.modelChoice)"
    )
    if data.validation != nil, validationShare != nil {
      logger.warning("\(data.name): --validation-share is not used, the set has validation images of its own")
    }
    if let warning = c.modelChoice.sizeWarning(data.imageShape) { logger.warning("\(warning)") }
    for notice in data.notices + data.cautions { logger.warning("\(data.name): \(notice)") }
    if let subset = c.subset, subset > data.training.count {
      logger.warning(
        "\(data.name): of a subset of \(subset) there are \(data.training.count) training images, all are used")
    }
    return (c, data)
  }

  /// The settings as lines of JSON, which ranks compare; where data and weights are may differ.
  private func settings(_ c: ExperimentConfiguration) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    var c = c
    (c.data, c.baseline) = ("", nil)
    return String(decoding: try encoder.encode(c), as: UTF8.self)
  }

  /// The validation images that the set has itself, for the first line.
  private func validation(of data: DatasetSplit, _ c: ExperimentConfiguration) -> String {
    data.validation.map { "\($0.count) for validation, the set's own, " } ?? ""
  }

  /// Gives `body` the stages of the first seed, ready to run, in a folder that is locked for this process meanwhile.
  func withStages(_ body: (ExperimentRun) throws -> Void) throws {
    Interruption.watch()
    let logger = try console.logger()
    let (c, data) = try loaded(logger)
    let folder = fileURL(out).appendingPathComponent("seed-\(c.seeds[0])")
    // One lock for the whole run, whichever command is at work in it.
    let lock = World.ranks.isFirst ? try RunLock(fileURL(out)) : nil
    guard ranksPerRun == nil || ranksPerRun == World.ranks.size else {
      throw ValidationError("--ranks-per-run goes with 'run' and 'compare': here all ranks train one network")
    }
    var run = try ExperimentRun(
      c, on: data, in: folder, saveInterval: saveEvery, communicator: World.ranks,
      synchronizesBatchNorms: syncBatchNorm, shouldStop: { Interruption.isAsked },
      progress: { logger.epoch($0, $1) })
    run.force = force
    run.notice = { logger.warning("\($0)") }
    try withExtendedLifetime(lock) { try body(run) }
  }

  /// Runs the whole experiment, and prints what it found.
  func compare() throws {
    Interruption.watch()
    let logger = try console.logger()
    let (c, data) = try loaded(logger)
    logger.info("\(out)/progress.html shows the progress, and when the run will end")
    var experiment = Experiment(c)
    experiment.saveInterval = saveEvery
    experiment.force = force
    (experiment.communicator, experiment.ranksPerRun) = (World.ranks, ranksPerRun)
    experiment.synchronizesBatchNorms = syncBatchNorm
    experiment.notice = { logger.warning("\($0)") }
    experiment.timeLeft = { logger.info("\($0)") }
    let report = try experiment.run(
      on: data, in: fileURL(out), shouldStop: { Interruption.isAsked }, progress: { logger.epoch($0, $1) })
    print(report.text)
    print("\nThe report is in \(out)/report.html.")
  }
}

/// A path on the command line.
func fileURL(_ path: String) -> URL { URL(fileURLWithPath: (path as NSString).expandingTildeInPath) }
