/// Images kept for choosing between settings: training images, never test images.
public struct ValidationSet: Sendable {
  package let batches: Batches
  package init(_ batches: Batches) { self.batches = batches }

  /// How many images there are.
  public var count: Int { batches.dataset.count }

  /// What `model` makes of them.
  public func callAsFunction(_ model: any Layer) -> Evaluation { evaluate(model, on: batches) }
}
