/// Writes a message of a protocol buffer: https://protobuf.dev/programming-guides/encoding.
package struct ProtocolBuffer {
  package private(set) var bytes: [UInt8] = []

  package init() {}
  /// A message with what `fill` puts into it.
  package init(_ fill: (inout ProtocolBuffer) -> Void) { fill(&self) }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
  private mutating func key(_ field: Int, _ wire: Int) { varint(UInt64(field << 3 | wire)) }

  package mutating func integer(_ field: Int, _ value: Int) {
    key(field, 0)
    varint(UInt64(bitPattern: Int64(value)))
  }
  package mutating func double(_ field: Int, _ value: Double) {
    key(field, 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }
  package mutating func float(_ field: Int, _ value: Float) {
    key(field, 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }
  package mutating func content(_ field: Int, _ content: [UInt8]) {
    key(field, 2)
    varint(UInt64(content.count))
    bytes += content
  }
  package mutating func text(_ field: Int, _ text: String) { content(field, Array(text.utf8)) }
  package mutating func message(_ field: Int, _ fill: (inout ProtocolBuffer) -> Void) {
    content(field, ProtocolBuffer(fill).bytes)
  }
}
