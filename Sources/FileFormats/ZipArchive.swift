import CZlib

/// A zip archive in memory: members by name, stored or deflated.
package struct ZipArchive {
  package struct Member {
    var method: Int
    var checksum: UInt32
    var compressedSize: Int
    var size: Int
    var headerOffset: Int
  }
  let bytes: [UInt8]
  let file: String
  package private(set) var members: [String: Member] = [:]

  /// Deflate shrinks at most about a thousandfold; a member that claims more lies.
  private static let maximumRatio = 1_032
  /// The bytes that all members together may unfold to beyond 20 times the file: numbers hardly shrink, and PyTorch stores them.
  private static let maximumInflated = 64 << 20

  package init(_ bytes: [UInt8], file: String) throws(FileError) {
    (self.bytes, self.file) = (bytes, file)
    let (count, start) = try directory()
    var reader = ByteReader(bytes, at: start, file: file)
    for _ in 0..<count {
      guard try reader.integer(4) == 0x0201_4b50 else { throw error("its zip directory is damaged") }
      try reader.skip(6)
      let method = try reader.integer(2)
      try reader.skip(4)
      let checksum = UInt32(try reader.integer(4))
      var sizes = [try reader.integer(4), try reader.integer(4)]
      let (nameLength, extraLength, commentLength) = (
        try reader.integer(2), try reader.integer(2), try reader.integer(2)
      )
      try reader.skip(8)
      sizes.append(try reader.integer(4))
      let name = try reader.string(nameLength)
      var extra = ByteReader(try reader.bytes(extraLength), file: file)
      while extra.offset + 4 <= extraLength {
        let (tag, length) = (try extra.integer(2), try extra.integer(2))
        var field = ByteReader(try extra.bytes(length), file: file)
        // Zip64: the sizes that did not fit, in the order uncompressed, compressed, offset.
        for index in [1, 0, 2] where tag == 1 && sizes[index] == 0xffff_ffff { sizes[index] = try field.integer(8) }
      }
      try reader.skip(commentLength)
      guard sizes.allSatisfy({ $0 >= 0 }), members[name] == nil else {
        throw error("its zip directory lists '\(name)' twice or with an impossible size")
      }
      members[name] = Member(
        method: method, checksum: checksum, compressedSize: sizes[0], size: sizes[1], headerOffset: sizes[2])
    }
  }

  /// The number of members and the byte at which their list begins.
  private func directory() throws(FileError) -> (count: Int, start: Int) {
    // The end record is 22 bytes and a comment of up to 65,535.
    var end = bytes.count - 22
    while end >= max(0, bytes.count - 22 - 65_535), !bytes[end...].starts(with: [0x50, 0x4b, 5, 6]) { end -= 1 }
    guard end >= 0, bytes[end...].starts(with: [0x50, 0x4b, 5, 6]) else {
      throw error(
        "is cut off: it ends at byte \(bytes.count), without the directory that ends a zip archive")
    }
    var reader = ByteReader(bytes, at: end + 10, file: file)
    var count = try reader.integer(2)
    try reader.skip(4)
    var start = try reader.integer(4)
    if count == 0xffff || start == 0xffff_ffff {
      reader = ByteReader(bytes, at: end - 20, file: file)
      guard try reader.integer(4) == 0x0706_4b50 else { throw error("its zip64 directory is missing") }
      try reader.skip(4)
      reader = ByteReader(bytes, at: try reader.integer(8), file: file)
      guard try reader.integer(4) == 0x0606_4b50 else { throw error("its zip64 directory is damaged") }
      try reader.skip(28)
      count = try reader.integer(8)
      try reader.skip(8)
      start = try reader.integer(8)
    }
    // An entry takes at least 46 bytes.
    guard count >= 0, count <= bytes.count / 46 else { throw error("its zip directory claims \(count) members") }
    return (count, start)
  }

  /// The content of the member `name`, of at most `limit` bytes.
  package func content(of name: String, limit: Int = .max) throws(FileError) -> [UInt8] {
    guard let member = members[name] else { throw error("has no member '\(name)'") }
    guard member.size <= limit else {
      throw error("member '\(name)' has \(member.size) bytes, at most \(limit) are expected")
    }
    var reader = ByteReader(bytes, at: member.headerOffset, file: file)
    guard try reader.integer(4) == 0x0403_4b50 else { throw error("member '\(name)' is not where its directory says") }
    try reader.skip(22)
    let lengths = (try reader.integer(2), try reader.integer(2))
    try reader.skip(lengths.0 + lengths.1)
    let packed = try reader.bytes(member.compressedSize)
    switch member.method {
    case 0:
      guard member.size == packed.count else {
        throw error("member '\(name)' is stored in \(packed.count) bytes, its directory says \(member.size)")
      }
      return packed
    case 8: return try inflated(packed, member, name)
    default: throw error("member '\(name)' is compressed by method \(member.method), not stored or deflated")
    }
  }

  private func inflated(_ packed: [UInt8], _ member: Member, _ name: String) throws(FileError) -> [UInt8] {
    guard member.size / Self.maximumRatio <= packed.count, packed.count <= Int(UInt32.max) else {
      throw error("member '\(name)' claims to unfold from \(packed.count) to \(member.size) bytes")
    }
    let all = members.values.reduce(into: 0.0) { $0 += $1.method == 8 ? Double($1.size) : 0 }
    guard all <= Double(Self.maximumInflated) + 20 * Double(bytes.count) else {
      throw error("claims to unfold to \(Int(all)) bytes in all, from \(bytes.count)")
    }
    var (source, stream) = (packed, z_stream())
    // Minus the window's bits: no zlib header around the data.
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw error("zlib does not start")
    }
    defer { inflateEnd(&stream) }
    var status = Z_OK
    let result = [UInt8](unsafeUninitializedCapacity: member.size + 1) { output, count in
      source.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(member.size + 1)  // one more, to notice a member that is longer than it says
        status = inflate(&stream, Z_FINISH)
      }
      count = Int(stream.total_out)
    }
    guard status == Z_STREAM_END, result.count == member.size, CRC32.of(result) == member.checksum else {
      throw error("member '\(name)' is damaged: it does not unfold to what its directory says")
    }
    return result
  }

  private func error(_ problem: String) -> FileError { FileError(problem, in: file) }

  // MARK: Writing

  /// An archive of `members`, stored as they are, dated as the format's first day so that equal members make equal bytes.
  ///
  /// - Precondition: Everything together is below 4 GiB, and there are fewer than 65,535 members.
  package static func stored(_ members: [(name: String, content: [UInt8])]) -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, content) in members {
      let name = Array(name.utf8)
      let checksum = Int(CRC32.of(content))
      // Version, flags, method, time and date, checksum, both sizes, lengths of the name and of nothing more.
      let description =
        number(20, 2) + number(0, 2) + number(0, 2) + number(0x0021_0000, 4) + number(checksum, 4)
        + number(content.count, 4)
        + number(content.count, 4) + number(name.count, 2) + number(0, 2)
      directory += number(0x0201_4b50, 4) + number(20, 2) + description + number(0, 10) + number(bytes.count, 4) + name
      bytes += number(0x0403_4b50, 4) + description + name + content
    }
    guard bytes.count < 1 << 32, members.count < 0xffff else {
      fatalError("a zip archive of \(members.count) members and \(bytes.count) bytes")
    }
    let start = bytes.count
    return bytes + directory + number(0x0605_4b50, 4) + number(0, 4) + number(members.count, 2)
      + number(members.count, 2) + number(directory.count, 4) + number(start, 4) + number(0, 2)
  }
}
