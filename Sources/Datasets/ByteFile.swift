import CZlib
import Foundation

/// The bytes of a file, or of what it unpacks to where it is gzipped, never more than `limit`.
func readBytes(_ url: URL, limit: Int) throws(DataError) -> [UInt8] {
  guard let file = gzopen(url.path, "rb") else { throw DataError("the file cannot be opened", in: url.path) }
  defer { gzclose(file) }
  var bytes: [UInt8] = []
  let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 20)
  defer { chunk.deallocate() }
  while true {
    let count = gzread(file, chunk.baseAddress!, UInt32(chunk.count))
    guard count >= 0 else {
      var code: Int32 = 0
      let text = gzerror(file, &code).map { String(cString: $0) } ?? "it cannot be read"
      throw DataError("damaged after \(bytes.count) bytes: \(text)", in: url.path)
    }
    if count == 0 { break }
    guard bytes.count + Int(count) <= limit else {
      throw DataError("more than the \(limit) bytes that were expected", in: url.path)
    }
    bytes.append(contentsOf: UnsafeBufferPointer(start: chunk.baseAddress!, count: Int(count)))
  }
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
