/// Images held out for choosing between settings: training images, never test images.
public struct ValidationSet: Sendable {
  package let batches: Batches
  package init(_ batches: Batches) { self.batches = batches }

  /// The number of images.
  public var count: Int { batches.dataset.count }

  /// Evaluates `model` on the images.
  public func callAsFunction(_ model: any Layer) -> Evaluation { evaluate(model, on: batches) }
}
