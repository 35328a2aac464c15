import Foundation

extension ExperimentRun {
  /// Trains `student` by a recipe.
  ///
  /// - Parameters:
  ///   - isFirst: Whether its weights are random, so that the learning rate must rise first.
  ///   - order: The stream of the images' order, nil for that of all arms.
  func train(
    _ stage: String, _ student: any SplitClassifier, _ recipe: TrainingRecipe, epochs: Int, rate: Double,
    isFirst: Bool, order: String? = nil, key: String
  ) throws -> [EpochReport] {
    let c = configuration
    let batches = shuffled(by: order ?? (isFirst ? "order" : "later order"), mixing: recipe.mixing)
    let steps = epochs * batches.batchCount
    let peer = try recipe.teaching?.teacher == .peer ? model(stream: "peer") : nil
    var generator = generator("hint")
    let learner = try Learner(
      student, recipe, teacher: teacher(recipe), peer: peer, imageShape: training.imageShape, using: &generator)
    let optimizer = SGD(
      learner, learningRate: Scalar(rate), momentum: 0.9, nesterov: true, weightDecay: Scalar(c.weightDecay))

    let rising = isFirst ? steps / 20 : 0
    var schedule = Schedule.cosine(from: Scalar(rate), over: steps - rising)
    var (average, averagedFrom): (WeightAverage?, Int) = (nil, epochs)
    switch recipe.average {
    case .exponential(let decay): average = WeightAverage(of: learner, .exponential(decay: Scalar(decay)))
    case .stochastic(let share):
      average = WeightAverage(of: learner, .equal)
      averagedFrom = max(0, epochs - max(1, Int((share * Double(epochs)).rounded())))
      schedule = .cosine(
        from: Scalar(rate), to: Scalar(rate / 2), over: max(0, averagedFrom * batches.batchCount - rising))
    case nil: break
    }
    schedule = schedule.warmedUp(over: rising)
    let everyStep = averagedFrom == epochs ? average : nil
    // The losses of mixed images, smoothed labels and teachers are no plain cross-entropies.
    let check = recipe.hasPlainLoss ? LearningCheck(labels: images.labels) : nil
    func afterEpoch(_ report: EpochReport) {
      if report.epoch >= averagedFrom { average?.update() }
      if let problem = check?.problem(after: report) { warn("\(stage): \(problem); \(advice(rate))") }
    }
    let held = validationSet
    let reports = try trainer(
      stage, key: stageKey(key, recipe, epochs, rate, isFirst), learner, optimizer, average: average,
      afterEpoch: afterEpoch
    ) { start, shouldStop, onStep in
      Fit(
        learner, to: batches, loss: { learner.loss($0, $1) }, optimizer: optimizer, schedule: schedule,
        validating: held?.batches, epochs: epochs, average: everyStep, sharpness: recipe.sharpness.map { Scalar($0) },
        startingAt: start, shouldStop: shouldStop, onStep: onStep)
    }
    average?.apply()
    if average != nil, everyStep == nil {
      student.recomputeRunningStatistics(over: inOrder(images).lazy.map(\.images))
    }
    if let check { try requireLearning(check, stage, student, reports, rate) }
    return reports
  }

  /// Says of a network that has not learnt that it has not; what would begin from it does not begin without ``force``.
  private func requireLearning(
    _ check: LearningCheck, _ stage: String, _ network: any SplitClassifier, _ reports: [EpochReport], _ rate: Double
  ) throws {
    let sample = inOrder(images.subset(Array(stride(from: 0, to: images.count, by: max(1, images.count / 2000)))))
    guard
      let problem = check.problem(
        with: evaluate(network, on: sample).summary, of: network, on: sample.first { _ in true }?.images)
    else {
      if let validation = reports.last?.validation, let top1 = validation.top1, validation.count >= 100,
        top1 <= check.largest
      {
        warn(
          "\(stage): it is right on \(fixed(100 * top1, 2)) % of the \(validation.count) images kept for validation, no more often "
            + "than the largest class: it knows its training images alone; look whether images and labels belong together"
        )
      }
      return
    }
    let text = "\(stage) has not learnt: \(problem); \(advice(rate))"
    guard stage == baselineArm.id, !force else { return warn(text) }
    throw EncodeNetError("\(text), or go on from it with --force")
  }

  private func advice(_ rate: Double) -> String {
    let usual = configuration.withoutRates.withRates(for: makeModel == nil ? nil : try? model()).learningRate!
    let rates = usual == rate ? "another learning rate than \(rate)" : "a learning rate of \(usual) in place of \(rate)"
    return "try \(rates), more epochs, and whether images and labels belong together"
  }

  func warn(_ text: String) { notice(configuration.seeds.count > 1 ? "seed \(seed): \(text)" : text) }

  private func teacher(_ recipe: TrainingRecipe) throws -> Teacher? {
    switch recipe.teaching?.teacher {
    case nil, .nobody, .peer: return nil
    case .baseline: return Teacher(try copy(of: baseline().model))
    case .model(let choice):
      var generator = generator("teacher")
      let network = try choice.make(
        classes: training.classCount, inputShape: training.imageShape, using: &generator)
      let reports = try train(
        "teacher-\(choice)", network, TrainingRecipe(), epochs: configuration.epochs,
        rate: choice.learningRate(batchSize: configuration.batchSize),
        isFirst: true, key: stageKey(dataKey, choice))
      found.tuition["\(choice)"] = LearningCurves(reports).seconds
      return Teacher(network)
    case .weights(let path):
      let (network, theirs) = try savedTeacher(path)
      func tensor(_ values: [Double]) -> Tensor { Tensor(values.map { Scalar($0) }, shape: [values.count]) }
      let scale = tensor(normalization.deviation) / tensor(theirs.deviation)
      let shift = (tensor(normalization.mean) - tensor(theirs.mean)) / tensor(theirs.deviation)
      return Teacher(network) { $0 * scale + shift }
    }
  }

  func savedTeacher(_ path: String) throws -> (network: ChosenModel, normalization: Normalization) {
    let url = URL(fileURLWithPath: (path as NSString).expandingTildeInPath)
    guard let saved = try SavedClassifier.read(from: url) else {
      throw EncodeNetError("\(path): a teacher's file must say for which network it is, as this library's do")
    }
    guard saved.classNames == training.classNames, saved.imageShape == training.imageShape else {
      throw EncodeNetError(
        "\(path): the teacher knows \(saved.classNames.count) classes of images \(saved.imageShape), the data has "
          + "\(training.classCount) of \(training.imageShape)")
    }
    return (try saved.load(url), saved.normalization)
  }
}
