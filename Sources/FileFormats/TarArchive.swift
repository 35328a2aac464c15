import Foundation

/// Reads files out of a tar archive, gzipped or not.
///
/// Nothing is written to disk, so a name in the archive can lead nowhere; links, devices and extensions are skipped.
/// The format: a header of 512 bytes, with numbers as octal text, then the content, filled up to a multiple of 512 (POSIX.1,
/// "ustar").
package enum TarArchive {
  /// The bytes that an archive may unpack to, more than any published set: a bound on the time that an empty one can take.
  private static let maximumBytes = 1 << 28
  private static let block = 512

  /// The contents of the regular files in the archive, by the last part of their names.
  ///
  /// - Parameter limit: How many bytes the file of this name may have; nil skips it.
  package static func contents(of url: URL, limit: (String) -> Int?) throws(FileError) -> [String: [UInt8]] {
    var stream = try GzipStream(url)
    var contents: [String: [UInt8]] = [:]
    while true {
      let place = stream.offset
      func error(_ problem: String) -> FileError { FileError(problem, at: "byte \(place) unpacked", in: url.path) }
      let header = try stream.read(block)
      // Two blocks of zeros end an archive, and so does the file's end, but not in the middle of a block.
      if header.allSatisfy({ $0 == 0 }) && (header.isEmpty || header.count == block) { return contents }
      guard header.count == block else { throw error("the header of a file in the archive is cut off") }
      let checksum = header.indices.reduce(0) { $0 + Int((148..<156).contains($1) ? UInt8(ascii: " ") : header[$1]) }
      guard number(header[148..<156]) == checksum else {
        throw error(place == 0 ? "is no tar archive: its header's checksum is wrong" : "a header's checksum is wrong")
      }
      guard let size = number(header[124..<136]), size <= maximumBytes else {
        throw error("a file of impossible size in the archive")
      }
      let padded = (size + block - 1) / block * block
      guard stream.offset + padded <= maximumBytes else { throw error("unpacks to more than \(maximumBytes) bytes") }
      let name = String(decoding: header[..<100].prefix { $0 != 0 }, as: UTF8.self).split(separator: "/").last.map(
        String.init)
      // "0" or nothing: a regular file.
      guard [0, UInt8(ascii: "0")].contains(header[156]), let name, let maximum = limit(name) else {
        var rest = padded
        while rest > 0 {
          let skipped = try stream.read(min(rest, 1 << 20)).count
          guard skipped > 0 else { throw error("the file '\(name ?? "")' in the archive is cut off") }
          rest -= skipped
        }
        continue
      }
      guard size <= maximum else {
        throw error("the file '\(name)' has \(size) bytes, at most \(maximum) are expected")
      }
      guard contents[name] == nil else { throw error("the file '\(name)' is there twice") }
      let content = try stream.read(size)
      guard content.count == size, try stream.read(padded - size).count == padded - size else {
        throw error("the file '\(name)' in the archive is cut off")
      }
      contents[name] = content
    }
  }

  /// Octal digits, with blanks before and blanks or a zero after; nil for anything else.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == 0 }
    let digits = field.drop(while: blank).prefix { !blank($0) }
    guard digits.allSatisfy({ (48..<56).contains($0) }), field[digits.endIndex...].allSatisfy(blank) else { return nil }
    // At most twelve digits: they cannot overflow.
    return digits.reduce(0) { $0 << 3 | Int($1 - 48) }
  }
}
