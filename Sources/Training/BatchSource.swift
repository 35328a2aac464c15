import Layers

/// The input of a training step: images and their labels.
public protocol TrainingBatch: Sendable {
  /// The model's input, whose first axis counts the images.
  var images: Tensor { get }
  /// The class of each image; empty where there are none.
  var labels: [Int] { get }
  /// The images `range` of this batch alone, which several ranks need to share a batch; by default it stops the program.
  func rows(_ range: Range<Int>) -> Self
}

extension TrainingBatch {
  public func rows(_ range: Range<Int>) -> Self {
    fatalError("\(Self.self): has no rows(_:), which training on several ranks needs to give each a part of a batch")
  }
}

/// A rank's part of a batch.
public struct BatchShard<Batch: TrainingBatch>: Sendable {
  /// The images of this rank; nil for none, where the batch has fewer images than there are ranks.
  public var batch: Batch?
  /// The number of images of the whole batch.
  public var wholeCount: Int
  /// A fingerprint of the whole batch, the same on all ranks that train on the same images.
  public var fingerprint: UInt64

  /// A part of a batch.
  public init(_ batch: Batch?, wholeCount: Int, fingerprint: UInt64) {
    (self.batch, self.wholeCount, self.fingerprint) = (batch, wholeCount, fingerprint)
  }

  /// The part `shard` of `whole`.
  public init(_ shard: Shard, of whole: Batch) {
    let count = whole.images.shape[0]
    let range = shard.range(of: count)
    var hash = FNV1a()
    for label in whole.labels { hash.append(UInt64(bitPattern: Int64(label))) }
    // Images of other contents, where there are no labels.
    if let first = whole.images.count == 0 ? nil : whole.images.withUnsafeScalars({ Array($0.prefix(64)) }) {
      for scalar in first { hash.append(UInt64(scalar.bitPattern)) }
    }
    let isWhole = range == 0..<count
    self.init(
      isWhole ? whole : range.isEmpty ? nil : whole.rows(range), wholeCount: count, fingerprint: hash.value)
  }
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
  /// A rank's part of each of these batches; by default whole batches are made, and rows of them taken.
  func epoch(_ number: Int, from first: Int, shard: Shard) -> any Sequence<BatchShard<Batch>>
  /// A name for all images and labels, by which ranks see that they have the same; nil where nothing tells before the batches do.
  var dataFingerprint: String? { get }
}

/// Parts of batches, each made as it is asked for.
struct ShardedBatches<Batch: TrainingBatch>: Sequence, IteratorProtocol {
  private var batches: any IteratorProtocol<Batch>
  private let part: (Batch) -> BatchShard<Batch>

  init(_ batches: any IteratorProtocol<Batch>, _ part: @escaping (Batch) -> BatchShard<Batch>) {
    (self.batches, self.part) = (batches, part)
  }

  mutating func next() -> BatchShard<Batch>? { batches.next().map(part) }
}

extension BatchSource {
  public var dataFingerprint: String? { nil }
  public func epoch(_ number: Int, from first: Int, shard: Shard) -> any Sequence<BatchShard<Batch>> {
    ShardedBatches(epoch(number, from: first).makeIterator()) { BatchShard(shard, of: $0) }
  }
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
  public func epoch(_ number: Int, from first: Int, shard: Shard) -> any Sequence<BatchShard<Batch>> {
    shards(ofEpoch: number, from: first, shard) { $0 }
  }
  public var dataFingerprint: String? { dataset.fingerprint }

  /// A rank's part of each batch, with what `transform` makes of it; only the images of the part are read.
  package func shards<Other: TrainingBatch>(
    ofEpoch number: Int, from first: Int, _ shard: Shard, _ transform: @escaping (Batch) -> Other
  ) -> any Sequence<BatchShard<Other>> {
    let order = order(ofEpoch: number)
    return zip(first..., rest(ofEpoch: number, from: first, shard: shard)).lazy.map { number, batch in
      var hash = FNV1a()
      let whole = indices(ofBatch: number, order: order)
      for index in whole {
        hash.append(UInt64(index))
        hash.append(UInt64(bitPattern: Int64(dataset.labels[index])))
      }
      return BatchShard(
        batch.labels.isEmpty ? nil : transform(batch), wholeCount: whole.count, fingerprint: hash.value)
    }
  }
}
