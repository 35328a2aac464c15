import CImages
import FileFormats
import Foundation

/// A file of prepared images, written once and read an image at a time: one image after the other, their hashes, what the file
/// was made from, and a trailer.
///
/// Images are read by `pread` and not mapped: a file that was cut off, or a disk that fails, is then an error and no signal that ends the
/// process, and its pages do not count as the process's memory. Each image is checked against its hash.
final class PackedImages: Sendable {
  /// What a file was made from, and what was found then.
  struct Source: Codable, Hashable {
    /// A fingerprint of the files, their sizes and times, and of how they were prepared.
    var key: String
    /// The places of the images among the items of the listing.
    var kept: [Int]
    /// The files that could not be read.
    var unreadable: [Unreadable] = []
    struct Unreadable: Codable, Hashable {
      var path: String
      var kind: String
      var problem: String
    }
  }

  let source: Source
  let digests: ImageDigests
  private let file: OpenFile
  /// The bytes of an image.
  private let size: Int

  private static let magic = Array("ENimage1".utf8)
  /// The lengths of the hashes and of the source, the hash of both, and the magic bytes.
  private static let trailer = 32

  private init(_ file: OpenFile, _ size: Int, _ source: Source, _ digests: ImageDigests) {
    (self.file, self.size, self.source, self.digests) = (file, size, source, digests)
  }

  /// The file at `url`, where it was made from `key`, of so many items, and is whole; nil where it has to be made.
  static func open(_ url: URL, key: String, items: Int, imageSize size: Int) -> PackedImages? {
    guard let file = OpenFile(reading: url.path), let trailer = try? file.bytes(file.size - trailer, trailer) else {
      return nil
    }
    let numbers = (0..<3).map { UInt64(littleEndian: trailer[$0 * 8..<$0 * 8 + 8]) }
    // Numbers and paths of the items, and no more.
    guard Array(trailer.suffix(8)) == magic, numbers[0] <= (items + 1) * 8, numbers[1] <= 1 << 20 + items * 1 << 14
    else { return nil }
    let (hashes, json) = (Int(numbers[0]), Int(numbers[1]))
    let start = file.size - Self.trailer - hashes - json
    guard start >= 0, let footer = try? file.bytes(start, hashes + json),
      ci_hash(footer, footer.count, 0) == numbers[2],
      let source = try? JSONDecoder().decode(Source.self, from: Data(footer[hashes...])), source.key == key,
      hashes == (source.kept.count + 1) * 8, start == source.kept.count * size,
      source.kept.allSatisfy((0..<items).contains), zip(source.kept, source.kept.dropFirst()).allSatisfy(<)
    else { return nil }
    let all = (0...source.kept.count).map { UInt64(littleEndian: footer[$0 * 8..<$0 * 8 + 8]) }
    return PackedImages(file, size, source, ImageDigests(images: Array(all.dropLast()), whole: all.last!))
  }

  func image(at index: Int) throws(DataError) -> [UInt8] {
    let image = try file.bytes(index * size, size)
    guard ci_hash(image, size, 0) == digests.images[index] else {
      throw DataError(
        "the packed images are damaged: delete the file, and the next run makes it anew", at: "image \(index)",
        in: file.path)
    }
    return image
  }

  /// Writes a file of packed images: beside its place until it is whole.
  final class Writer {
    private let url: URL
    private let file: OpenFile
    private var buffer: [UInt8] = []

    /// - Throws: Where the folder cannot be made or the file cannot be written.
    init(_ url: URL) throws(DataError) {
      self.url = url
      try? FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      Self.removeAbandoned(url)
      file = try OpenFile(writing: "\(url.path).\(UInt32.random(in: 0 ... .max)).partial")
    }

    func append(_ image: UnsafeBufferPointer<UInt8>) throws(DataError) {
      buffer += image
      if buffer.count > 1 << 22 { try flush() }
    }

    private func flush() throws(DataError) {
      try file.append(buffer)
      buffer.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name.
    func finish(_ source: Source, _ digests: ImageDigests) throws(DataError) {
      var footer = (digests.images + [digests.whole]).flatMap(\.littleEndianBytes)
      let hashes = footer.count
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      do { footer += try encoder.encode(source) } catch {
        throw DataError("what was packed cannot be written as JSON: \(error)", in: url.path)
      }
      let numbers = [UInt64(hashes), UInt64(footer.count - hashes), ci_hash(footer, footer.count, 0)]
      buffer += footer + numbers.flatMap(\.littleEndianBytes) + PackedImages.magic
      try flush()
      try file.rename(to: url.path)
      syncFolder(of: url)
    }

    /// Removes what processes that were killed left of this file.
    private static func removeAbandoned(_ url: URL) {
      let folder = url.deletingLastPathComponent()
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      where name.hasPrefix("\(url.lastPathComponent).") && name.hasSuffix(".partial") {
        OpenFile.removeUnlessInUse(folder.appendingPathComponent(name).path)
      }
    }
  }
}

extension FixedWidthInteger {
  fileprivate init(littleEndian bytes: ArraySlice<UInt8>) {
    self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }

  fileprivate var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}
