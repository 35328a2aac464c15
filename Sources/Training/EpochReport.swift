import Foundation
import Layers

/// The figures of one epoch of training.
public struct EpochReport: Sendable, Codable, Equatable {
  /// The number of the epoch, counted from 0.
  public var epoch: Int
  /// The number of steps that the whole run has taken.
  public var step: Int
  /// The mean training loss over the epoch's images, as each was seen.
  public var loss: Double
  /// The share of training images classified rightly as each was seen, nil where nothing is classified.
  public var accuracy: Double?
  /// The rate of the last step.
  public var learningRate: Double
  /// The time of the epoch without validation; after a resumption the part since then.
  public var seconds: Double
  /// The number of images trained a second.
  public var imagesPerSecond: Double
  /// The figures on the validation batches, nil where there are none or training stopped.
  public var validation: Evaluation.Summary?
  /// The means of metrics of one's own over the epoch's images, as each was seen; nil where there are none.
  public var metrics: [String: Double]?
  /// Whether no epoch before was as good: by validation accuracy, else validation loss, else training loss.
  public var isBest: Bool
  /// Why training stopped inside this epoch, nil where it did not.
  public var stopped: TrainingError?
}

extension EpochReport: CustomStringConvertible {
  /// `epoch 3  loss 0.1159  accuracy 97.00 %  validation 96.15 %  0.4 s  3120 images/s`
  public var description: String {
    func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
    func digits(_ value: Double) -> String { String(format: "%.4f", value) }
    func listed(_ prefix: String, _ metrics: [String: Double]?) -> [String] {
      (metrics ?? [:]).sorted { $0.key < $1.key }.map { "\(prefix)\($0.key) \(digits($0.value))" }
    }
    let figures =
      [
        "epoch \(epoch + 1)", "loss \(digits(loss))", accuracy.map { "accuracy \(percent($0))" },
        validation?.top1.map { "validation \(percent($0))" } ?? validation.map { "validation loss \(digits($0.loss))" },
      ].compactMap { $0 } + listed("", metrics) + listed("validation ", validation?.metrics)
    return
      (figures
      + [
        String(format: "%.1f s", seconds),
        String(format: "%.0f images/s", imagesPerSecond), stopped.map { "stopped: \($0)" },
      ].compactMap { $0 }).joined(separator: "  ")
  }
}

/// The reason that a run ended early.
public enum TrainingError: Error, Sendable, Codable, Equatable, CustomStringConvertible {
  /// The loss became infinite or NaN; `cause` names the first value found that was.
  case nonFiniteLoss(epoch: Int, step: Int, value: String, cause: String)
  /// A parameter became infinite or NaN, though no loss has shown it yet.
  case nonFiniteParameter(epoch: Int, step: Int, name: String)
  /// The run was asked to stop, and can be resumed after this step.
  case interrupted(epoch: Int, step: Int)
  /// A source had no batch in an epoch.
  case emptyEpoch(Int)
  /// A batch cannot be computed, as with a label that is not one of the classes; counted from 0. Without an epoch where a model was
  /// evaluated.
  case invalidBatch(epoch: Int?, batch: Int, problem: String)
  /// The model has parameters, and all of them are frozen.
  case everythingFrozen
  /// The loss depends on no parameter of the model.
  case lossIgnoresModel
  /// The optimizer has no parameter of the model that the loss depends on, as one that was made for another model.
  case optimizerOfAnotherModel
  /// The ranks that train together differ in what must be the same on all of them.
  case ranksDisagree(String)
  /// Another rank has failed, and tells why.
  case otherRankFailed

  /// Whether the run was asked to stop, and can be resumed.
  public var isInterruption: Bool {
    if case .interrupted = self { true } else { false }
  }

  /// The same error, of the rank `name`.
  func located(on name: String) -> TrainingError {
    switch self {
    case .nonFiniteLoss(let epoch, let step, let value, let cause):
      .nonFiniteLoss(epoch: epoch, step: step, value: value, cause: "\(cause), on \(name)")
    case .invalidBatch(let epoch, let batch, let problem):
      .invalidBatch(epoch: epoch, batch: batch, problem: "\(problem), on \(name)")
    default: self
    }
  }

  public var description: String {
    switch self {
    case .nonFiniteLoss(let epoch, let step, let value, let cause):
      "the loss became \(value) at step \(step) of epoch \(epoch): \(cause); a lower learning rate may help"
    case .nonFiniteParameter(let epoch, let step, let name):
      "the parameter '\(name)' is NaN or infinite after step \(step), in epoch \(epoch); a lower learning rate "
        + "may help"
    case .interrupted(let epoch, let step): "stopped after step \(step), in epoch \(epoch + 1)"
    case .invalidBatch(let epoch, let batch, let problem):
      "batch \(batch)" + (epoch.map { " of epoch \($0)" } ?? "") + ": \(problem)"
    case .everythingFrozen: "every parameter of the model is frozen, so nothing would be trained; unfreeze() some"
    case .lossIgnoresModel:
      "the loss depends on no parameter of the model: it does not use the model's output, or the output was detached"
    case .optimizerOfAnotherModel:
      "the optimizer changes no parameter that the loss depends on: it was made for another model, or for other parameters"
    case .ranksDisagree(let problem): "the ranks do not agree: \(problem)"
    case .otherRankFailed: "another rank failed"
    case .emptyEpoch(let epoch): "epoch \(epoch) has no batches to train on"
    }
  }
}

/// The figures of one step of training, for progress.
public struct StepReport: Sendable {
  /// The position of the run after this step.
  public var position: TrainingPosition
  /// The loss of this step's batch.
  public var loss: Double
  /// The rate of this step.
  public var learningRate: Double
  /// The number of batches of an epoch.
  public var batchesPerEpoch: Int
  /// The number of epochs of the run.
  public var epochs: Int
  /// The time since this epoch began or was resumed.
  public var seconds: Double
  /// Trained a second in this epoch so far.
  public var imagesPerSecond: Double
}

/// The position of a run: all that ``Fit`` needs, besides the objects it trains, to resume there.
public struct TrainingPosition: Sendable, Codable, Equatable {
  /// The epoch that is under way or comes next, counted from 0.
  public var epoch = 0
  /// The number of its batches that are done.
  public var batch = 0
  /// The number of steps that the run has taken.
  public var step = 0
  /// The sums of the epoch's report so far.
  var lossSum = 0.0
  var correct = 0
  var images = 0
  var classified = 0
  /// The images so far that the loss left out; nil for none.
  var leftOut: Int?
  var metricSums: [String: Double]?
  /// The images of each of those sums, which are fewer where a run was resumed with another metric; nil before the first.
  var metricImages: [String: Int]?
  /// The measure of the best epoch so far; less is better.
  var best: Double?

  /// The beginning of a run.
  public init() {}

  /// Adds the mean of a metric of one's own over a batch of `images`.
  mutating func add(_ value: Double, of name: String, images: Int) {
    // A position saved without them has one count for all.
    let before = metricImages ?? (metricSums ?? [:]).mapValues { _ in self.images - images }
    metricImages = before.merging([name: images], uniquingKeysWith: +)
    metricSums = (metricSums ?? [:]).merging([name: value * Double(images)], uniquingKeysWith: +)
  }

  /// The means of the metrics `names`, nil where there are none.
  func metricMeans(of names: some Sequence<String>) -> [String: Double]? {
    guard let metricSums else { return nil }
    var means: [String: Double] = [:]
    for name in names {
      guard let sum = metricSums[name] else { continue }
      means[name] = sum / Double(max(metricImages?[name] ?? images, 1))
    }
    return means
  }
}
