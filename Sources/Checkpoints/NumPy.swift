import FileFormats
import Foundation
import Layers

/// NumPy's `.npy` files, one tensor each, and `.npz` archives of them.
///
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Object arrays, which need a pickle, and
/// structured and big-endian ones are refused, in an archive left out
/// by name.
public enum NumPy {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let longestHeader = 1 << 16

  /// The tensor of the `.npy` file at `url`, of any element type, converted to `Scalar`, in C's order.
  public static func load(_ url: URL) throws(CheckpointError) -> Tensor {
    try decode(try readFile(url), from: url.path)
  }

  /// The tensors of the `.npz` archive at `url` by name.
  public static func loadArchive(_ url: URL) throws(CheckpointError) -> StateDictionary {
    try decodeArchive(try readFile(url), from: url.path)
  }

  /// Writes `tensor` as `.npy`, atomically.
  public static func save(_ tensor: Tensor, to url: URL) throws(CheckpointError) {
    try writeAtomically(encode(tensor), to: url)
  }

  /// Writes `tensors` as `.npz` without compression, as `numpy.savez`, atomically.
  public static func save(_ tensors: StateDictionary, to url: URL) throws(CheckpointError) {
    try writeAtomically(
      ZipArchive.stored(tensors.sorted { $0.key < $1.key }.map { ("\($0.key).npy", encode($0.value)) }), to: url)
  }

  /// Whether `bytes` are a zip archive of `.npy` files, as far as its names tell.
  static func recognizesArchive(_ bytes: [UInt8]) -> Bool {
    guard bytes.starts(with: [0x50, 0x4b]), let archive = try? ZipArchive(bytes, file: "") else { return false }
    let names = archive.members.keys
    return names.contains { $0.hasSuffix(".npy") } && !names.contains { $0.hasSuffix("data.pkl") }
  }

  // MARK: One tensor

