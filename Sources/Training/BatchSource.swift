import Layers

/// The input of a training step: images and their labels.
public protocol TrainingBatch: Sendable {
  /// The model's input, whose first axis counts the images.
  var images: Tensor { get }
  /// The class of each image; empty where there are none.
  var labels: [Int] { get }
}

/// Batches by epoch: for each number the same ones in the same order, however often it is asked.
///
/// A run that resumes in the middle of an epoch depends on that. An array of batches is the same in every epoch.
public protocol BatchSource<Batch> {
  /// The input of a step.
  associatedtype Batch: TrainingBatch
  /// One pass.
  associatedtype Epoch: Sequence where Epoch.Element == Batch
  /// The batches of epoch `number`, counted from 0.
  func epoch(_ number: Int) -> Epoch
  /// The number of batches of an epoch, for the time left.
  var batchCount: Int { get }
  /// The batches of epoch `number` from batch `first` on, which a run that resumes takes; by default those before are made and
  /// dropped.
  func epoch(_ number: Int, from first: Int) -> any Sequence<Batch>
}

extension BatchSource {
  public func epoch(_ number: Int, from first: Int) -> any Sequence<Batch> { epoch(number).dropFirst(first) }
}

extension Array: BatchSource where Element: TrainingBatch {
  public typealias Batch = Element
  public func epoch(_ number: Int) -> [Element] { self }
  public var batchCount: Int { count }
}
extension Batch: TrainingBatch {}
extension Batches: BatchSource {
  public func epoch(_ number: Int, from first: Int) -> any Sequence<Batch> { rest(ofEpoch: number, from: first) }
}
