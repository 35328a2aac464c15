import Layers

/// Tells when a run no longer improves.
///
/// ```swift
/// var stopping = EarlyStopping(patience: 5)
/// for report in fit {
///   if report.isBest { try model.save(to: file) }
///   if stopping.shouldStop(after: report) { break }
/// }
/// ```
/// A value, to be saved with a run that may be resumed.
public struct EarlyStopping: Sendable, Codable, Equatable {
  /// The number of epochs in a row without improvement after which to stop.
  public var patience: Int
  /// The least that a measure must be below the best one.
  public var minimumChange: Double
  /// The best measure so far, nil before the first.
  public private(set) var best: Double?
  /// The number of epochs since it.
  public private(set) var epochsWithoutImprovement = 0

  /// - Precondition: `patience` is positive.
  public init(patience: Int = 10, minimumChange: Double = 0) {
    require(patience > 0 && minimumChange >= 0, "EarlyStopping: patience \(patience), change \(minimumChange)")
    (self.patience, self.minimumChange) = (patience, minimumChange)
  }

  /// Whether to stop after this epoch: by validation accuracy, else validation loss, else training loss.
  public mutating func shouldStop(after report: EpochReport) -> Bool {
    shouldStop(after: report.validation.map { $0.top1.map { -$0 } ?? $0.loss } ?? report.loss)
  }

  /// Whether to stop after an epoch with this measure, of which less is better.
  public mutating func shouldStop(after measure: Double) -> Bool {
    if measure < (best.map { $0 - minimumChange } ?? .infinity) {
      (best, epochsWithoutImprovement) = (measure, 0)
    } else {
      epochsWithoutImprovement += 1
    }
    return epochsWithoutImprovement >= patience
  }
}
