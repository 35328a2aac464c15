import Foundation

/// A classifier that an arm has trained.
public struct TrainedArm {
  /// The arm's id.
  public let id: String
  /// A description in a few words.
  public let name: String
  /// The network, with its weights of the last epoch or their average.
  public let model: any SplitClassifier
  /// The epochs of the classifier's own training.
  public let curves: LearningCurves
  /// The file of its weights; see ``SavedClassifier``.
  public let weights: URL
  /// The budget spent on it.
  public let budget: TrainingBudget
  /// The time of its epochs, and of those of everything it was made from.
  public let seconds: Double
  /// The state after its last step.
  package let state: ExperimentState
}

extension SeedRun {
  /// Trains `arm` with all that it needs before, and saves its weights with all that it takes to use them.
  public func trained(_ arm: Arm) throws -> TrainedArm {
    let plan = try plan(arm)
    let state = try state(after: plan.steps)
    let file = store.url("\(arm.id).safetensors")
    var choice = settings.modelChoice
    choice.variation = state.variation
    if store.communicator.isFirst {
      try SavedClassifier(
        model: choice, imageShape: images.imageShape, classNames: images.classNames, normalization: data.normalization,
        origin: state[OriginalNames.self], preparation: images.preparation
      ).save(state.network, to: file)
    }
    // The epochs of several steps are counted as one sequence.
    let reports = state.reports.enumerated().map { index, report in
      var report = report
      report.epoch = index
      return report
    }
    return TrainedArm(
      id: arm.id, name: arm.name, model: state.network, curves: LearningCurves(reports), weights: file,
      budget: plan.budget, seconds: state.seconds, state: state)
  }

  /// Scores an arm on the test images: once for its weights, and never for others in the same folder.
  ///
  /// - Throws: Where the folder has the arm's score with other weights, or a damaged one that may have been of others: looking
  ///   again would be choosing by test images.
  public func outcome(_ trained: TrainedArm) throws -> TestOutcome {
    let name = "test-\(trained.id)"
    let outcome = try store.value(
      name, key: fingerprint(of: data.fingerprint, trained.id),
      refused: ", and nothing else tells with which weights arm '\(trained.id)' was scored on the test images: "
        + "remove the folder \(store.folder.path) to train and score this seed again"
    ) {
      try data.test.outcome(of: trained.model) { inOrder($0) }
    } fits: {
      $0.fits(images: data.test.count, classes: images.classCount)
    }
    guard outcome.fingerprint == weightsFingerprint(trained.model) else {
      throw ExperimentError(
        "\(store.url("\(name).json").path): arm '\(trained.id)' was scored on the test images before, with other weights: "
          + "another look would be choosing by test images, use another folder")
    }
    return outcome
  }
}

/// The cost of a network at inference.
public struct Inference: Sendable, Codable, Hashable {
  /// Scalars in all parameters.
  public var parameters: Int
  /// Multiply-adds for one image.
  public var multiplyAdds: Int
  /// Milliseconds for a batch of 1, the median of several.
  public var latency1: Double
  /// Milliseconds for a batch of 128, the median of several.
  public var latency128: Double
  /// Bytes of all parameters in single precision.
  public var bytes: Int { parameters * 4 }

  /// Whether its counts can be a network's: sums of some cannot overflow.
  package var isPossible: Bool { [parameters, multiplyAdds].allSatisfy((0...largestPlausibleCount).contains) }

  /// Measured while nothing else runs.
  package init(of model: any SplitClassifier, imageShape: Shape) {
    let summary = ModelSummary(of: model, input: imageShape)
    func latency(_ count: Int) -> Double {
      let (images, clock) = (Tensor.zeros(Shape([count] + imageShape.dimensions)), ContinuousClock())
      return model.evaluating {
        _ = model(images)
        return (0..<9).map { _ in clock.measure { _ = model(images) } / .milliseconds(1) }.sorted()[4]
      }
    }
    (parameters, multiplyAdds) = (summary.parameters, summary.multiplyAdds)
    (latency1, latency128) = (latency(1), latency(128))
  }
}

/// The largest number of images or multiply-adds in files from outside: sums of some cannot overflow.
package let largestPlausibleCount = 1 << 50
