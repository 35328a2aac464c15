import CImages
import Foundation

/// The CIFAR sets in their published binary form: 32×32 in colour, 50,000 images to train on and 10,000 to test.
///
/// Krizhevsky: "Learning multiple layers of features from tiny images", 2009.
public enum CIFAR: Sendable {
  /// Ten classes.
  case ten
  /// A hundred classes, the fine labels.
  case hundred
  /// The twenty superclasses of the hundred, which are their known sub-classes.
  case superclasses

  private var name: String {
    switch self {
    case .ten: "CIFAR-10"
    case .hundred: "CIFAR-100"
    case .superclasses: "CIFAR-100 in superclasses"
    }
  }
  /// How many classes each label byte of a record knows.
  private var labelRanges: [Int] { self == .ten ? [10] : [20, 100] }
  private var labelIndex: Int { self == .hundred ? 1 : 0 }
  private static let imageBytes = 3 * 32 * 32

  /// Reads the set from `folder`, or from the folder in it that the archive unpacks to.
  ///
  /// - Throws: Where a file is missing, of the wrong size, or has a label out of range.
  public func load(_ folder: URL) throws(DataError) -> DatasetSplit { try load(folder, images: (50_000, 10_000)) }

  /// Reads a set of so many images.
  func load(_ folder: URL, images: (training: Int, test: Int)) throws(DataError) -> DatasetSplit {
    let inner = folder.appendingPathComponent(self == .ten ? "cifar-10-batches-bin" : "cifar-100-binary")
    let folder = FileManager.default.fileExists(atPath: inner.path) ? inner : folder
    let names = try classNames(folder)
    let files = self == .ten ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"]
    let training = try part(files, folder, names, records: images.training / files.count)
    let test = try part([self == .ten ? "test_batch.bin" : "test.bin"], folder, names, records: images.test)
    return try DatasetSplit(training: training, test: test)
  }

  private func classNames(_ folder: URL) throws(DataError) -> [String] {
    let count = labelRanges[labelIndex]
    let file =
      switch self {
      case .ten: "batches.meta.txt"
      case .hundred: "fine_label_names.txt"
      case .superclasses: "coarse_label_names.txt"
      }
    let url = try find([file], in: folder, for: "the classes' names")
    let text = String(decoding: try readBytes(url, limit: 1 << 16), as: UTF8.self)
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard names.count == count else { throw DataError("\(names.count) names of classes, not \(count)", in: url.path) }
    return names
  }

  private func part(
    _ files: [String], _ folder: URL, _ names: [String], records: Int
  ) throws(DataError) -> LabeledImages {
    let labelBytes = labelRanges.count
    let record = labelBytes + Self.imageBytes
    var labels = [[Int]](repeating: [], count: labelBytes)
    var pixels = [UInt8](repeating: 0, count: files.count * records * Self.imageBytes)
    for file in files {
      let url = try find([file, file + ".gz"], in: folder, for: "CIFAR's images")
      let bytes = try readBytes(url, limit: records * record)
      guard bytes.count == records * record else {
        throw DataError(
          "\(bytes.count) bytes, not the \(records * record) of \(records) images of \(record) bytes", in: url.path)
      }
      for i in 0..<records {
        for (place, range) in labelRanges.enumerated() {
          let label = Int(bytes[i * record + place])
          guard label < range else {
            throw DataError(
              "label \(label) of image \(i), at byte \(i * record + place), is not below \(range)", in: url.path)
          }
        }
        bytes.withUnsafeBufferPointer { bytes in
          pixels.withUnsafeMutableBufferPointer { pixels in
            ci_interleave(
              bytes.baseAddress! + i * record + labelBytes, 32 * 32, 3,
              pixels.baseAddress! + labels[0].count * Self.imageBytes)
          }
        }
        for place in labels.indices { labels[place].append(Int(bytes[i * record + place])) }
      }
    }
    return try LabeledImages(
      name: name, pixels: pixels, labels: labels[labelIndex], imageShape: [32, 32, 3], classNames: names,
      subclasses: self == .superclasses ? labels[1] : nil)
  }
}
