/// How each arm spends the same budget: that of A3, whose epochs are the configuration's.
struct ExperimentPlan {
  /// What an image costs, in multiply-adds.
  struct Costs {
    /// The classifier, forward.
    var classifier: Int
    /// The autoencoder's parts, forward.
    var encoder: Int
    var decoder: Int
    /// A classifier of another architecture.
    var architecture: (BlockVariation) throws -> Int
    /// Whether what the baseline sees in targets of that kind is found once, at most.
    var cachesTargets: (Conversion.Target) -> Bool = { $0 != .input }
    /// A teacher, nil for one that costs nothing.
    var teacher: (Teaching.Teacher) throws -> Int?
  }
  /// An arm's share of it.
  struct ArmPlan {
    /// Epochs of the conversion.
    var conversionEpochs = 0
    /// Epochs of the classifier after what it begins with.
    var epochs = 0
    var budget: TrainingBudget
  }

  let configuration: ExperimentConfiguration
  let images: Int
  let costs: Costs

  private var nothing: TrainingBudget { TrainingBudget(multiplyAdds: costs.classifier, images: images) }
  /// What a given baseline cost is not known, and is not counted.
  private var baselineEpochs: Int { configuration.baseline == nil ? configuration.epochs : 0 }
  private var baseline: TrainingBudget { nothing.training("baseline", baselineEpochs) }

  /// What every arm may cost.
  var total: Double {
    converted(baseline, Conversion(), configuration.conversion.epochs)
      .training("fine-tuning", configuration.transfer.fineTuneEpochs).total
  }

  /// What an epoch of the conversion costs.
  var conversionPrice: Double { conversionPrice(Conversion()) }

  /// The mean over all its epochs, which do not cost the same where the decoder learns alone at first.
  private func conversionPrice(_ conversion: Conversion) -> Double {
    (converted(nothing, conversion, 100).total - converted(nothing, conversion, 0).total) / 100
  }

  private func converted(_ budget: TrainingBudget, _ conversion: Conversion, _ epochs: Int) -> TrainingBudget {
    budget.forward("features and entropies")
      .converting(
        "conversion", epochs, encoder: costs.encoder, decoder: conversion.target == .subclass ? 0 : costs.decoder,
        baseline: conversion.target == .subclass ? 0 : baselineShare(conversion),
        alone: epochsAlone(epochs, conversion)
      )
      .forward("cached features")
  }

  /// What the frozen baseline costs beside the autoencoder, as a share of training it: forward and backward through the
  /// converted image, and forward through its target where there are too many targets to keep what it sees in them.
  private func baselineShare(_ conversion: Conversion) -> Double {
    guard configuration.conversion.needsBaseline else { return 0 }
    let isMixed = conversion.target == .representative && configuration.pairing.softness != nil
    let seesTargets =
      configuration.conversion.perceptualWeight > 0 && (isMixed || !costs.cachesTargets(conversion.target))
    return seesTargets ? 1 : 2.0 / 3
  }

  /// The epochs of these in which the encoder is not trained.
  private func epochsAlone(_ epochs: Int, _ conversion: Conversion) -> Int {
    guard conversion.trainsEncoder, configuration.conversion.encoderLearningRateScale > 0 else { return epochs }
    // Where the encoder learns sub-classes there is no decoder to wait for.
    return conversion.target == .subclass ? 0 : configuration.conversion.epochsAlone(of: epochs)
  }

  /// What was paid for the weights that an arm without a conversion begins with.
  func spent(before arm: Arm) -> TrainingBudget { arm.start == .baseline ? baseline : nothing }

  /// The epochs that leave nothing over.
  func plan(_ arm: Arm) throws -> ArmPlan {
    if arm.isBaseline { return ArmPlan(epochs: baselineEpochs, budget: baseline) }
    let total = total
    var price = Double(try costs.architecture(arm.architecture)) / Double(max(costs.classifier, 1))
    if arm.recipe.sharpness != nil { price *= 2 }
    var spent = arm.start == .baseline || arm.conversion != nil ? baseline : nothing
    var tuition = nothing
    if let teacher = arm.recipe.teaching?.teacher {
      if teacher == .peer { price *= 2 }
      if let cost = try costs.teacher(teacher) {
        let share = Double(cost) / Double(max(costs.classifier, 1))
        price += share / 3 * (arm.recipe.sharpness == nil ? 1 : 2)
        // Nobody could pay for a larger teacher out of the student's budget: it is counted, and the arm called unequal.
        if case .model = teacher { tuition = tuition.training("teacher", configuration.epochs, price: share) }
      }
      if teacher == .baseline, arm.start == .random { spent = baseline }
    }
    func epochs(after spent: TrainingBudget, price: Double) -> Int {
      max(1, Int(((total - spent.total) / price).rounded()))
    }
    var plan = ArmPlan(budget: spent)
    if let conversion = arm.conversion {
      plan.conversionEpochs = configuration.conversion.epochs
      if arm.transfer == .frozenEncoder {
        // The head costs next to nothing: all is the autoencoder's.
        // An encoder that is not trained costs less, and gets as many epochs as one that is, for the sake of its decoder.
        var trained = conversion
        trained.trainsEncoder = true
        plan.conversionEpochs = epochs(after: converted(spent, conversion, 0), price: conversionPrice(trained))
        plan.budget = converted(spent, conversion, plan.conversionEpochs)
        return plan
      }
      spent = converted(spent, conversion, plan.conversionEpochs)
    }
    plan.epochs = epochs(after: spent, price: price)
    plan.budget = spent.training("training", plan.epochs, price: price)
    for item in tuition.items { plan.budget = plan.budget.training(item.name, 1, price: item.epochs) }
    return plan
  }
}
