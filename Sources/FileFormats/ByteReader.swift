/// Reads little-endian values one after the other, never past the end.
package struct ByteReader {
  package let content: [UInt8]
  package private(set) var offset: Int
  package let file: String

  package init(_ content: [UInt8], at offset: Int = 0, file: String) {
    (self.content, self.offset, self.file) = (content, offset, file)
  }

  private mutating func take(_ count: Int) throws(FileError) -> Range<Int> {
    guard offset >= 0, count >= 0, offset <= content.count, count <= content.count - offset else {
      throw FileError("the end at byte \(content.count)", wanted: "\(count) bytes", at: "byte \(offset)", in: file)
    }
    defer { offset += count }
    return offset..<offset + count
  }

  package mutating func byte() throws(FileError) -> UInt8 { content[try take(1).lowerBound] }
  package mutating func bytes(_ count: Int) throws(FileError) -> [UInt8] { Array(content[try take(count)]) }
  package mutating func skip(_ count: Int) throws(FileError) { _ = try take(count) }

  /// An unsigned integer of `size` bytes; one of 8 bytes beyond `Int.max` comes out negative, which no length may be.
  package mutating func integer(_ size: Int) throws(FileError) -> Int {
    Int(truncatingIfNeeded: content[try take(size)].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
  }
  package mutating func string(_ count: Int) throws(FileError) -> String {
    String(decoding: content[try take(count)], as: UTF8.self)
  }
  /// The text up to the end of the line, which is skipped.
  package mutating func line() throws(FileError) -> String {
    guard let end = content[min(offset, content.count)...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw FileError("a line that does not end", at: "byte \(offset)", in: file)
    }
    let text = try string(end - offset)
    offset = end + 1
    return text
  }
}
