/// Trains the network as a classifier.
public struct Train: Step {
  /// The origin of the weights that training starts from.
  public enum Start: String, Sendable, Encodable {
    /// A generator: the learning rate rises first.
    case random
    /// Training as a classifier, whose result this replaces: a warm restart.
    case restart
    /// A step that has trained a part of the network.
    case fineTuning
  }

  /// A name for what it saves: the arm's id.
  public var stage: String
  /// The origin of the weights that training starts from.
  public var start: Start
  /// The loss, and what is averaged.
  public var recipe: TrainingRecipe
  /// Passes over the images.
  public var epochs: Epochs
  /// The highest learning rate.
  public var learningRate: Double
  /// Whether the run ends where the network has not learnt: other arms start from it.
  public var mustLearn = false
  /// The stream of the images' order, nil for that of all arms.
  package var order: String?
  /// The fingerprint of a teacher's weights from a file, which may change.
  private var teacherWeights: String?
  /// The name of its cost in the budget.
  package var item = "training"

  /// Training by `recipe`.
  public init(
    _ stage: String, from start: Start, _ recipe: TrainingRecipe = .init(), epochs: Epochs, learningRate: Double
  ) {
    (self.stage, self.start, self.recipe) = (stage, start, recipe)
    (self.epochs, self.learningRate) = (epochs, learningRate)
  }

  public func planned(in plan: inout ArmPlan) throws -> Train {
    let (run, classifier) = (plan.run, Double(max(try plan.run.forwardCost(), 1)))
    var costPerEpoch = Double(try run.forwardCost(plan.variation)) / classifier
    if recipe.rho != nil { costPerEpoch *= 2 }
    if let teacher = recipe.distillation?.teacher {
      if teacher == .peer { costPerEpoch *= 2 }
      if let cost = try teacher.forwardCost(in: run) {
        let share = Double(cost) / classifier
        costPerEpoch += share / 3 * (recipe.rho == nil ? 1 : 2)
        // No arm could pay for a larger teacher out of its budget: it is counted, and the arm called unequal.
        if case .model(let choice) = teacher {
          plan.trainBeside("teacher", run.settings.epochs, costPerEpoch: share)
          plan.epochCosts[choice.teacherStage] = share
        }
      }
      if teacher == .baseline, start == .random { try plan.pay(for: run.baselineSteps) }
    }
    var step = self
    if case .weights(let path) = recipe.distillation?.teacher {
      step.teacherWeights = weightsFingerprint(try Teacher.saved(path, in: run).network)
    }
    let count = plan.count(epochs, costPerEpoch: costPerEpoch)
    step.epochs = .count(count)
    plan.train(item, count, costPerEpoch: costPerEpoch)
    plan.epochCosts[stage] = costPerEpoch
    return step
  }

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    guard case .count(let epochs) = epochs else {
      preconditionFailure("Train: the epochs of '\(stage)' are not settled")
    }
    var key = state.key
    // The key of this step does not say how the teacher was made.
    if recipe.distillation?.teacher == .baseline, start == .random {
      let baseline = try run.baseline()
      (key, state.seconds) = (try fingerprint(of: key, baseline.key), state.seconds + baseline.seconds)
    }
    let teacher = try recipe.distillation?.teacher.made(in: run)
    state.seconds += teacher?.seconds ?? 0
    let reports = try train(state.network, teacher?.teacher, epochs, key, run)
    state.reports = start == .fineTuning ? state.reports + reports : reports
    state.seconds += reports.seconds
    if recipe.hasPlainLoss { try requireLearning(state.network, reports, run) }
  }

  private func train(
    _ network: any SplitClassifier, _ teacher: Teacher?, _ epochs: Int, _ key: String, _ run: SeedRun
  ) throws -> [EpochReport] {
    let batches = run.shuffled(by: order ?? (start == .random ? "order" : "later order"), mixing: recipe.mixing)
    let peer = try recipe.distillation?.teacher == .peer ? run.network(stream: "peer") : nil
    var generator = run.generator("hint")
    let student = try DistillationStudent(
      network, recipe, teacher: teacher, peer: peer, imageShape: run.images.imageShape, using: &generator)
    let optimizer = SGD(
      student, learningRate: Scalar(learningRate), momentum: 0.9, nesterov: true,
      weightDecay: Scalar(run.settings.weightDecay))
    let (average, averagedFrom, schedule) = averaging(student, epochs, stepsPerEpoch: batches.batchCount)
    let everyStep = averagedFrom == epochs ? average : nil
    // The losses of mixed images, smoothed labels and teachers are no plain cross-entropies.
    let check = recipe.hasPlainLoss ? LearningCheck(labels: run.images.labels) : nil
    let validation = run.validationSet
    let fit = Fit(
      student, to: batches, loss: { student.loss($0, $1) }, optimizer: optimizer, schedule: schedule,
      validating: validation?.batches, epochs: epochs, average: everyStep, sharpness: recipe.rho.map { Scalar($0) })
    let reports = try run.trainer(stage, key: key, fit, average: average) { report in
      if report.epoch >= averagedFrom { average?.update() }
      if let problem = check?.problem(after: report) { run.warn("\(stage): \(problem); \(advice(run))") }
    }
    average?.apply()
    if average != nil, everyStep == nil {
      network.recomputeRunningStatistics(over: run.inOrder(run.images).lazy.map(\.images))
    }
    return reports
  }

  /// The average of the recipe, the first epoch that counts in it (the last one plus one where every step counts), and the
  /// schedule.
  private func averaging(_ student: DistillationStudent, _ epochs: Int, stepsPerEpoch: Int) -> (
    average: WeightAverage?, from: Int, schedule: Schedule
  ) {
    let rate = Scalar(learningRate)
    let rising = start == .random ? epochs * stepsPerEpoch / 20 : 0
    var schedule = Schedule.cosine(from: rate, over: epochs * stepsPerEpoch - rising)
    var (average, first): (WeightAverage?, Int) = (nil, epochs)
    switch recipe.average {
    case .exponential(let decay): average = WeightAverage(of: student, .exponential(decay: Scalar(decay)))
    case .stochastic(let share):
      average = WeightAverage(of: student, .equal)
      first = max(0, epochs - max(1, Int((share * Double(epochs)).rounded())))
      schedule = .cosine(from: rate, to: rate / 2, over: max(0, first * stepsPerEpoch - rising))
    case nil: break
    }
    return (average, first, schedule.warmedUp(over: rising))
  }

  /// Warns of a network that has not learnt, and throws where other steps start from it and `force` is not set.
  private func requireLearning(_ network: any SplitClassifier, _ reports: [EpochReport], _ run: SeedRun) throws {
    let (images, check) = (run.images, LearningCheck(labels: run.images.labels))
    let sample = run.inOrder(images.subset(Array(stride(from: 0, to: images.count, by: max(1, images.count / 2000)))))
    guard
      let problem = check.problem(
        with: try evaluate(network, on: sample).summary, of: network, on: sample.first { _ in true }?.images)
    else {
      if let validation = reports.last?.validation, let top1 = validation.top1, validation.count >= 100,
        top1 <= check.largest
      {
        run.warn(
          "\(stage): it is right on \(percent(top1)) of the \(validation.count) validation images, no more often "
            + "than the largest class: it is overfitted; check whether images and labels belong together"
        )
      }
      return
    }
    let text = "\(stage) has not learnt: \(problem); \(advice(run))"
    guard mustLearn, !run.force else { return run.warn(text) }
    throw ExperimentError("\(text), or continue from it with --force")
  }

  private func advice(_ run: SeedRun) -> String {
    let highest = run.settings.learningRate(for: run.makeNetwork == nil ? nil : try? run.network())
    let usual = start == .random ? highest : highest / 5
    let rates =
      usual == learningRate
      ? "another learning rate than \(learningRate)" : "a learning rate of \(usual) in place of \(learningRate)"
    return "try \(rates) or more epochs, and check whether images and labels belong together"
  }
}

