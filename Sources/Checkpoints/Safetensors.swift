import FileFormats
import Foundation
import Layers

/// Tensors by name, as a model's state or a file holds them.
public typealias StateDictionary = [String: Tensor]

/// The safetensors format: a header in JSON, then the tensors' bytes.
///
/// https://github.com/huggingface/safetensors. Every length and offset is checked before it is used, and memory stays
/// proportional to the file.
public enum Safetensors {
  private static let checksumKey = "crc32"
  /// A longer header is refused, as the format's own library refuses it.
  private static let longestHeader = 100_000_000

  /// Whether the file at `url` begins as safetensors do: with a length and a JSON object.
  ///
  /// - Throws: Where there is no such file, or no regular one.
  package static func recognizes(_ url: URL) throws(CheckpointError) -> Bool {
    let start = try readFile(url, upTo: 9)
    return start.count == 9 && start[8] == UInt8(ascii: "{")
  }

  /// The tensors of the file at `url`, of any element type, converted to `Scalar`, in the layout they are stored in.
  public static func load(_ url: URL) throws(CheckpointError) -> StateDictionary { try read(url).tensors }

  /// The tensors and the metadata of the file at `url`.
  public static func read(
    _ url: URL
  ) throws(CheckpointError) -> (tensors: StateDictionary, metadata: [String: String]) {
    try decode(try readFile(url), from: url.path)
  }

  /// Writes `tensors`, in the layout they have, and `metadata` to `url`, atomically.
  ///
  /// The metadata gets a CRC-32 of the tensors' bytes, by which ``read(_:)`` knows a damaged file.
  ///
  /// - Parameter integers: Single whole numbers beside the tensors, such as PyTorch's `num_batches_tracked`.
  public static func save(
    _ tensors: StateDictionary, integers: [String: Int] = [:], metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    try writeAtomically(encode(tensors, integers: integers, metadata: metadata), to: url)
  }

