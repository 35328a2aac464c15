import Dispatch
import Synchronization

/// The images of a data set in batches, prefetched by other threads while the last one is trained on.
///
/// The content of epoch `n`, its order and every change of an image, follows from the generator and `n` alone, and each batch
/// from its number in the epoch: a run that resumes skips the batches it has had, and ends with the same bits, whatever the number of
/// threads.
///
/// ```swift
/// let batches = Batches(of: data.training, size: 128, shuffledBy: SplittableGenerator(seed: 1))
/// for batch in batches.epoch(0) { print(batch.images.shape, batch.labels) }
/// ```
///
/// A batch with an image that cannot be read is black and a fault of data, which training and evaluation throw; in a loop of your own
/// ``throwingDataFaults(_:)`` does.
public struct Batches: Sequence, Sendable {
  /// The source of the images.
  public let dataset: LabeledImages
  /// The number of images of a batch; the last one may have fewer, and one more where a single image would be left, of which batch
  /// norm has no variance.
  public let size: Int
  /// The changes of single images.
  public let augmentation: Augmentation?
  /// The mixing of pairs of images of a batch.
  public let mixing: Mixing?
  /// The normalisation; nil leaves the values in 0...1.
  public let normalization: Normalization?
  /// Whether a last batch that is not full is dropped.
  public let dropsLast: Bool
  private let seed: UInt64?
  private let affine: AffineBytes
  private let meanColour: [UInt8]

  /// The batches of a data set of your own.
  ///
  /// - Throws: A ``DataError`` where its shape, labels and names do not fit, or a label cannot be read.
  public init(
    of dataset: some ImageDataset, size: Int, shuffledBy generator: SplittableGenerator? = nil,
    augmentation: Augmentation? = nil, mixing: Mixing? = nil, normalization: Normalization? = nil,
    droppingLast dropsLast: Bool = false
  ) throws(DataError) {
    self.init(
      of: try LabeledImages(dataset), size: size, shuffledBy: generator, augmentation: augmentation, mixing: mixing,
      normalization: normalization, droppingLast: dropsLast)
  }

  /// - Parameters:
  ///   - generator: Draws the order and the changes; nil keeps the order of the data set, and allows no changes.
  public init(
    of dataset: LabeledImages, size: Int, shuffledBy generator: SplittableGenerator? = nil,
    augmentation: Augmentation? = nil, mixing: Mixing? = nil, normalization: Normalization? = nil,
    droppingLast dropsLast: Bool = false
  ) {
    require(size > 0, "Batches: a batch of \(size) images")
    require(
      generator != nil || (augmentation == nil && mixing == nil),
      "Batches: augmentation and mixing need a generator, shuffledBy is nil")
    (self.dataset, self.size, self.augmentation, self.mixing) = (dataset, size, augmentation, mixing)
    (self.normalization, self.dropsLast) = (normalization, dropsLast)
    var generator = generator
    seed = generator?.next()
    affine = AffineBytes(normalization, dataset.imageShape)
    let mean = normalization?.mean ?? [0]
    // One mean may be that of all channels.
    meanColour = (0..<dataset.imageShape[2]).map {
      UInt8(Swift.min(Swift.max((mean[$0 % mean.count] * 255).rounded(), 0), 255))
    }
  }

  /// The number of batches of an epoch.
  public var batchCount: Int {
    let leavesOne = size > 1 && dataset.count > size && dataset.count % size == 1
    return dropsLast || leavesOne ? dataset.count / size : (dataset.count + size - 1) / size
  }

  /// The batches of epoch `number`, counted from 0.
  public func epoch(_ number: Int) -> Epoch { Epoch(batches: self, number: number) }

  /// The batches of epoch `number` from batch `first` on, and of each the images of a part; nothing else is read, but where
  /// images are mixed.
  package func rest(ofEpoch number: Int, from first: Int, shard: Shard = .whole) -> Epoch {
    Epoch(batches: self, number: number, first: first, shard: shard)
  }

  /// Iterates over epoch 0: over all batches there are where nothing is drawn.
  public func makeIterator() -> Epoch.Iterator { epoch(0).makeIterator() }

  /// One pass over the images.
  public struct Epoch: Sequence, Sendable {
    let batches: Batches
    let number: Int
    /// The number of the batch that it begins with.
    var first = 0
    /// The distance from each batch to the next.
    var stride = 1
    /// The part of each batch.
    var shard = Shard.whole
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Every batch whose number is `rank` plus a multiple of `count`; the others are not read.
    package func batches(of rank: Int, among count: Int) -> Epoch {
      var part = self
      (part.first, part.stride) = (first + rank * stride, stride * count)
      return part
    }

    /// Gives batch after batch; a few are always prefetched.
    public struct Iterator: IteratorProtocol {
      private let prefetcher: Prefetcher
      init(_ epoch: Epoch) { prefetcher = Prefetcher(epoch) }
      public mutating func next() -> Batch? { prefetcher.next() }
    }
  }

  // MARK: Order and content

  /// A generator for each pair of numbers, none like another.
  private func generator(_ epoch: Int, _ purpose: Int) -> SplittableGenerator? {
    guard let seed else { return nil }
    var stirred = SplittableGenerator(seed: seed ^ UInt64(bitPattern: Int64(epoch)))
    var again = SplittableGenerator(seed: stirred.next() ^ UInt64(bitPattern: Int64(purpose)))
    return SplittableGenerator(seed: again.next())
  }

  /// The indices of all images in the order of epoch `number`.
  package func order(ofEpoch number: Int) -> [Int] {
    guard var generator = generator(number, -1) else { return Array(dataset.labels.indices) }
    return randomPermutation(of: dataset.count, using: &generator)
  }