  package static func encode(_ tensor: Tensor) -> [UInt8] {
    let dimensions = tensor.shape.dimensions
    let shape = dimensions.map { "\($0)," }.joined(separator: " ")
    // NumPy writes a tuple of one with its comma, of more without the last.
    let tuple = dimensions.count > 1 ? String(shape.dropLast()) : shape
    let type = ElementType.ofScalar == .f64 ? "<f8" : "<f4"
    var header = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(tuple)), }".utf8)
    // The data begins at a multiple of 64 bytes.
    header += [UInt8](repeating: 0x20, count: (64 - (10 + header.count + 1) % 64) % 64) + [0x0a]
    var bytes = magic + [1, 0]
    withUnsafeBytes(of: UInt16(header.count).littleEndian) { bytes += $0 }
    bytes += header
    tensor.withUnsafeScalars { bytes += UnsafeRawBufferPointer($0) }
    return bytes
  }

  package static func decode(_ bytes: [UInt8], from file: String) throws(CheckpointError) -> Tensor {
    func error(_ problem: String) -> CheckpointError { CheckpointError(problem, in: file) }
    guard bytes.starts(with: magic) else {
      throw error(ForeignFile.description(of: bytes) ?? "is no NumPy file, by its first bytes")
    }
    let (header, start) = try header(bytes, file)
    guard let type = header.type else { throw error("its header \(header.unread)") }
    guard let count = checkedCount(header.shape) else { throw error("has the impossible shape \(header.shape)") }
    let left = bytes.count - start
    guard left % type.size == 0, count == left / type.size else {
      throw error(
        "has \(left) bytes of data, its shape \(header.shape) of \(type.rawValue) takes another number: is it cut off?")
    }
    let shape = header.isFortran ? header.shape.reversed() : header.shape
    let stored = bytes.withUnsafeBytes { all in
      let data = UnsafeRawBufferPointer(rebasing: all[start...])
      return Tensor(shape: Shape(shape)) { out in
        for i in out.indices { out[i] = type.scalar(data, at: i * type.size) }
      }
    }
    guard header.isFortran, shape.count > 1 else { return stored }
    return stored.permuted(Array(shape.indices.reversed()))
  }

  /// The header of a file that begins with the magic bytes, and the byte after it.
  private static func header(
    _ bytes: [UInt8], _ file: String
  ) throws(CheckpointError) -> (header: Header, end: Int) {
    func error(_ problem: String) -> CheckpointError { CheckpointError(problem, in: file) }
    var reader = ByteReader(bytes, at: magic.count, file: file)
    let version = try reader.byte()
    try reader.skip(1)
    guard (1...3).contains(version) else { throw error("has version \(version) of NumPy's format, 1 to 3 are read") }
    let length = try reader.integer(version == 1 ? 2 : 4)
    guard length >= 0, length <= longestHeader else { throw error("states a header of \(length) bytes") }
    return (try Header(try reader.string(length), file), reader.offset)
  }

  /// The Python dictionary before the data.
  private struct Header {
    /// The type of the elements, nil for those that are not read, which `unread` names.
    var type: ElementType?
    var unread = ""
    var isFortran = false
    var shape: [Int] = []

    /// Reads the three entries that the format has, in any order, and nothing else.
    init(_ text: String, _ file: String) throws(CheckpointError) {
      func error(_ problem: String) -> CheckpointError { CheckpointError("its header \(problem)", in: file) }
      func value(_ key: String) throws(CheckpointError) -> Substring {
        guard let range = text.firstRange(of: "'\(key)'") else { throw error("has no '\(key)'") }
        let rest = text[range.upperBound...].drop { $0 == " " }
        guard rest.first == ":" else { throw error("has no value for '\(key)'") }
        return rest.dropFirst().drop { $0 == " " }
      }
      let descr = try value("descr")
      if descr.first == "'", let end = descr.dropFirst().firstIndex(of: "'") {
        let name = String(descr[descr.index(after: descr.startIndex)..<end])
        type = Self.types[name]
        unread = "has elements '\(name.escaped(40))', which are not read"
      } else {
        guard descr.first == "[" else { throw error("has no type of elements") }
        unread = "describes structured elements, which are not read"
      }
      let order = try value("fortran_order")
      guard order.hasPrefix("True") || order.hasPrefix("False") else { throw error("has no order") }
      isFortran = order.hasPrefix("True")
      let tuple = try value("shape")
      guard tuple.first == "(", let close = tuple.firstIndex(of: ")") else { throw error("has no shape") }
      for part in tuple[tuple.index(after: tuple.startIndex)..<close].split(separator: ",") {
        var digits = part.filter { $0 != " " }
        // Python 2's integers of any size.
        if digits.last == "L" { digits.removeLast() }
        if digits.isEmpty { continue }
        guard let extent = Int(digits), extent >= 0, shape.count < 32 else {
          throw error("has the shape \(tuple.prefix(80))")
        }
        shape.append(extent)
      }
    }

    private static let types: [String: ElementType] = [
      "<f2": .f16, "<f4": .f32, "<f8": .f64, "<i2": .i16, "<i4": .i32, "<i8": .i64, "|i1": .i8, "<u2": .u16,
      "<u4": .u32,
      "<u8": .u64, "|u1": .u8, "|b1": .bool, "=f4": .f32, "=f8": .f64,
    ]
  }

  // MARK: Archives

  package static func decodeArchive(_ bytes: [UInt8], from file: String) throws(CheckpointError) -> StateDictionary {
    let (state, unread) = try members(bytes, from: file)
    guard !state.isEmpty else { throw empty(unread, file) }
    return state
  }

  static func empty(_ unread: [String], _ file: String) -> CheckpointError {
    CheckpointError("holds no arrays of numbers that are read: \(unread.listed)", in: file)
  }

  /// The arrays of numbers in an archive, and the members that hold others, with the reason.
  static func members(
    _ bytes: [UInt8], from file: String
  ) throws(CheckpointError) -> (state: StateDictionary, unread: [String]) {
    let archive = try ZipArchive(bytes, file: file)
    var (state, unread): (StateDictionary, [String]) = ([:], [])
    // Deflated zeros may unfold a thousandfold each; together they may not fill the memory.
    var remaining = 1 << 32
    for name in archive.members.keys.sorted() {
      let last = name.split(separator: "/").last ?? ""
      guard name.hasSuffix(".npy"), !last.hasPrefix("._"), !name.hasPrefix("__MACOSX/") else {
        if !name.hasSuffix("/") { unread.append("\(name) (no .npy file)") }
        continue
      }
      let content = try archive.content(of: name, limit: remaining)
      remaining -= content.count
      let member = "\(file): \(name)"
      if content.starts(with: magic), case (let header, _) = try header(content, member), header.type == nil {
        unread.append("\(name.dropLast(4)) (\(header.unread))")
        continue
      }
      state[String(name.dropLast(4))] = try decode(content, from: member)
    }
    return (state, unread)
  }
}
