extension ExperimentConfiguration {
  /// The steps of the baseline, S0.
  ///
  /// - Precondition: The rates are set.
  var baselineTraining: Train {
    let arm = arms.first(where: \.isBaseline) ?? .baseline
    var step = Train(arm.id, from: .random, epochs: .count(run.epochs), learningRate: run.learningRate!)
    (step.mustLearn, step.item) = (true, "baseline")
    return step
  }

  /// The arm that those settings describe.
  ///
  /// - Parameters:
  ///   - baseline: The steps that an arm begins with which begins at the baseline.
  ///   - fineTuning: The epochs of the whole classifier after a conversion.
  func arm(_ arm: ArmSettings, baseline: [any Step], fineTuning: Epochs = .rest) -> Arm {
    Arm(arm.id, arm.name, steps(of: arm, baseline, fineTuning))
  }

  /// The arm whose cost is what every arm may cost: the method with the epochs of these settings.
  func reference(baseline: [any Step]) -> Arm {
    arm(.encodeNet, baseline: baseline, fineTuning: .count(transfer.fineTuneEpochs))
  }

  private func steps(of arm: ArmSettings, _ baseline: [any Step], _ fineTuning: Epochs) -> [any Step] {
    if arm.isBaseline { return baseline }
    if let conversion = arm.conversion { return baseline + convertingSteps(arm, conversion, fineTuning) }
    if arm.start == .baseline {
      return baseline + [train(arm, from: .restart, learningRate: run.continuedLearningRate!)]
    }
    let train = train(arm, from: .random, learningRate: run.learningRate!)
    if arm.architecture == .plain { return [train] }
    return [Vary(arm.architecture), train] + (arm.architecture == .asymmetricBranches ? [FoldBranches()] : [])
  }

  /// The steps S2 to S7.
  private func convertingSteps(_ arm: ArmSettings, _ conversion: Conversion, _ fineTuning: Epochs) -> [any Step] {
    var transfer = transfer
    transfer.mode = arm.transfer
    let isFrozen = arm.transfer == .frozenEncoder
    let steps: [any Step] = [
      Cluster(split: split, clustering: clustering, entropy: entropy, selection: selection),
      // The head costs next to nothing: with a frozen encoder all is the autoencoder's.
      Convert(
        conversion, from: arm.start, split: split, view: decoderView, pairing: pairing, selection: selection,
        training: self.conversion, epochs: isFrozen ? .rest : .count(self.conversion.epochs),
        targetsPerClass: clustering.largestCount),
      TrainHead(arm.id, split: split, transfer: transfer),
    ]
    if isFrozen { return steps }
    return steps + [train(arm, from: .fineTuning, fineTuning, learningRate: transfer.fineTuneLearningRate!)]
  }

  private func train(
    _ arm: ArmSettings, from start: Train.Start, _ epochs: Epochs = .rest, learningRate: Double
  ) -> Train {
    Train(arm.id, from: start, arm.recipe, epochs: epochs, learningRate: arm.learningRate ?? learningRate)
  }
}
