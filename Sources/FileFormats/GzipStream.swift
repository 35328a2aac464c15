import CZlib
import Foundation

/// Reads a file from its start, and unpacks it where it is gzipped.
package struct GzipStream: ~Copyable {
  private let file: gzFile
  private let path: String
  /// The number of bytes read so far, as they are unpacked.
  package private(set) var offset = 0

  package init(_ url: URL) throws(FileError) {
    try requireRegularFile(url)
    guard let file = gzopen(url.path, "rb") else { throw FileError("the file cannot be opened", in: url.path) }
    (self.file, self.path) = (file, url.path)
  }

  deinit { gzclose(file) }

  /// The next `count` bytes, or those up to the end.
  package mutating func read(_ count: Int) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    // By pieces: a file may promise more than it holds.
    var chunk = [UInt8](repeating: 0, count: min(count, 1 << 20))
    while bytes.count < count {
      let read = gzread(file, &chunk, UInt32(min(chunk.count, count - bytes.count)))
      guard read >= 0 else {
        var code: Int32 = 0
        let text = gzerror(file, &code).map { String(cString: $0) } ?? "it cannot be read"
        throw FileError("damaged: \(text)", at: "byte \(offset) unpacked", in: path)
      }
      if read == 0 {
        // The end of a gzipped file that was cut off shows only now.
        var code: Int32 = 0
        _ = gzerror(file, &code)
        guard code == Z_OK || code == Z_STREAM_END else {
          throw FileError("ends early", at: "byte \(offset) unpacked", in: path)
        }
        break
      }
      bytes += chunk[..<Int(read)]
      offset += Int(read)
    }
    return bytes
  }
}

/// Reads the bytes of a file, unpacked where it is gzipped.
///
/// - Parameters:
///   - limit: The number of bytes, beyond which there is an error.
///   - isPrefix: Whether to read the first `limit` bytes of a longer file instead.
package func readUnpacked(_ url: URL, limit: Int, isPrefix: Bool = false) throws(FileError) -> [UInt8] {
  var stream = try GzipStream(url)
  // One byte more than the limit shows that there are more.
  let bytes = try stream.read(isPrefix ? limit : limit + 1)
  guard bytes.count <= limit else {
    throw FileError("more than the \(limit) bytes that were expected", in: url.path)
  }
  return bytes
}