  /// The bytes of a file with `tensors`, `integers` and `metadata`; the same for the same content.
  public static func encode(
    _ tensors: StateDictionary, integers: [String: Int] = [:], metadata: [String: String] = [:]
  ) -> [UInt8] {
    let type = ElementType.ofScalar
    let names = tensors.keys.sorted()
    let counted = integers.filter { tensors[$0.key] == nil }.sorted { $0.key < $1.key }
    var header = Header(metadata: metadata, entries: [:])
    var (end, checksum) = (0, CRC32())
    for name in names {
      let start = end
      end += tensors[name]!.count * type.size
      tensors[name]!.withUnsafeScalars { checksum.append(UnsafeRawBufferPointer($0)) }
      header.entries[name] = Entry(
        dtype: type.rawValue, shape: tensors[name]!.shape.dimensions, dataOffsets: [start, end])
    }
    for (name, value) in counted {
      let start = end
      end += MemoryLayout<Int64>.size
      withUnsafeBytes(of: Int64(value).littleEndian) { checksum.append($0) }
      header.entries[name] = Entry(dtype: ElementType.i64.rawValue, shape: [], dataOffsets: [start, end])
    }
    header.metadata![checksumKey] = String(checksum.value, radix: 16)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and integers always encode.
    var json = [UInt8](try! encoder.encode(header))
    json += [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8)

    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + json.count + end)
    withUnsafeBytes(of: UInt64(json.count).littleEndian) { bytes += $0 }
    bytes += json
    for name in names { tensors[name]!.withUnsafeScalars { bytes += UnsafeRawBufferPointer($0) } }
    for (_, value) in counted { withUnsafeBytes(of: Int64(value).littleEndian) { bytes += $0 } }
    return bytes
  }

  /// The content of `bytes`; errors name `file`.
  public static func decode(
    _ bytes: [UInt8], from file: String = "safetensors"
  ) throws(CheckpointError) -> (tensors: StateDictionary, metadata: [String: String]) {
    guard bytes.count >= 8 else {
      let description = ForeignFile.description(of: bytes) ?? "has \(bytes.count) bytes, a safetensors file at least 8"
      throw CheckpointError(description, in: file)
    }
    let stated = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard stated <= UInt64(min(longestHeader, bytes.count - 8)) else { throw misfit(stated, bytes, file) }
    let data = 8 + Int(stated)
    let header: Header
    do { header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<data])) } catch {
      throw CheckpointError("its header is not a safetensors header: \(problem(inDecoding: error))", in: file)
    }
    try check(header, dataCount: bytes.count - data, fileCount: bytes.count, file)
    var metadata = header.metadata ?? [:]
    if let stated = metadata.removeValue(forKey: checksumKey) {
      var checksum = CRC32()
      bytes.withUnsafeBytes { checksum.append(UnsafeRawBufferPointer(rebasing: $0[data...])) }
      let found = String(checksum.value, radix: 16)
      guard found == stated else {
        throw CheckpointError(
          "is damaged, or was written by a program that changed tensors and kept the metadata '\(checksumKey)': the checksum of "
            + "its tensors is \(found)", wanted: stated, in: file)
      }
    }

    var tensors: StateDictionary = [:]
    for (name, entry) in header.entries {
      let type = ElementType(rawValue: entry.dtype)!
      tensors[name] = bytes.withUnsafeBytes { bytes in
        tensor(Shape(entry.shape), type, UnsafeRawBufferPointer(rebasing: bytes[(data + entry.dataOffsets[0])...]))
      }
    }
    return (tensors, metadata)
  }

  /// The error for a header of `stated` bytes, more than follow.
  private static func misfit(_ stated: UInt64, _ bytes: [UInt8], _ file: String) -> CheckpointError {
    let isCut = stated <= UInt64(longestHeader) && (bytes.count == 8 || bytes[8] == UInt8(ascii: "{"))
    let description =
      isCut
      ? "is cut off: it ends at byte \(bytes.count), its header alone at byte \(8 + stated)"
      : ForeignFile.description(of: bytes)
        ?? "is no file of weights that is known: PyTorch, safetensors and .npz files are (as safetensors its header would have "
        + "\(stated) bytes, and \(bytes.count - 8) follow)"
    return CheckpointError(description, in: file)
  }

  /// Refuses entries that do not cover the `dataCount` bytes of data exactly, one after the other.
  private static func check(
    _ header: Header, dataCount: Int, fileCount: Int, _ file: String
  ) throws(CheckpointError) {
    let last = header.entries.values.compactMap(\.dataOffsets.last).max() ?? 0
    let isCut = last > dataCount && header.entries.values.allSatisfy { $0.dataOffsets.count == 2 }
    for (name, entry) in header.entries.sorted(by: { $0.key < $1.key }) {
      guard let type = ElementType(rawValue: entry.dtype) else {
        throw CheckpointError("tensor '\(name)' has element type '\(entry.dtype)', which is not supported", in: file)
      }
      guard entry.dataOffsets.count == 2, entry.dataOffsets[0] >= 0,
        entry.dataOffsets[0] <= entry.dataOffsets[1], entry.dataOffsets[1] <= dataCount
      else {
        let problem = "tensor '\(name.escaped())' lies at \(entry.dataOffsets) of \(dataCount) bytes of data"
        throw CheckpointError(
          isCut ? "is cut off: it ends \(last - dataCount) bytes early, at byte \(fileCount) (\(problem))" : problem,
          in: file)
      }
      let length = entry.dataOffsets[1] - entry.dataOffsets[0]
      // Dividing cannot overflow as multiplying could.
      guard let count = checkedCount(entry.shape), length % type.size == 0, count == length / type.size else {
        throw CheckpointError(
          "tensor '\(name)' of shape \(entry.shape) and type \(entry.dtype) has \(length) bytes", in: file)
      }
    }
    var (end, previous) = (0, "")
    for (name, entry) in header.entries.sorted(by: {
      $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets)
    }) {
      guard entry.dataOffsets[0] >= end else {
        throw CheckpointError("tensors '\(previous)' and '\(name)' overlap", in: file)
      }
      guard entry.dataOffsets[0] == end else {
        throw CheckpointError("no tensor holds the bytes \(end)..<\(entry.dataOffsets[0]) before '\(name)'", in: file)
      }
      (end, previous) = (entry.dataOffsets[1], name)
    }
    guard end == dataCount else {
      throw CheckpointError("has \(dataCount) bytes of data, its tensors \(end)", in: file)
    }
  }

  private struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    var dataOffsets: [Int]
    private enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  private struct Header: Codable {
    var metadata: [String: String]?
    var entries: [String: Entry]

    private struct Name: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
      static let metadata = Name(stringValue: "__metadata__")
    }
    init(metadata: [String: String]?, entries: [String: Entry]) {
      (self.metadata, self.entries) = (metadata, entries)
    }
    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      metadata = try container.decodeIfPresent([String: String].self, forKey: .metadata)
      entries = [:]
      for name in container.allKeys where name.stringValue != Name.metadata.stringValue {
        entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
      }
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Name.self)
      try container.encodeIfPresent(metadata, forKey: .metadata)
      for (name, entry) in entries { try container.encode(entry, forKey: Name(stringValue: name)) }
    }
  }
}

/// A contiguous tensor from the start of `bytes`, which are long enough.
private func tensor(_ shape: Shape, _ type: ElementType, _ bytes: UnsafeRawBufferPointer) -> Tensor {
  Tensor(shape: shape) { out in
    if type == .ofScalar {
      let length = out.count * type.size
      UnsafeMutableRawBufferPointer(out).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
    } else {
      for i in out.indices { out[i] = type.scalar(bytes, at: i * type.size) }
    }
  }
}
