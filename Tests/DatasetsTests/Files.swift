import CZlib
import Foundation

@testable import Datasets

extension URL {
  /// Writes `bytes` to the file `name` in this folder; the folders on its way are made.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }
}

extension [UInt8] {
  /// As a gzip file.
  var gzipped: [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var out = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(count))))
    var input = self
    let size = input.withUnsafeMutableBufferPointer { input in
      out.withUnsafeMutableBufferPointer { out in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (out.baseAddress, UInt32(out.count))
        deflate(&stream, Z_FINISH)
        return out.count - Int(stream.avail_out)
      }
    }
    return Array(out.prefix(size))
  }
}

/// A tar archive of `files`, as `tar --format=ustar` writes it.
func tarArchive(_ files: [(name: String, content: [UInt8])]) -> [UInt8] {
  files.flatMap { tarHeader($0.name, size: $0.content.count) + $0.content + padding($0.content.count) }
    + [UInt8](repeating: 0, count: 1024)
}

func tarHeader(_ name: String, size: Int, type: Character = "0") -> [UInt8] {
  func octal(_ value: Int, _ digits: Int) -> [UInt8] {
    let text = String(value, radix: 8)
    return Array((String(repeating: "0", count: digits - text.count) + text).utf8) + [0]
  }
  var header = [UInt8](repeating: 0, count: 512)
  func put(_ bytes: [UInt8], _ place: Int) { header.replaceSubrange(place..<place + bytes.count, with: bytes) }
  put(Array(name.utf8), 0)
  put(octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(1_245_153_600, 11), 100)
  put(Array("        \(type)".utf8), 148)
  put(Array("ustar\u{0}00".utf8), 257)
  put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [UInt8(ascii: " ")], 148)
  return header
}

private func padding(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (512 - count % 512) % 512) }
