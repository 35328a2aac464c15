import CImages
import FileFormats

/// Images of one shape with their classes: bytes, so that no training set of floats lies in memory.
public struct LabeledImages: Sendable {
  /// The name in reports.
  public let name: String
  /// One image after the other, `[images, height, width, channels]`.
  public let pixels: [UInt8]
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

  /// Images with their classes.
  ///
  /// - Throws: A ``DataError`` where the pixels, the shape, the labels and the names do not fit.
  public init(
    name: String, pixels: [UInt8], labels: [Int], imageShape: Shape, classNames: [String], subclasses: [Int]? = nil,
    preparation: ImagePreparation? = nil
  ) throws(DataError) {
    guard imageShape.rank == 3, !imageShape.dimensions.contains(0) else {
      throw DataError("\(name): the shape of an image is \(imageShape), it must be [height, width, channels]")
    }
    guard pixels.count == labels.count * imageShape.count else {
      throw DataError(
        "\(name): \(labels.count) images of shape \(imageShape) need \(labels.count * imageShape.count) bytes, "
          + "there are \(pixels.count)")
    }
    if let index = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
      throw DataError("\(name): image \(index) has label \(labels[index]), there are \(classNames.count) classes")
    }
    if let subclasses, subclasses.count != labels.count {
      throw DataError("\(name): \(subclasses.count) sub-classes for \(labels.count) images")
    }
    (self.name, self.pixels, self.labels, self.imageShape) = (name, pixels, labels, imageShape)
    (self.classNames, self.subclasses, self.preparation) = (classNames, subclasses, preparation)
  }

  /// Images that are known to fit.
  private init(
    fitting name: String, _ pixels: [UInt8], _ labels: [Int], _ imageShape: Shape, _ classNames: [String],
    _ subclasses: [Int]?, _ preparation: ImagePreparation?
  ) {
    (self.name, self.pixels, self.labels, self.imageShape) = (name, pixels, labels, imageShape)
    (self.classNames, self.subclasses, self.preparation) = (classNames, subclasses, preparation)
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// The number of classes.
  public var classCount: Int { classNames.count }

  /// The bytes of the image at `index`, `[height, width, channels]`.
  public func image(at index: Int) -> [UInt8] {
    require(labels.indices.contains(index), "image(at:): image \(index) of \(count)")
    return Array(pixels[index * imageShape.count..<(index + 1) * imageShape.count])
  }

  /// The images at `indices`, in 0...1 or normalised, `[indices.count, height, width, channels]`.
  public func tensor(at indices: [Int], normalization: Normalization? = nil) -> Tensor {
    let affine = AffineBytes(normalization, imageShape)
    let size = imageShape.count
    return Tensor(shape: Shape([indices.count] + imageShape.dimensions)) { out in
      pixels.withUnsafeBufferPointer { pixels in
        for (row, index) in indices.enumerated() {
          require(labels.indices.contains(index), "tensor(at:): image \(index) of \(count)")
          affine(pixels.baseAddress! + index * size, size, out.baseAddress! + row * size)
        }
      }
    }
  }

  /// The indices of the images of class `label`, ascending.
  public func indices(ofClass label: Int) -> [Int] { labels.indices.filter { labels[$0] == label } }

  /// The images at `indices`, in their order.
  public func subset(_ indices: [Int]) -> LabeledImages {
    let size = imageShape.count
    let chosen = [UInt8](unsafeUninitializedCapacity: indices.count * size) { out, initialized in
      pixels.withUnsafeBufferPointer { pixels in
        for (row, index) in indices.enumerated() {
          require(labels.indices.contains(index), "subset: image \(index) of \(count)")
          (out.baseAddress! + row * size).initialize(from: pixels.baseAddress! + index * size, count: size)
        }
      }
      initialized = indices.count * size
    }
    return LabeledImages(
      fitting: name, chosen, indices.map { labels[$0] }, imageShape, classNames,
      subclasses.map { all in indices.map { all[$0] } }, preparation)
  }

  /// The same images with the labels of a classifier that knows `names`, matched by name.
  ///
  /// - Throws: A ``DataError`` where it does not know a class that images have.
  public func relabeled(as names: [String]) throws(DataError) -> LabeledImages {
    guard names != classNames else { return self }
    let present = Set(labels)
    var places: [Int: Int] = [:]
    for (label, name) in classNames.enumerated() where present.contains(label) {
      let found = names.indices.filter { names[$0] == name }
      guard found.count == 1, classNames.filter({ $0 == name }).count == 1 else {
        throw DataError(
          "\(self.name): class '\(name.escaped(80))' is \(found.isEmpty ? "not" : "not one alone") among those that the "
            + "classifier knows: \(names.prefix(10).map { $0.escaped(80) }.joined(separator: ", "))\(names.count > 10 ? ", …" : "")"
        )
      }
      places[label] = found[0]
    }
    return LabeledImages(
      fitting: self.name, pixels, labels.map { places[$0]! }, imageShape, names, subclasses, preparation)
  }

  /// The same images with so many channels: grey ones are repeated to three, and those in colour become grey by Rec. 601.
  ///
  /// - Precondition: 1 or 3, and the images have 1 or 3.
  public func withChannels(_ channels: Int) -> LabeledImages {
    require(
      [1, 3].contains(channels) && [1, 3].contains(imageShape[2]),
      "withChannels: images \(imageShape) with \(channels) channels")
    guard channels != imageShape[2] else { return self }
    let image = DecodedImage(pixels: pixels, shape: [count * imageShape[0], imageShape[1], imageShape[2]])
    let shape: Shape = [imageShape[0], imageShape[1], channels]
    return LabeledImages(
      fitting: name, channels == 3 ? image.inColour.pixels : image.inGrey.pixels, labels, shape, classNames, subclasses,
      preparation)
  }

  /// The same images in another size.
  public func prepared(_ preparation: ImagePreparation) -> LabeledImages {
    let shape: Shape = [preparation.size.height, preparation.size.width, imageShape[2]]
    let images = inParallel(count) { index in
      preparation(DecodedImage(pixels: image(at: index), shape: imageShape)).pixels
    }
    return LabeledImages(
      fitting: name, Array(images.joined()), labels, shape, classNames, subclasses, preparation)
  }

  /// A hash of each image's pixels, whatever its label.
  package var imageFingerprints: [UInt64] {
    pixels.withUnsafeBufferPointer { pixels in
      labels.indices.map { ci_hash(pixels.baseAddress! + $0 * imageShape.count, imageShape.count, 0) }
    }
  }

  /// The same images with other pixels.
  package func withPixels(_ pixels: [UInt8]) -> LabeledImages {
    require(pixels.count == self.pixels.count, "withPixels: \(pixels.count) bytes for \(self.pixels.count)")
    return LabeledImages(fitting: name, pixels, labels, imageShape, classNames, subclasses, preparation)
  }

  /// A short name for the pixels, the shape, the labels and the classes, the same wherever they are the same.
  public var fingerprint: String {
    let words = imageShape.dimensions + [classCount] + labels
    var hash = FNV1a(from: pixels.withUnsafeBufferPointer { ci_hash($0.baseAddress, $0.count, 0) })
    for word in words { hash.append(UInt64(bitPattern: Int64(word))) }
    hash.append(bytes: classNames.joined(separator: "\n").utf8)
    return String(hash.value, radix: 16)
  }
}

extension LabeledImages: CustomStringConvertible {
  public var description: String { "\(name): \(count) images \(imageShape) in \(classCount) classes" }
}
