import FileFormats
import Foundation

/// MNIST and its family: IDX files, gzipped or not.
///
/// The format: two zeros, the type (8 for bytes), the number of axes, then each extent as four bytes, the highest first, then
/// the elements. LeCun, Cortes, Burges: "The MNIST database of handwritten digits".
public enum IDX {
  /// The numbers of classes of EMNIST's sets: Cohen et al.: "EMNIST: an extension of MNIST to handwritten letters", arXiv
  /// 1702.05373.
  private static let emnist = [
    "byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10,
  ]
  private static let inner =
    ["mnist"] + ["MNIST", "FashionMNIST", "KMNIST", "EMNIST"].map { "\($0)/raw" } + [
      "raw", "gzip", "emnist_source_files",
    ]

  /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the `t10k` (or `test`) files from `folder`, or from `mnist`,
  /// `raw` or torchvision's `MNIST/raw` and the like in it, with or without `.gz`.
  ///
  /// - Parameters:
  ///   - folder: Of EMNIST, whose files begin with `emnist-letters-` and the like, a folder with one set, or `FOLDER/emnist-letters`;
  ///     they may lie in torchvision's `EMNIST/raw` or Kaggle's `emnist_source_files` in it.
  ///   - name: The name in reports; nil for MNIST, or what the files' names say.
  ///   - classes: Labels are below it, or from 1 to it; nil for what the files' names say, or 10.
  /// - Throws: Where a file is missing, is no such file, or images and labels do not fit.
  public static func load(_ folder: URL, name: String? = nil, classes: Int? = nil) throws(DataError) -> DatasetSplit {
    let (folder, prefix) = try place(folder)
    let set = prefix.isEmpty ? nil : String(prefix.dropLast())
    let known = set.flatMap { emnist[String($0.dropFirst("emnist-".count))] }
    var training = try part("train", folder, prefix)
    var test = try part("t10k", folder, prefix)
    // EMNIST's letters are counted from 1: where their number is known, their labels may end with it.
    let mayStartAtOne = (classes ?? known) != nil
    let count = classes ?? known ?? 10
    let first = try checked(count, [training, test], mayStartAtOne)
    for index in training.labels.indices { training.labels[index] -= first }
    for index in test.labels.indices { test.labels[index] -= first }
    func images(_ part: Part) throws(DataError) -> LabeledImages {
      try LabeledImages(
        name: name ?? set ?? "MNIST", pixels: part.pixels, labels: part.labels, imageShape: part.shape,
        classNames: (first..<count + first).map(String.init))
    }
    return try DatasetSplit(training: images(training), test: images(test))
  }

  /// The folder that has the files, and what their names begin with.
  private static func place(_ given: URL) throws(DataError) -> (folder: URL, prefix: String) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: given.path, isDirectory: &isFolder)
    func names(_ folder: URL) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] }
    func places(_ folder: URL) -> [URL] { [folder] + inner.map { folder.appendingPathComponent($0) } }
    if !exists, emnist[String(given.lastPathComponent.dropFirst("emnist-".count))] != nil {
      let (folder, prefix) = (given.deletingLastPathComponent(), given.lastPathComponent + "-")
      return (places(folder).first { names($0).contains { $0.hasPrefix(prefix + "train-images") } } ?? folder, prefix)
    }
    let folders = places(given)
    let isImages = /(emnist-[a-z]+-)?train-images[-.]idx3-ubyte(\.gz)?/
    let found = folders.lazy.map { folder in
      (folder, Set(names(folder).compactMap { $0.wholeMatch(of: isImages).map { String($0.1 ?? "") } }).sorted())
    }.first { !$0.1.isEmpty }
    guard let found else { return (given, "") }
    guard found.1.count == 1 || found.1.contains("") else {
      throw DataError(
        "has \(found.1.count) sets of EMNIST: give one, such as mnist:\(found.0.path)/\(found.1[0].dropLast())",
        in: found.0.path)
    }
    return (found.0, found.1[0])
  }

  private struct Part {
    var pixels: [UInt8]
    var labels: [Int]
    var shape: Shape
    var file: String
  }

  /// The first label, 0 or 1, where all labels are of so many from there on.
  private static func checked(_ count: Int, _ parts: [Part], _ mayStartAtOne: Bool) throws(DataError) -> Int {
    guard (2...256).contains(count) else {
      throw DataError("\(count) classes: labels of a byte have from 2 to 256")
    }
    if mayStartAtOne, parts[0].labels.max() == count,
      parts.allSatisfy({ $0.labels.allSatisfy((1...count).contains) })
    {
      return 1
    }
    for part in parts {
      guard let index = part.labels.firstIndex(where: { $0 >= count }) else { continue }
      throw DataError(
        "label \(part.labels[index]) of image \(index), at byte \(8 + index), is not below \(count): where the set has more "
          + "classes, give their number (--classes)", in: part.file)
    }
    return 0
  }

  private static func part(_ kind: String, _ folder: URL, _ prefix: String) throws(DataError) -> Part {
    func url(_ what: String, _ axes: Int) throws(DataError) -> URL {
      let kinds = kind == "t10k" ? ["t10k", "test"] : [kind]
      let names = kinds.flatMap { kind in ["-", "."].map { "\(prefix)\(kind)-\(what)\($0)idx\(axes)-ubyte" } }
      return try find(names + names.map { $0 + ".gz" }, in: folder, for: "IDX \(what)")
    }
    let (imagesURL, labelsURL) = (try url("images", 3), try url("labels", 1))
    let images = try read(imagesURL, axes: 3)
    let labels = try read(labelsURL, axes: 1)
    guard images.extents[0] == labels.extents[0] else {
      throw DataError("\(labels.extents[0]) labels for the \(images.extents[0]) images beside it", in: labelsURL.path)
    }
    return Part(
      pixels: images.elements, labels: labels.elements.map { Int($0) },
      shape: [images.extents[1], images.extents[2], 1], file: labelsURL.path)
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
