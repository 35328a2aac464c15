/// Reads little-endian values one after the other, never past the end.
struct ByteReader {
  let content: [UInt8]
  private(set) var offset: Int
  let file: String

  init(_ content: [UInt8], at offset: Int = 0, file: String) {
    (self.content, self.offset, self.file) = (content, offset, file)
  }

  private mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard offset >= 0, count >= 0, offset <= content.count, count <= content.count - offset else {
      throw CheckpointError("ends at byte \(content.count) where \(count) bytes are wanted at \(offset)", in: file)
    }
    defer { offset += count }
    return offset..<offset + count
  }

  mutating func byte() throws(CheckpointError) -> UInt8 { content[try take(1).lowerBound] }
  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] { Array(content[try take(count)]) }
  mutating func skip(_ count: Int) throws(CheckpointError) { _ = try take(count) }

  /// An unsigned integer of `size` bytes; one of 8 bytes beyond `Int.max` comes out negative, which no length may be.
  mutating func integer(_ size: Int) throws(CheckpointError) -> Int {
    Int(truncatingIfNeeded: content[try take(size)].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
  }
  mutating func string(_ count: Int) throws(CheckpointError) -> String {
    String(decoding: content[try take(count)], as: UTF8.self)
  }
  /// The text up to the end of the line, which is passed over.
  mutating func line() throws(CheckpointError) -> String {
    guard let end = content[min(offset, content.count)...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw CheckpointError("a line at byte \(offset) does not end", in: file)
    }
    let text = try string(end - offset)
    offset = end + 1
    return text
  }
}
