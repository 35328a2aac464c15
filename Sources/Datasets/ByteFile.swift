import CZlib
import Foundation

/// Refuses what is no regular file: a pipe or a device may never end.
func requireRegularFile(_ url: URL) throws(DataError) {
  let type = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)[.type]
  guard let type else { throw DataError("there is no such file", in: url.path) }
  guard type as? FileAttributeType == .typeRegular else { throw DataError("no regular file", in: url.path) }
}

/// The bytes of a file, or of what it unpacks to where it is gzipped.
///
/// - Parameters:
///   - limit: More are an error.
///   - isPrefix: Reads only the first `limit` bytes, where there are more.
func readBytes(_ url: URL, limit: Int, isPrefix: Bool = false) throws(DataError) -> [UInt8] {
  try requireRegularFile(url)
  guard let file = gzopen(url.path, "rb") else { throw DataError("the file cannot be opened", in: url.path) }
  defer { gzclose(file) }
  var bytes: [UInt8] = []
  // One byte more than the limit shows that there are more.
  let most = isPrefix ? limit : limit + 1
  var chunk = [UInt8](repeating: 0, count: min(most, 1 << 20))
  while bytes.count < most {
    let count = gzread(file, &chunk, UInt32(min(chunk.count, most - bytes.count)))
    guard count >= 0 else {
      var code: Int32 = 0
      let text = gzerror(file, &code).map { String(cString: $0) } ?? "it cannot be read"
      throw DataError("damaged after \(bytes.count) bytes: \(text)", in: url.path)
    }
    if count == 0 { break }
    bytes += chunk[..<Int(count)]
  }
  if isPrefix { return bytes }
  if bytes.count > limit { throw DataError("more than the \(limit) bytes that were expected", in: url.path) }
  // The end of a gzipped file that was cut off shows only now.
  var code: Int32 = 0
  _ = gzerror(file, &code)
  guard code == Z_OK || code == Z_STREAM_END else {
    throw DataError("ends early, after \(bytes.count) bytes unpacked", in: url.path)
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