extension Distillation.Teacher {
  /// The multiply-adds of one forward pass through the teacher, nil where it costs nothing.
  fileprivate func forwardCost(in run: SeedRun) throws -> Int? {
    switch self {
    case .teacherFree, .peer: return nil
    case .baseline: return try run.forwardCost()
    case .model(let choice):
      var generator = SplittableGenerator(seed: 0)
      return try run.forwardCost("teacher-\(choice)-\(choice.widthMultiplier)") {
        try run.network(choice, using: &generator)
      }
    case .weights(let path):
      return try run.forwardCost("teacher-\(path)") { try Teacher.saved(path, in: run).network }
    }
  }

  /// The teacher, trained where it must be, and what its training took.
  fileprivate func made(in run: SeedRun) throws -> (teacher: Teacher?, seconds: Double) {
    switch self {
    case .teacherFree, .peer: return (nil, 0)
    case .baseline: return (Teacher(try run.copy(of: run.baseline().network)), 0)
    case .model(let choice):
      var generator = run.generator("teacher")
      let training = Train(
        choice.teacherStage, from: .random, epochs: .count(run.settings.epochs),
        learningRate: choice.learningRate(batchSize: run.settings.batchSize))
      var state = ExperimentState(
        network: try run.network(choice, using: &generator), key: try fingerprint(of: run.key, choice, training))
      try training.run(&state, in: run)
      return (Teacher(state.network), state.seconds)
    case .weights(let path):
      let (network, normalization) = try Teacher.saved(path, in: run)
      func tensor(_ values: [Double]) -> Tensor { Tensor(values.map { Scalar($0) }, shape: [values.count]) }
      let (data, given) = (run.data.normalization, normalization)
      let scale = tensor(data.deviation) / tensor(given.deviation)
      let shift = (tensor(data.mean) - tensor(given.mean)) / tensor(given.deviation)
      return (Teacher(network) { $0 * scale + shift }, 0)
    }
  }
}

extension ModelChoice {
  fileprivate var teacherStage: String { "teacher-\(self)" }
}

extension [EpochReport] {
  package var seconds: Double { reduce(0) { $0 + $1.seconds } }
}
