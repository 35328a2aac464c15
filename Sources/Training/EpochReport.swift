import Foundation
import Layers

/// What one epoch of training did.
public struct EpochReport: Sendable, Codable, Equatable {
  /// Counted from 0.
  public var epoch: Int
  /// How many steps the whole run has taken.
  public var step: Int
  /// The mean training loss over the epoch's images, as each was seen.
  public var loss: Double
  /// The share of training images classified rightly as each was seen, nil where nothing is classified.
  public var accuracy: Double?
  /// The rate of the last step.
  public var learningRate: Double
  /// What the epoch took, validation left out; after a resumption the part since then.
  public var seconds: Double
  /// Trained a second.
  public var imagesPerSecond: Double
  /// On the validation batches, nil where there are none or training stopped.
  public var validation: Evaluation.Summary?
  /// Whether no epoch before was as good: by validation accuracy, else validation loss, else training loss.
  public var isBest: Bool
  /// Why training stopped inside this epoch, nil where it did not.
  public var stopped: TrainingError?
}

extension EpochReport: CustomStringConvertible {
  /// `epoch 3  loss 0.1159  accuracy 97.00 %  validation 96.15 %  0.4 s  3120 images/s`
  public var description: String {
    func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
    return [
      "epoch \(epoch + 1)", "loss " + String(format: "%.4f", loss), accuracy.map { "accuracy \(percent($0))" },
      validation?.top1.map { "validation \(percent($0))" }, String(format: "%.1f s", seconds),
      String(format: "%.0f images/s", imagesPerSecond), stopped.map { "stopped: \($0)" },
    ].compactMap { $0 }.joined(separator: "  ")
  }
}

/// Why a run cannot go on.
public enum TrainingError: Error, Sendable, Codable, Equatable, CustomStringConvertible {
  /// The loss became infinite or not a number; `cause` is the first place found where something was.
  case nonFiniteLoss(epoch: Int, step: Int, value: String, cause: String)
  /// A parameter became infinite or not a number, though no loss has shown it yet.
  case nonFiniteParameter(epoch: Int, step: Int, name: String)
  /// The run was asked to stop, and can go on after this step.
  case interrupted(epoch: Int, step: Int)
  /// A source had no batch in an epoch.
  case emptyEpoch(Int)

  /// Whether the run was asked to stop, and can go on.
  public var isInterruption: Bool {
    if case .interrupted = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .nonFiniteLoss(let epoch, let step, let value, let cause):
      "the loss became \(value) at step \(step) of epoch \(epoch): \(cause); a lower learning rate, a longer warm-up or "
        + "clipped gradients may help"
    case .nonFiniteParameter(let epoch, let step, let name):
      "the parameter '\(name)' is no longer finite after step \(step), in epoch \(epoch); a lower learning rate, a longer "
        + "warm-up or clipped gradients may help"
    case .interrupted(let epoch, let step): "stopped after step \(step), in epoch \(epoch + 1)"
    case .emptyEpoch(let epoch): "epoch \(epoch) has no batches to train on"
    }
  }
}

/// What one step of training did, for progress.
public struct StepReport: Sendable {
  /// Where the run stands after this step.
  public var position: TrainingPosition
  /// The loss of this step's batch.
  public var loss: Double
  /// The rate of this step.
  public var learningRate: Double
  /// How many batches an epoch has.
  public var batchesPerEpoch: Int
  /// How many epochs the run has.
  public var epochs: Int
  /// Since this epoch began or was resumed.
  public var seconds: Double
  /// Trained a second in this epoch so far.
  public var imagesPerSecond: Double
}

/// How far a run has come; all that ``Fit`` needs besides the objects it trains to go on from there.
public struct TrainingPosition: Sendable, Codable, Equatable {
  /// The epoch that is under way or comes next, counted from 0.
  public var epoch = 0
  /// How many of its batches are done.
  public var batch = 0
  /// How many steps the run has taken.
  public var step = 0
  /// What the epoch's report sums up so far.
  var lossSum = 0.0
  var correct = 0
  var images = 0
  var classified = 0
  /// The measure of the best epoch so far; less is better.
  var best: Double?

  /// The beginning of a run.
  public init() {}
}
