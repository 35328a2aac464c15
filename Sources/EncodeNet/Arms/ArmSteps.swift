extension ExperimentConfiguration {
  /// The steps of the baseline, S0.
  ///
  /// - Precondition: The rates are set.
  var baselineTraining: Train {
    .baseline((arms.first(where: \.isBaseline) ?? .baseline).id, epochs: run.epochs, learningRate: run.learningRate!)
  }

  /// The arm that those settings describe.
  ///
  /// - Parameter baseline: The steps that an arm begins with which begins at the baseline.
  func arm(_ arm: ArmSettings, baseline: [any Step]) -> Arm {
    Arm(arm.id, arm.name, steps(of: arm, baseline: baseline))
  }

  private func steps(of arm: ArmSettings, baseline: [any Step]) -> [any Step] {
    if arm.isBaseline { return baseline }
    if let conversion = arm.conversion {
      let isFrozen = arm.transfer == .frozenEncoder
      // The head costs next to nothing: with a frozen encoder all is the autoencoder's.
      let converted =
        baseline
        + convertingSteps(
          arm.id, conversion, from: arm.start, arm.transfer, epochs: isFrozen ? .rest : .count(self.conversion.epochs))
      return isFrozen ? converted : converted + [fineTuning(arm, epochs: .rest)]
    }
    switch arm.start {
    case .baseline:
      let rate = arm.learningRate ?? run.continuedLearningRate!
      return baseline + [Train(arm.id, from: .restart, arm.recipe, epochs: .rest, learningRate: rate)]
    case .random:
      let train = Train(
        arm.id, from: .random, arm.recipe, epochs: .rest, learningRate: arm.learningRate ?? run.learningRate!)
      if arm.architecture == .plain { return [train] }
      return [Vary(arm.architecture), train] + (arm.architecture == .asymmetricBranches ? [FoldBranches()] : [])
    }
  }

  /// The steps S2 to S7 but for the fine-tuning.
  private func convertingSteps(
    _ id: String, _ conversion: Conversion, from start: ArmSettings.Start, _ mode: KnowledgeTransfer.Mode,
    epochs: Epochs
  ) -> [any Step] {
    var transfer = transfer
    transfer.mode = mode
    return [
      Cluster(split: split, clustering: clustering, entropy: entropy, selection: selection),
      Convert(
        conversion, from: start, split: split, view: decoderView, pairing: pairing, selection: selection,
        training: self.conversion, epochs: epochs, targetsPerClass: clustering.largestCount),
      TrainHead(id, split: split, transfer: transfer),
    ]
  }

  private func fineTuning(_ arm: ArmSettings, epochs: Epochs) -> Train {
    Train(
      arm.id, from: .fineTuning, arm.recipe, epochs: epochs,
      learningRate: arm.learningRate ?? transfer.fineTuneLearningRate!)
  }

  /// The arm whose cost is what every arm may cost: the method with the epochs of these settings.
  func reference(baseline: [any Step]) -> Arm {
    let arm = ArmSettings.encodeNet
    return Arm(
      arm.id, arm.name,
      baseline
        + convertingSteps(arm.id, Conversion(), from: arm.start, arm.transfer, epochs: .count(conversion.epochs))
        + [fineTuning(arm, epochs: .count(transfer.fineTuneEpochs))])
  }
}
