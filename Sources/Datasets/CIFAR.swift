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

  private var name: String { self == .ten ? "CIFAR-10" : "CIFAR-100" }
  private static let imageBytes = 3 * 32 * 32

  /// Reads the set from `folder`, or from the folder in it that the archive unpacks to.
  ///
  /// - Throws: Where a file is missing, of the wrong size, or has a label out of range.
  public func load(_ folder: URL) throws(DataError) -> DatasetSplit {
    let inner = folder.appendingPathComponent(self == .ten ? "cifar-10-batches-bin" : "cifar-100-binary")
    let folder = FileManager.default.fileExists(atPath: inner.path) ? inner : folder
    let names = try classNames(folder)
    let files = self == .ten ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"]
    let training = try part(files, folder, names, records: 50_000 / files.count)
    let test = try part([self == .ten ? "test_batch.bin" : "test.bin"], folder, names, records: 10_000)
    return try DatasetSplit(training: training, test: test)
  }

  private func classNames(_ folder: URL) throws(DataError) -> [String] {
    let count = self == .ten ? 10 : 100
    let url = try find(
      [self == .ten ? "batches.meta.txt" : "fine_label_names.txt"], in: folder, for: "the classes' names")
    let text = String(decoding: try readBytes(url, limit: 1 << 16), as: UTF8.self)
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard names.count == count else { throw DataError("\(names.count) names of classes, not \(count)", in: url.path) }
    return names
  }

  private func part(
    _ files: [String], _ folder: URL, _ names: [String], records: Int
  ) throws(DataError) -> LabeledImages {
    let labelBytes = self == .ten ? 1 : 2
    let record = labelBytes + Self.imageBytes
    var labels: [Int] = []
    var pixels = [UInt8](repeating: 0, count: files.count * records * Self.imageBytes)
    for file in files {
      let url = try find([file, file + ".gz"], in: folder, for: "CIFAR's images")
      let bytes = try readBytes(url, limit: records * record)
      guard bytes.count == records * record else {
        throw DataError(
          "\(bytes.count) bytes, not the \(records * record) of \(records) images of \(record) bytes", in: url.path)
      }
      for i in 0..<records {
        let label = Int(bytes[i * record + labelBytes - 1])
        guard label < names.count else {
          throw DataError(
            "label \(label) of image \(i), at byte \(i * record), is not below \(names.count)", in: url.path)
        }
        bytes.withUnsafeBufferPointer { bytes in
          pixels.withUnsafeMutableBufferPointer { pixels in
            ci_interleave(
              bytes.baseAddress! + i * record + labelBytes, 32 * 32, 3,
              pixels.baseAddress! + labels.count * Self.imageBytes)
          }
        }
        labels.append(label)
      }
    }
    return try LabeledImages(
      name: name, pixels: pixels, labels: labels, imageShape: [32, 32, 3], classNames: names)
  }
}
