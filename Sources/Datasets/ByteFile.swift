import CZlib
import Foundation

/// Refuses what is no regular file: a pipe or a device may never end.
func requireRegularFile(_ url: URL) throws(DataError) {
  let type = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)[.type]
  guard let type else { throw DataError("there is no such file", in: url.path) }
  guard type as? FileAttributeType == .typeRegular else { throw DataError("no regular file", in: url.path) }
}

/// A file read from its start, unpacked on the way where it is gzipped.
struct ByteStream: ~Copyable {
  private let file: gzFile
  private let path: String
  /// How many bytes were read so far, as they are unpacked.
  private(set) var offset = 0

  init(_ url: URL) throws(DataError) {
    try requireRegularFile(url)
    guard let file = gzopen(url.path, "rb") else { throw DataError("the file cannot be opened", in: url.path) }
    (self.file, self.path) = (file, url.path)
  }

  deinit { gzclose(file) }

  /// The next `count` bytes, or those up to the end.
  mutating func read(_ count: Int) throws(DataError) -> [UInt8] {
    var bytes: [UInt8] = []
    // By pieces: a file may promise more than it holds.
    var chunk = [UInt8](repeating: 0, count: min(count, 1 << 20))
    while bytes.count < count {
      let read = gzread(file, &chunk, UInt32(min(chunk.count, count - bytes.count)))
      guard read >= 0 else {
        var code: Int32 = 0
        let text = gzerror(file, &code).map { String(cString: $0) } ?? "it cannot be read"
        throw DataError("damaged after \(offset) bytes: \(text)", in: path)
      }
      if read == 0 {
        // The end of a gzipped file that was cut off shows only now.
        var code: Int32 = 0
        _ = gzerror(file, &code)
        guard code == Z_OK || code == Z_STREAM_END else {
          throw DataError("ends early, after \(offset) bytes unpacked", in: path)
        }
        break
      }
      bytes += chunk[..<Int(read)]
      offset += Int(read)
    }
    return bytes
  }
}

/// The bytes of a file, or of what it unpacks to where it is gzipped.
///
/// - Parameters:
///   - limit: More are an error.
///   - isPrefix: Reads only the first `limit` bytes, where there are more.
func readBytes(_ url: URL, limit: Int, isPrefix: Bool = false) throws(DataError) -> [UInt8] {
  var stream = try ByteStream(url)
  // One byte more than the limit shows that there are more.
  let bytes = try stream.read(isPrefix ? limit : limit + 1)
  guard bytes.count <= limit else {
    throw DataError("more than the \(limit) bytes that were expected", in: url.path)
  }
  return bytes
}

/// The first of `names` that is in `folder`.
func find(_ names: [String], in folder: URL, for what: String) throws(DataError) -> URL {
  for name in names {
    let url = folder.appendingPathComponent(name)
    if FileManager.default.fileExists(atPath: url.path) { return url }
  }
  throw DataError("\(what) not found: there is no \(names.joined(separator: " or "))", in: folder.path)
}
