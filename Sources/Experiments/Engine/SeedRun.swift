import Foundation

/// One seed of an experiment in one folder: runs arms, each step of which is done, or read back where the folder has it.
///
/// ```swift
/// let run = try ExperimentRun(configuration, on: data, in: folder).run
/// let state = try run.state(after: run.plan(arm).steps)
/// ```
public struct SeedRun {
  /// Makes a network with random weights, always the same for the same generator.
  public typealias Maker = @Sendable (inout SplittableGenerator) -> any SplitClassifier

  /// Every setting, also the rates that were left to the network.
  public let settings: RunSettings
  /// Decides the weights and the order of the images.
  public let seed: UInt64
  /// The images.
  public let data: ExperimentData
  /// The steps that make the baseline.
  public let baselineSteps: [any Step]
  /// The budget of each arm, in full-backprop-equivalent epochs; nil where no step takes the rest.
  public package(set) var budget: Double?
  /// Whether to continue from a baseline that has not learnt; see ``LearningCheck``.
  public var force = false
  /// Called with warnings, such as that a network does not learn; by default it writes them to standard error.
  public var notice: @Sendable (String) -> Void = { writeNotice($0) }

  package let store: ArtifactStore
  package private(set) var trainer: StepTrainer
  package let makeNetwork: Maker?
  /// The fingerprint of the data, and of everything else that all arms are made from.
  package let key: String
  private let memory = Memory()

  /// States after steps that several arms begin with, by their keys.
  private final class Memory {
    var states: [String: ExperimentState] = [:]
    var shared: Set<String> = []
    var costs: [String: Int] = [:]
  }

  /// A run that has not begun, or resumes: everything is checked before the folder is touched.
  ///
  /// - Parameters:
  ///   - baseline: The steps that make the baseline.
  ///   - folder: Made where there is none.
  ///   - makeNetwork: nil for the settings' own model.
  package init(
    _ settings: RunSettings, seed: UInt64, data: ExperimentData, baseline: [any Step], in folder: URL,
    trainer: StepTrainer, network makeNetwork: Maker?
  ) throws {
    (self.settings, self.seed, self.data) = (settings, seed, data)
    (baselineSteps, self.makeNetwork) = (baseline, makeNetwork)
    let s = settings
    let plainKey = try fingerprint(
      of: "steps", data.fingerprint, s.model, s.shortcut, s.widthMultiplier, s.subset, s.splitSeed, s.validationShare,
      s.batchSize, s.weightDecay, s.augmentation, seed, s.baseline == nil ? nil : data.normalization,
      makeNetwork.map { make in
        var generator = SplittableGenerator(seed: seed, stream: "weights")
        return weightsFingerprint(make(&generator))
      })
    // On several ranks the statistics decide what a network becomes.
    let isSynchronized = trainer.synchronizesBatchNorms && trainer.communicator.size > 1
    key = isSynchronized ? try fingerprint(of: plainKey, "synchronised batch norms") : plainKey
    store = try ArtifactStore(folder, for: trainer.communicator)
    self.trainer = trainer
    self.trainer.store = store
  }

  // MARK: Networks and random streams

  /// The stream called `name` of this run's seed; see ``SplittableGenerator/init(seed:stream:)``. Arms share the streams of
  /// what they have in common, so that they differ in nothing else.
  public func generator(_ stream: String) -> SplittableGenerator { SplittableGenerator(seed: seed, stream: stream) }
  /// The seed of the stream called `name`, for a step that has a seed in its settings.
  public func seed(_ stream: String, _ seed: UInt64 = 0) -> UInt64 {
    SplittableGenerator.seed(self.seed ^ seed, stream: stream)
  }

  /// A network with random weights: those that every arm begins with, or those that a stream of another name gives.
  public func network(_ variation: BlockVariation = .plain, stream: String = "weights") throws -> any SplitClassifier {
    var generator = generator(stream)
    if let makeNetwork, variation == .plain { return makeNetwork(&generator) }
    var choice = settings.modelChoice
    choice.variation = variation
    return try network(choice, using: &generator)
  }

  /// Returns a network of the library for these images.
  public func network(_ choice: ModelChoice, using generator: inout SplittableGenerator) throws -> any SplitClassifier {
    try choice.make(classes: data.training.classCount, inputShape: data.training.imageShape, using: &generator)
  }

  /// A network with the weights of another, which shares nothing with it.
  public func copy(of network: any SplitClassifier, _ variation: BlockVariation = .plain) throws -> any SplitClassifier
  {
    let copy = try self.network(variation)
    try copy.load(network.stateDictionary)
    return copy
  }

  /// The multiply-adds of an image's way through a layer, found once for each name.
  public func forwardCost(_ name: String, of layer: () throws -> any Layer) rethrows -> Int {
    if let known = memory.costs[name] { return known }
    let cost = ModelSummary(of: try layer(), input: data.training.imageShape).multiplyAdds
    memory.costs[name] = cost
    return cost
  }

