/// What training cost, in full-backprop-equivalent epochs of the baseline: 1 for an epoch of training, 1/3 for a pass forward.
public struct TrainingBudget: Sendable, Codable, Hashable {
  /// One thing that was paid for.
  public struct Item: Sendable, Codable, Hashable {
    /// What it was.
    public var name: String
    /// Its price.
    public var epochs: Double
  }
  /// Everything paid for.
  public var items: [Item]

  /// A budget of these items.
  public init(_ items: [Item] = []) { self.items = items }

  /// The sum.
  public var total: Double { items.reduce(0) { $0 + $1.epochs } }

  /// This budget with `epochs` of plain training added.
  public func training(_ name: String, _ epochs: Int) -> TrainingBudget { adding(name, Double(epochs)) }
  /// This budget with one pass forward over the training images added.
  public func forward(_ name: String) -> TrainingBudget { adding(name, 1.0 / 3) }
  /// This budget with `epochs` of an autoencoder added, each of 1 + decoder/encoder multiply-adds.
  public func converting(_ name: String, _ epochs: Int, encoder: Int, decoder: Int) -> TrainingBudget {
    adding(name, Double(epochs) * (1 + Double(decoder) / Double(max(encoder, 1))))
  }
  private func adding(_ name: String, _ epochs: Double) -> TrainingBudget {
    TrainingBudget(items + [Item(name: name, epochs: epochs)])
  }

  /// Whether both totals differ by no more than 2 % of the other's.
  public func isEqual(to other: TrainingBudget) -> Bool { abs(total - other.total) <= 0.02 * other.total }
}
