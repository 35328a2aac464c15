import CImages
import FileFormats
import Synchronization

/// Images of one shape with their classes: bytes, in memory or read from where they are.
///
/// A subset is a view of the same images, and takes no memory.
public struct LabeledImages: ImageDataset {
  /// The name in reports.
  public let name: String
  /// The class of each image.
  public let labels: [Int]
  /// `[height, width, channels]`.
  public let imageShape: Shape
  /// The classes' names, by label.
  public let classNames: [String]
  /// A finer division of each class, where one is known, against which clustering may be measured.
  public let subclasses: [Int]?
  /// How images of other sizes became these, nil where all came as they are.
  public let preparation: ImagePreparation?
  let store: ImageStore
  /// The place of each image in the store, nil where it is the image's index.
  private let places: [Int]?

  /// Images in memory with their classes.
  ///
  /// - Parameter pixels: One image after the other, `[images, height, width, channels]`.
  /// - Throws: A ``DataError`` where the pixels, the shape, the labels and the names do not fit.
  public init(
    name: String, pixels: [UInt8], labels: [Int], imageShape: Shape, classNames: [String], subclasses: [Int]? = nil,
    preparation: ImagePreparation? = nil
  ) throws(DataError) {
    try self.init(
      name: name, store: .memory(pixels), labels: labels, imageShape: imageShape, classNames: classNames,
      subclasses: subclasses, preparation: preparation)
    guard pixels.count == labels.count * imageShape.count else {
      throw DataError(
        "\(name): \(labels.count) images of shape \(imageShape) need \(labels.count * imageShape.count) bytes, "
          + "there are \(pixels.count)")
    }
  }

  /// The images of `dataset`, read each time they are wanted.
  ///
  /// - Throws: A ``DataError`` where its shape, labels and names do not fit, or a label cannot be read.
  public init(_ dataset: some ImageDataset) throws(DataError) {
    if let images = dataset as? LabeledImages {
      self = images
      return
    }
    let name = dataset.name
    guard dataset.count >= 0 else { throw DataError("\(name): the number of images is \(dataset.count)") }
    var labels: [Int] = []
    labels.reserveCapacity(dataset.count)
    for index in 0..<dataset.count {
      do { labels.append(try dataset.label(at: index)) } catch let error as DataError { throw error } catch {
        throw DataError("\(name): the label of image \(index) cannot be read: \(error)")
      }
    }
    try self.init(
      name: name, store: .source(ReadImages(dataset)), labels: labels, imageShape: dataset.imageShape,
      classNames: dataset.classNames)
  }

  /// The images `images`, `[images, height, width, channels]` in 0...1, each value rounded to the nearest of 256 levels.
  ///
  /// - Throws: A ``DataError`` where a value is not in 0...1, or the shape, the labels and the names do not fit.
  public init(name: String, images: Tensor, labels: [Int], classNames: [String]) throws(DataError) {
    guard images.rank == 4 else {
      throw DataError("\(name): images of shape \(images.shape)", wanted: "[images, height, width, channels]")
    }
    let scalars = images.scalars
    if let wrong = scalars.firstIndex(where: { !(0...1).contains($0) }) {
      throw DataError("\(name): value \(wrong) of the images is \(scalars[wrong])", wanted: "values in 0...1")
    }
    try self.init(
      name: name, pixels: scalars.map { UInt8(($0 * 255).rounded()) }, labels: labels,
      imageShape: Shape(Array(images.shape.dimensions.dropFirst())), classNames: classNames)
  }

