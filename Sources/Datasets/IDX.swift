import FileFormats
import Foundation

/// MNIST and its family: IDX files, gzipped or not.
///
/// The format: two zeros, the type (8 for bytes), the number of axes, then each extent as four bytes, the highest first, then
/// the elements. LeCun, Cortes, Burges: "The MNIST database of handwritten digits".
public enum IDX {
  /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the `t10k` files from `folder`, or from `mnist` or
  /// `MNIST/raw` in it, with or without `.gz`.
  ///
  /// - Parameter classes: Labels are below it.
  /// - Throws: Where a file is missing, is no such file, or images and labels do not fit.
  public static func load(_ folder: URL, name: String = "MNIST", classes: Int = 10) throws(DataError) -> DatasetSplit {
    let inner = ["mnist", "MNIST/raw", "raw"].map { folder.appendingPathComponent($0) }
    let folder = inner.first { FileManager.default.fileExists(atPath: $0.path) } ?? folder
    let training = try part("train", folder, classes)
    let test = try part("t10k", folder, classes)
    func images(_ part: Part) throws(DataError) -> LabeledImages {
      try LabeledImages(
        name: name, pixels: part.pixels, labels: part.labels, imageShape: part.shape,
        classNames: (0..<classes).map(String.init))
    }
    return try DatasetSplit(training: images(training), test: images(test))
  }

  private struct Part {
    var pixels: [UInt8]
    var labels: [Int]
    var shape: Shape
  }

  private static func part(_ prefix: String, _ folder: URL, _ classes: Int) throws(DataError) -> Part {
    func url(_ what: String, _ axes: Int) throws(DataError) -> URL {
      let names = ["\(prefix)-\(what)-idx\(axes)-ubyte", "\(prefix)-\(what).idx\(axes)-ubyte"]
      return try find(names + names.map { $0 + ".gz" }, in: folder, for: "IDX \(what)")
    }
    let (imagesURL, labelsURL) = (try url("images", 3), try url("labels", 1))
    let images = try read(imagesURL, axes: 3)
    let labels = try read(labelsURL, axes: 1)
    guard images.extents[0] == labels.extents[0] else {
      throw DataError("\(labels.extents[0]) labels for the \(images.extents[0]) images beside it", in: labelsURL.path)
    }
    if let index = labels.elements.firstIndex(where: { $0 >= classes }) {
      throw DataError(
        "label \(labels.elements[index]) of image \(index), at byte \(8 + index), is not below \(classes)",
        in: labelsURL.path)
    }
    return Part(
      pixels: images.elements, labels: labels.elements.map { Int($0) },
      shape: [images.extents[1], images.extents[2], 1])
  }

  private static let maximumBytes = 1 << 30

  /// The extents and elements of one file.
  package static func read(_ url: URL, axes: Int) throws(DataError) -> (extents: [Int], elements: [UInt8]) {
    // The header's extents bound what is unpacked, and the bytes that are there bound the memory.
    let header = try readUnpacked(url, limit: 4 + 4 * axes, isPrefix: true)
    guard header.count == 4 + 4 * axes else {
      throw DataError("\(header.count) bytes are too few for the header of \(4 + 4 * axes)", in: url.path)
    }
    guard header[0...3] == [0, 0, 8, UInt8(axes)] else {
      throw DataError(
        "begins with \(header[0...3].map(String.init).joined(separator: " ")), not 0 0 8 \(axes): bytes along \(axes) axes",
        in: url.path)
    }
    var (extents, count): ([Int], Int) = ([], 1)
    for axis in 0..<axes {
      let extent = header[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
      extents.append(extent)
      // Extents have 32 bits, and the product is checked at each step: it cannot overflow.
      count *= extent
      guard count <= maximumBytes else {
        throw DataError("extents \(extents) are more than \(maximumBytes) bytes", in: url.path)
      }
    }
    let bytes = try readUnpacked(url, limit: header.count + count)
    guard bytes.count == header.count + count else {
      throw DataError("\(bytes.count - header.count) bytes of elements, not the \(count) of \(extents)", in: url.path)
    }
    return (extents, Array(bytes.dropFirst(header.count)))
  }
}