  /// The indices of batch `number` of an epoch with that order.
  package func indices(ofBatch number: Int, order: [Int]) -> [Int] {
    let end = number + 1 == batchCount && !dropsLast ? order.count : (number + 1) * size
    return Array(order[number * size..<end])
  }

  /// A part of batch `number` of an epoch with that order: the images that the whole batch would have there.
  func batch(
    _ number: Int, ofEpoch epoch: Int, order: [Int], shard: Shard = .whole
  ) throws(DataError) -> Batch {
    let whole = indices(ofBatch: number, order: order)
    let part = shard.range(of: whole.count)
    guard !part.isEmpty || whole.isEmpty else {
      return Batch(images: .zeros(Shape([0] + dataset.imageShape.dimensions)), labels: [], indices: [])
    }
    // An image may be mixed with any other of the batch.
    let read = mixing == nil ? part : whole.indices
    let indices = Array(whole[read])
    let labels = indices.map { dataset.labels[$0] }
    guard var generator = generator(epoch, number), augmentation != nil || mixing != nil else {
      return Batch(images: try dataset.values(at: indices, affine), labels: labels, indices: indices)
    }
    let images = try images(at: indices, after: read.lowerBound, using: &generator)
    let batch = Batch(images: images, labels: labels, indices: indices)
    guard let mixing else { return batch }
    let mixed = mixing.mixed(batch, classes: dataset.classCount, using: &generator)
    return part == whole.indices ? mixed : mixed.rows(part)
  }

  /// What stands in the place of a batch that cannot be read.
  fileprivate func blackBatch(_ number: Int, order: [Int], shard: Shard) -> Batch {
    let whole = indices(ofBatch: number, order: order)
    let indices = Array(whole[shard.range(of: whole.count)])
    let shape = Shape([indices.count] + dataset.imageShape.dimensions)
    let targets = mixing.map { _ in Tensor.zeros([indices.count, dataset.classCount]) }
    return Batch(
      images: .zeros(shape), labels: indices.map { dataset.labels[$0] }, indices: indices, targets: targets)
  }

  /// - Parameter skipped: The number of images of the batch before these, whose changes are drawn too.
  private func images(
    at indices: [Int], after skipped: Int, using generator: inout SplittableGenerator
  ) throws(DataError) -> Tensor {
    guard let augmentation else { return try dataset.values(at: indices, affine) }
    let (shape, count) = (dataset.imageShape, dataset.imageShape.count)
    for _ in 0..<skipped { _ = augmentation.drawn(for: shape, using: &generator) }
    var problem: DataError?
    let images = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * count) { scratch in
      var image = scratch.baseAddress!
      var workspace = image + count
      return Tensor(shape: Shape([indices.count] + shape.dimensions)) { out in
        do throws(DataError) {
          for (row, index) in indices.enumerated() {
            try dataset.withImage(at: index) { image.update(from: $0.baseAddress!, count: count) }
            augmentation.apply(to: &image, workspace: &workspace, shape: shape, colour: meanColour, using: &generator)
            affine(image, count, out.baseAddress! + row * count)
          }
        } catch { problem = error }
      }
    }
    if let problem { throw problem }
    return images
  }
}

/// Prefetches the batches of one epoch, each on a thread of its own.
///
/// A batch depends on its number alone, so the threads need no order; they are given in theirs.
private final class Prefetcher: Sendable {
  private let batches: Batches
  private let epoch: Batches.Epoch
  private let order: [Int]
  private let queue = DispatchQueue(label: "EncodeNet.Batches", qos: .userInitiated, attributes: .concurrent)
  /// Signalled where the batch of a place is there; the batches that are prefetched have the places in turn.
  private let ready: [DispatchSemaphore]
  private struct State {
    var waiting: [Result<Batch, DataError>?]
    var asked = 0
    var given = 0
  }
  private let state: Mutex<State>

  init(_ epoch: Batches.Epoch) {
    let batches = epoch.batches
    // As many batches as threads of an operation are prefetched at once, and not more memory than a few take.
    let depth = Swift.min(Swift.max(3, Computation.threadCount), 8)
    (self.batches, self.epoch, order) = (batches, epoch, batches.order(ofEpoch: epoch.number))
    ready = (0..<depth).map { _ in DispatchSemaphore(value: 0) }
    state = Mutex(State(waiting: [Result<Batch, DataError>?](repeating: nil, count: depth)))
    for _ in 0..<depth { prepareNext() }
  }

  private func prepareNext() {
    let turn = state.withLock { state -> Int? in
      guard number(state.asked) < batches.batchCount else { return nil }
      defer { state.asked += 1 }
      return state.asked
    }
    guard let turn else { return }
    // An iterator that is gone waits for no batch.
    queue.async { [weak self] in self?.prepare(turn) }
  }

  /// The number of the batch that is given in its turn.
  private func number(_ turn: Int) -> Int { epoch.first + turn * epoch.stride }

  private func prepare(_ turn: Int) {
    let batch = Result { () throws(DataError) in
      try batches.batch(number(turn), ofEpoch: epoch.number, order: order, shard: epoch.shard)
    }
    let place = turn % ready.count
    state.withLock { $0.waiting[place] = batch }
    ready[place].signal()
  }

  func next() -> Batch? {
    let turn = state.withLock { state -> Int? in
      guard number(state.given) < batches.batchCount else { return nil }
      defer { state.given += 1 }
      return state.given
    }
    guard let turn else { return nil }
    let place = turn % ready.count
    ready[place].wait()
    defer { prepareNext() }
    let batch = state.withLock { state in state.waiting[place].take()! }
    return unlessUnreadable(batches.blackBatch(number(turn), order: order, shard: epoch.shard)) {
      () throws(DataError) in try batch.get()
    }
  }
}