  /// Images of a store, all of them.
  init(
    name: String, store: ImageStore, labels: [Int], imageShape: Shape, classNames: [String], subclasses: [Int]? = nil,
    preparation: ImagePreparation? = nil
  ) throws(DataError) {
    guard imageShape.rank == 3, !imageShape.dimensions.contains(0) else {
      throw DataError("\(name): the shape of an image is \(imageShape), it must be [height, width, channels]")
    }
    if let index = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
      throw DataError("\(name): image \(index) has label \(labels[index]), there are \(classNames.count) classes")
    }
    if let subclasses, subclasses.count != labels.count {
      throw DataError("\(name): \(subclasses.count) sub-classes for \(labels.count) images")
    }
    self.init(fitting: name, store, nil, labels, imageShape, classNames, subclasses, preparation)
  }

  /// Images that are known to fit.
  init(
    fitting name: String, _ store: ImageStore, _ places: [Int]?, _ labels: [Int], _ imageShape: Shape,
    _ classNames: [String], _ subclasses: [Int]?, _ preparation: ImagePreparation?
  ) {
    (self.name, self.store, self.places, self.labels) = (name, store, places, labels)
    (self.imageShape, self.classNames, self.subclasses) = (imageShape, classNames, subclasses)
    self.preparation = preparation
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// The number of classes.
  public var classCount: Int { classNames.count }

  public func label(at index: Int) -> Int { labels[index] }

  /// The bytes of the image at `index`, `[height, width, channels]`.
  ///
  /// One that cannot be read is a fault of data: black, and thrown by ``throwingDataFaults(_:)``, or else the end of the program.
  public func image(at index: Int) -> [UInt8] {
    require(labels.indices.contains(index), "image(at:): image \(index) of \(count)")
    return unlessUnreadable([UInt8](repeating: 0, count: imageShape.count)) { () throws(DataError) in
      try withImage(at: index) { Array($0) }
    }
  }

  /// The images at `indices`, in 0...1 or normalised, `[indices.count, height, width, channels]`.
  ///
  /// One that cannot be read is a fault of data, as in ``image(at:)``.
  public func tensor(at indices: [Int], normalization: Normalization? = nil) -> Tensor {
    if let wrong = indices.first(where: { !labels.indices.contains($0) }) {
      require(false, "tensor(at:): image \(wrong) of \(count)")
    }
    return unlessUnreadable(.zeros(Shape([indices.count] + imageShape.dimensions))) { () throws(DataError) in
      try values(at: indices, AffineBytes(normalization, imageShape), onAllThreads: true)
    }
  }

  /// The images at `indices`, which are there.
  ///
  /// - Parameter onAllThreads: Whether all threads read: not where others compute meanwhile.
  func values(
    at indices: [Int], _ affine: AffineBytes, onAllThreads: Bool = false
  ) throws(DataError) -> Tensor {
    let size = imageShape.count
    let problem = Mutex<DataError?>(nil)
    let values = Tensor(shape: Shape([indices.count] + imageShape.dimensions)) { out in
      func read(_ rows: Range<Int>) {
        do throws(DataError) {
          for row in rows {
            try withImage(at: indices[row]) { affine($0.baseAddress!, size, out.baseAddress! + row * size) }
          }
        } catch { problem.withLock { $0 = $0 ?? error } }
      }
      if onAllThreads { Parallel.forEach(indices.count, read) } else { read(indices.indices) }
    }
    if let problem = problem.withLock({ $0 }) { throw problem }
    return values
  }

  /// Calls `body` with the bytes of the image at `index`.
  func withImage<R>(at index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) throws(DataError) -> R {
    try store.withImage(at: places?[index] ?? index, imageShape.count, body)
  }

  /// Calls `body` with the bytes of each image, in their order; those that are not in memory are read some at a time on all threads.
  func forEachImage(_ body: (UnsafeBufferPointer<UInt8>) -> Void) throws(DataError) {
    if case .memory = store {
      for index in labels.indices { try withImage(at: index, body) }
      return
    }
    let chunk = min(max(1, 1 << 24 / imageShape.count), 1 << 16)
    for start in stride(from: 0, to: count, by: chunk) {
      let read = inParallel(min(chunk, count - start)) { index in
        Result { () throws(DataError) in try withImage(at: start + index) { Array($0) } }
      }
      for image in read { try image.get().withUnsafeBufferPointer(body) }
    }
  }

  /// The indices of the images of class `label`, ascending.
  public func indices(ofClass label: Int) -> [Int] { labels.indices.filter { labels[$0] == label } }

  /// The images at `indices`, in their order.
  public func subset(_ indices: [Int]) -> LabeledImages {
    for index in indices { require(labels.indices.contains(index), "subset: image \(index) of \(count)") }
    return LabeledImages(
      fitting: name, store, indices.map { places?[$0] ?? $0 }, indices.map { labels[$0] }, imageShape, classNames,
      subclasses.map { all in indices.map { all[$0] } }, preparation)
  }

  /// The same images with the labels of a classifier that knows `names`, matched by name.
  ///
  /// - Throws: A ``DataError`` where it does not know a class that images have.
  public func relabeled(as names: [String]) throws(DataError) -> LabeledImages {
    guard names != classNames else { return self }
    let present = Set(labels)
    var known: [Int: Int] = [:]
    for (label, name) in classNames.enumerated() where present.contains(label) {
      let found = names.indices.filter { names[$0] == name }
      guard found.count == 1, classNames.filter({ $0 == name }).count == 1 else {
        throw DataError(
          "\(self.name): class '\(name.escaped(80))' is \(found.isEmpty ? "not" : "not one alone") among those that the "
            + "classifier knows: \(names.prefix(10).map { $0.escaped(80) }.joined(separator: ", "))\(names.count > 10 ? ", …" : "")"
        )
      }
      known[label] = found[0]
    }
    return LabeledImages(
      fitting: self.name, store, places, labels.map { known[$0]! }, imageShape, names, subclasses, preparation)
  }

  /// The same images with other labels, of classes that are named by number.
  ///
  /// - Precondition: There is a label in 0..<classes for each image.
  public func labeled(_ labels: [Int], classes: Int) -> LabeledImages {
    require(
      labels.count == count && labels.allSatisfy((0..<classes).contains),
      "labeled: \(labels.count) labels of \(classes) classes for \(count) images")
    return LabeledImages(
      fitting: name, store, places, labels, imageShape, (0..<classes).map { "\($0)" }, nil, preparation)
  }

  /// The same images in memory.
  func inMemory() throws(DataError) -> LabeledImages {
    if case .memory = store { return self }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * imageShape.count)
    try forEachImage { pixels += $0 }
    return LabeledImages(
      fitting: name, .memory(pixels), nil, labels, imageShape, classNames, subclasses, preparation)
  }

  /// All bytes, one image after the other, `[images, height, width, channels]`: a copy, but for images that are in memory.
  ///
  /// An image that cannot be read is a fault of data, as in ``image(at:)``.
  public var pixels: [UInt8] {
    if case .memory(let pixels) = store, places == nil { return pixels }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * imageShape.count)
    for index in labels.indices { pixels += image(at: index) }
    return pixels
  }

  /// A hash of each image's pixels, whatever its label.
  package var imageFingerprints: [UInt64] {
    unlessUnreadable([UInt64](repeating: 0, count: count)) { () throws(DataError) in try hashes() }
  }

  /// A hash of each image's pixels.
  func hashes() throws(DataError) -> [UInt64] {
    if let known = store.digests?.images { return places.map { places in places.map { known[$0] } } ?? known }
    return try digests().images
  }

  /// A short name for the pixels, the shape, the labels and the classes, the same wherever they are the same.
  ///
  /// An image that cannot be read is a fault of data, as in ``image(at:)``.
  public var fingerprint: String {
    let words = imageShape.dimensions + [classCount] + labels
    var hash = FNV1a(from: unlessUnreadable(0) { () throws(DataError) in try digests().whole })
    for word in words { hash.append(UInt64(bitPattern: Int64(word))) }
    hash.append(bytes: classNames.joined(separator: "\n").utf8)
    return String(hash.value, radix: 16)
  }

  /// The hashes of these images; those of all images of a data set are kept, so that they are read once.
  private func digests() throws(DataError) -> ImageDigests {
    if places == nil, let known = store.digests { return known }
    var hasher = ImageDigests.Hasher()
    try forEachImage { hasher.append($0) }
    let digests = hasher.finished()
    if places == nil, case .source(let images) = store { images.digests.withLock { $0 = digests } }
    return digests
  }
}

extension LabeledImages: CustomStringConvertible {
  public var description: String { "\(name): \(count) images \(imageShape) in \(classCount) classes" }
}
