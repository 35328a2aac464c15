/// A source of images of one shape with their classes: what a data set of your own conforms to.
///
/// ``Batches``, ``DatasetSplit`` and what takes them, training, clustering and the experiment, read such a source an image at a
/// time, so that it may be larger than memory:
///
/// ```swift
/// struct Tiles: ImageDataset {
///   let name = "tiles", imageShape: Shape = [64, 64, 3], classNames = ["water", "land"], count = 100_000
///   func label(at index: Int) throws -> Int { index % 2 }
///   func image(at index: Int) throws -> [UInt8] { try readTile(index) }
/// }
/// let batches = try Batches(of: Tiles(), size: 128, shuffledBy: SplittableGenerator(seed: 1))
/// ```
///
/// Several threads ask at once, ahead of training and again in each epoch. ``LabeledImages``, which folders, CIFAR, MNIST and tensors
/// become, conforms.
public protocol ImageDataset: Sendable {
  /// The name in reports.
  var name: String { get }
  /// The number of images.
  var count: Int { get }
  /// `[height, width, channels]` of every image.
  var imageShape: Shape { get }
  /// The classes' names, by label.
  var classNames: [String] { get }
  /// The class of the image at `index`; asked once.
  func label(at index: Int) throws -> Int
  /// The bytes of the image at `index`, `[height, width, channels]`: each time the same.
  func image(at index: Int) throws -> [UInt8]
}

/// Runs `body`, and throws a ``DataError`` where it met a fault of data, such as an image that can no longer be read or a label that
/// is no class: a fault that would else stop the program.
///
/// `Fit`, `evaluate` and the experiment do so themselves; a loop of your own over ``Batches`` of files is well inside.
public func throwingDataFaults<R>(_ body: () throws -> R) throws -> R {
  // What follows a fault may have come of it.
  if let problem = DataFaults.pending { throw DataError(problem) }
  let faults = DataFaults()
  let result = Result { try faults.collecting(body) }
  // What `body` threw may follow from the fault.
  if let problem = faults.first { throw DataError(problem) }
  return try result.get()
}

/// What `read` gives; where an image cannot be read, a fault of data, and `other` for those who collect it.
func unlessUnreadable<R>(_ other: @autoclosure () -> R, _ read: () throws(DataError) -> R) -> R {
  do { return try read() } catch {
    _ = DataFaults.check(false, "\(error)")
    return other()
  }
}
