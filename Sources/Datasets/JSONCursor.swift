import FileFormats
import Foundation

/// Reads JSON value after value, and passes over what nobody asks for: files of gigabytes take no memory of their own.
struct JSONCursor {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0
  private let file: String

  /// - Parameter bytes: Must live as long as this.
  init(_ bytes: UnsafeRawBufferPointer, file: String) { (self.bytes, self.file) = (bytes, file) }

  /// Gives `body` a cursor at the start of the JSON in the file at `url`, which is mapped.
  static func withContents<R>(
    of url: URL, _ body: (inout JSONCursor) throws(DataError) -> R
  ) throws(DataError) -> R {
    try requireRegularFile(url)
    let data: Data
    do { data = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw DataError("cannot be read: \(error.localizedDescription)", in: url.path)
    }
    var result: Result<R, DataError>?
    data.withUnsafeBytes { bytes in
      var cursor = JSONCursor(bytes, file: url.path)
      do throws(DataError) { result = .success(try body(&cursor)) } catch { result = .failure(error) }
    }
    return try result!.get()
  }

  /// The next byte that is no blank; nil at the end.
  mutating func peek() -> UInt8? {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0a, 0x0d, 0x09: offset += 1
      case let byte: return byte
      }
    }
    return nil
  }

  func problem(_ wanted: String) -> DataError {
    let found =
      offset < bytes.count ? String(decoding: bytes[offset..<min(offset + 20, bytes.count)], as: UTF8.self) : ""
    return DataError(
      found.isEmpty ? "the end" : "'\(found.escaped(20))'", wanted: wanted, at: "byte \(offset)", in: file)
  }

  /// Reads an object: `body` must read, or skip, the value of each key.
  mutating func object(
    _ body: (inout JSONCursor, String) throws(DataError) -> Void
  ) throws(DataError) {
    try list(from: "{", to: "}") { (cursor) throws(DataError) in
      let key = try cursor.string()
      guard cursor.peek() == UInt8(ascii: ":") else { throw cursor.problem("a colon") }
      cursor.offset += 1
      try body(&cursor, key)
    }
  }

  /// Reads an array: `body` must read, or skip, each item.
  mutating func array(_ body: (inout JSONCursor) throws(DataError) -> Void) throws(DataError) {
    try list(from: "[", to: "]", body)
  }

  private mutating func list(
    from start: Unicode.Scalar, to end: Unicode.Scalar, _ item: (inout JSONCursor) throws(DataError) -> Void
  ) throws(DataError) {
    guard peek() == UInt8(ascii: start) else { throw problem(start == "{" ? "an object" : "a list") }
    offset += 1
    if peek() == UInt8(ascii: end) {
      offset += 1
      return
    }
    while true {
      try item(&self)
      switch peek() {
      case UInt8(ascii: ","): offset += 1
      case UInt8(ascii: end):
        offset += 1
        return
      default: throw problem("a comma or '\(end)'")
      }
    }
  }

  mutating func string() throws(DataError) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw problem("a text in quotation marks") }
    let start = offset
    try skipString()
    let content = bytes[start + 1..<offset - 1]
    guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
    guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<offset])) else {
      offset = start
      throw problem("a text of JSON")
    }
    return text
  }

  /// A number, or a text or word as it stands.
  mutating func scalar() throws(DataError) -> String {
    if peek() == UInt8(ascii: "\"") { return try string() }
    let start = offset
    while let byte = offset < bytes.count ? bytes[offset] : nil, Self.isOfWord(byte) { offset += 1 }
    guard offset > start else { throw problem("a number, a text, true, false or null") }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  mutating func number() throws(DataError) -> Double {
    let before = self
    guard peek() != UInt8(ascii: "\""), let number = Double(try scalar()), number.isFinite else {
      throw before.problem("a number")
    }
    return number
  }

  mutating func integer() throws(DataError) -> Int {
    let before = self
    guard let integer = Int(exactly: try number()) else { throw before.problem("a whole number") }
    return integer
  }

  /// Passes over a value, whatever it is.
  mutating func skip() throws(DataError) {
    var depth = 0
    repeat {
      switch peek() {
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        (depth, offset) = (depth + 1, offset + 1)
      case UInt8(ascii: "}") where depth > 0, UInt8(ascii: "]") where depth > 0:
        (depth, offset) = (depth - 1, offset + 1)
      case UInt8(ascii: ",") where depth > 0, UInt8(ascii: ":") where depth > 0: offset += 1
      case let byte? where Self.isOfWord(byte):
        while offset < bytes.count, Self.isOfWord(bytes[offset]) { offset += 1 }
      default: throw problem("a value")
      }
    } while depth > 0
  }

  private mutating func skipString() throws(DataError) {
    let start = offset
    offset += 1
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
      offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard offset < bytes.count else {
      offset = start
      throw problem("a text that ends")
    }
    offset += 1
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
      || byte == 0x2d || byte == 0x2e || byte == 0x2b
  }
}
