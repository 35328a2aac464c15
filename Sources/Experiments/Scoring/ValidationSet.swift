/// Images held out for choosing between settings: training images or the set's own for validation, never test images.
public struct ValidationSet: Sendable {
  package let batches: Batches
  package init(_ batches: Batches) { self.batches = batches }

  /// The number of images.
  public var count: Int { batches.dataset.count }

  /// Evaluates `model` on the images.
  ///
  /// - Throws: A ``TrainingError/invalidBatch(epoch:batch:problem:)`` where a label is not one of its classes.
  public func callAsFunction(_ model: any Layer) throws(TrainingError) -> Evaluation {
    try evaluate(model, on: batches)
  }
}
