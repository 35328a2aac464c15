/// Lowers the learning rate where a measure no longer improves: PyTorch's `ReduceLROnPlateau`.
///
/// ```swift
/// var plateau = ReduceOnPlateau(patience: 3)
/// for report in fit { plateau.update(optimizer, after: report.validation?.loss ?? report.loss) }
/// ```
/// A `Fit` with a schedule sets the rate itself: give it none. The state of a plateau is a value, to be saved with a run.
public struct ReduceOnPlateau: Sendable, Codable, Equatable {
  /// Multiplies the rate.
  public var factor: Scalar
  /// The number of measures without improvement that are borne.
  public var patience: Int
  /// The share of the best measure's magnitude by which another must be below it.
  public var threshold: Double
  /// The number of measures after a reduction that do not count.
  public var cooldown: Int
  /// The lowest rate.
  public var minimum: Scalar
  /// The best measure so far, nil before the first.
  public private(set) var best: Double?
  private var worse = 0
  private var waiting = 0

  /// - Precondition: `factor` is in 0..<1.
  public init(
    factor: Scalar = 0.1, patience: Int = 10, threshold: Double = 1e-4, cooldown: Int = 0, minimum: Scalar = 0
  ) {
    require((0..<1).contains(factor), "ReduceOnPlateau: the factor \(factor) is not in 0..<1")
    (self.factor, self.patience, self.threshold) = (factor, patience, threshold)
    (self.cooldown, self.minimum) = (cooldown, minimum)
  }

  /// Takes the next measure, of which less is better, and lowers the rate of `optimizer` where it is time.
  ///
  /// - Returns: Whether the rate was lowered.
  @discardableResult
  public mutating func update(_ optimizer: any Optimizer, after measure: Double) -> Bool {
    // By the magnitude: PyTorch's `best * (1 - threshold)` takes each repetition of a negative measure for an improvement.
    if measure < (best.map { $0 - $0.magnitude * threshold } ?? .infinity) {
      (best, worse) = (measure, 0)
    } else {
      worse += 1
    }
    if waiting > 0 { (waiting, worse) = (waiting - 1, 0) }
    guard worse > patience else { return false }
    (waiting, worse) = (cooldown, 0)
    let rate = max(optimizer.learningRate * factor, minimum)
    guard optimizer.learningRate - rate > 1e-8 else { return false }
    optimizer.learningRate = rate
    return true
  }
}
