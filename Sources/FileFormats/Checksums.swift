import CZlib

/// The CRC-32 of gzip, zip and PNG, over parts that come one after the other.
package struct CRC32 {
  /// The checksum of all parts so far.
  package private(set) var value: UInt32 = 0

  package init() {}

  /// Adds `bytes`.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    // zlib counts in 32 bits.
    for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 1 << 30, bytes.count)])
      value = UInt32(crc32(UInt(value), part.bindMemory(to: UInt8.self).baseAddress, UInt32(part.count)))
    }
  }

  /// The checksum of `bytes`.
  package static func of(_ bytes: [UInt8]) -> UInt32 {
    var checksum = CRC32()
    bytes.withUnsafeBytes { checksum.append($0) }
    return checksum.value
  }
}

/// The CRC-32C (Castagnoli) of `bytes`.
package func crc32c(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
  }
}
