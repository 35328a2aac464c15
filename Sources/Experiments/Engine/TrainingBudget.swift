/// The cost of training, in full-backprop-equivalent epochs of the baseline: 1 for an epoch, 1/3 for a forward pass.
public struct TrainingBudget: Sendable, Codable, Hashable {
  /// An entry of the budget.
  public struct Item: Sendable, Codable, Hashable {
    /// Its name.
    public var name: String
    /// Its cost.
    public var epochs: Double
    /// The multiply-adds of all convolutions and matrix products, for all images.
    public var multiplyAdds: Double
  }
  /// All entries.
  public package(set) var items: [Item]
  /// The multiply-adds of a pass forward of all training images through the baseline.
  public let forwardMultiplyAdds: Double

  /// An empty budget.
  ///
  /// - Parameters:
  ///   - multiplyAdds: Of one image's way forward through the baseline.
  ///   - images: In an epoch.
  public init(multiplyAdds: Int = 0, images: Int = 0) {
    (items, forwardMultiplyAdds) = ([], Double(multiplyAdds) * Double(images))
  }

  /// The sum.
  public var total: Double { items.reduce(0) { $0 + $1.epochs } }
  /// The multiply-adds of everything.
  public var multiplyAdds: Double { items.reduce(0) { $0 + $1.multiplyAdds } }

  /// This budget with `epochs` of training added, each of `costPerEpoch` epochs of the baseline's.
  public func training(_ name: String, _ epochs: Int, costPerEpoch: Double = 1) -> TrainingBudget {
    adding(name, Double(epochs) * costPerEpoch, 3 * forwardMultiplyAdds * Double(epochs) * costPerEpoch)
  }
  /// This budget with one pass forward over the training images added.
  public func forward(_ name: String) -> TrainingBudget { adding(name, 1.0 / 3, forwardMultiplyAdds) }
  /// This budget with `epochs` of an autoencoder added, each of 1 + decoder/encoder multiply-adds, and the share of an epoch
  /// of training that a frozen baseline takes beside it. An encoder that is not trained costs its pass forward, 1/3.
  ///
  /// - Parameter alone: The epochs of these in which the decoder learns alone.
  public func converting(
    _ name: String, _ epochs: Int, encoder: Int, decoder: Int, baseline: Double = 0, alone: Int = 0
  ) -> TrainingBudget {
    let rest = Double(decoder) / Double(max(encoder, 1)) + baseline
    let cost = Double(alone) * (1.0 / 3 + rest) + Double(epochs - alone) * (1 + rest)
    return adding(name, cost, 3 * forwardMultiplyAdds * cost)
  }
  package mutating func add(_ items: [Item]) { self.items += items }

  private func adding(_ name: String, _ epochs: Double, _ multiplyAdds: Double) -> TrainingBudget {
    var result = self
    if epochs > 0 { result.items.append(Item(name: name, epochs: epochs, multiplyAdds: multiplyAdds)) }
    return result
  }

  /// Whether both totals differ by no more than 2 % of the other's.
  public func isEqual(to other: Double) -> Bool { abs(total - other) <= 0.02 * other }
}