  /// The multiply-adds of an image's way through the network.
  public func forwardCost(_ variation: BlockVariation = .plain) throws -> Int {
    try forwardCost("network-\(variation)") { try network(variation) }
  }

  // MARK: Images

  /// The images that networks are trained on: what the indices of all steps are of.
  public var images: LabeledImages { data.images }
  /// The validation images, nil where there are none.
  public var validationSet: ValidationSet? {
    data.validationImages.map { ValidationSet(inOrder($0)) }
  }
  /// The audit images, which nothing trains on or chooses by; nil where there are none.
  public var auditSet: Batches? { data.audit.isEmpty ? nil : inOrder(data.training.subset(data.audit)) }

  /// Batches of `images` as they are.
  public func inOrder(_ images: LabeledImages) -> Batches {
    Batches(of: images, size: settings.batchSize, normalization: data.normalization)
  }
  /// Batches in random order and augmented. Batch norm cannot train on a single image: such a last batch is left out.
  ///
  /// - Parameters:
  ///   - stream: "order" for a first cycle; "later order" for what trains on from the baseline.
  ///   - images: nil for those trained on.
  public func shuffled(
    by stream: String, _ images: LabeledImages? = nil, mixing: Mixing? = nil, size: Int? = nil
  ) -> Batches {
    let (images, size) = (images ?? self.images, size ?? settings.batchSize)
    return Batches(
      of: images, size: size, shuffledBy: generator(stream), augmentation: settings.augmentation, mixing: mixing,
      normalization: data.normalization, droppingLast: images.count % size == 1)
  }

  // MARK: Arms

  /// Returns the cost of `arm`, and its steps with their epochs settled.
  public func plan(_ arm: Arm) throws -> ArmPlan { try ArmPlan(arm, for: self, total: budget) }

  /// Saves in memory the states that more than one of `plans` passes through.
  package func share(_ plans: [ArmPlan]) throws {
    var seen: Set<String> = []
    for plan in plans {
      for key in try keys(of: plan.steps) where !seen.insert(key).inserted { memory.shared.insert(key) }
    }
  }

  /// Keeps the states after each of these steps in memory.
  package func share(_ steps: [any Step]) throws { memory.shared.formUnion(try keys(of: steps)) }

  /// A name for each step and everything before it.
  package func keys(of steps: [any Step]) throws -> [String] {
    var key = key
    return try steps.map { step in
      key = try fingerprint(of: key, "\(type(of: step))", step)
      return key
    }
  }

  /// The baseline.
  public func baseline() throws -> ExperimentState { try state(after: baselineSteps) }

  /// Returns the state after settled steps, done in order to a network with random weights.
  public func state(after steps: [any Step]) throws -> ExperimentState {
    var state = ExperimentState(network: try network(), key: key)
    let keys = try keys(of: steps)
    let done = keys.lastIndex { memory.states[$0] != nil }
    if let done { state = memory.states[keys[done]]! }
    for (step, key) in zip(steps, keys).dropFirst(done.map { $0 + 1 } ?? 0) {
      // A later step changes a copy of the network.
      state.network = try copy(of: state.network, state.variation)
      state.key = key
      try throwingDataFaults { try step.run(&state, in: self) }
      if memory.shared.contains(key) { memory.states[key] = state }
    }
    // The caller may change what it gets, and not what is kept.
    state.network = try copy(of: state.network, state.variation)
    return state
  }

  /// Trains the network of `state` with a loss of the caller's own, saved and resumed as every step is, and adds its epochs.
  ///
  /// - Parameters:
  ///   - stage: A name for what it saves, which no other arm or step of the run has.
  ///   - images: To train on instead of ``images``: made from those, never test, validation or audit images.
  ///   - learningRate: The first of a cosine to 0.
  /// - Throws: For images that are held out.
  public func train(
    _ state: inout ExperimentState, _ stage: String, on images: LabeledImages? = nil,
    loss: @escaping (_ logits: Tensor, _ batch: Batch) -> Tensor, epochs: Int, learningRate: Double
  ) throws {
    if let images { try data.refuseHeldOutImages(in: images, for: stage) }
    let key = state.key
    let batches = shuffled(by: "later order", images)
    func train(_ model: some SplitClassifier) throws -> [EpochReport] {
      let optimizer = SGD(
        model, learningRate: Scalar(learningRate), momentum: 0.9, nesterov: true,
        weightDecay: Scalar(settings.weightDecay))
      return try trainer(
        stage, key: fingerprint(of: key, epochs, learningRate, images?.fingerprint),
        Fit(
          model, to: batches, loss: loss, optimizer: optimizer,
          schedule: .cosine(from: Scalar(learningRate), over: epochs * batches.batchCount), epochs: epochs))
    }
    let reports = try train(state.network)
    state.reports += reports
    state.seconds += reports.seconds
  }

  /// Passes a warning to ``notice``.
  package func warn(_ text: String) { notice(settings.seeds.count > 1 ? "seed \(seed): \(text)" : text) }
}
