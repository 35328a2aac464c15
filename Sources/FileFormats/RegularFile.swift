import Foundation

/// Refuses what is no regular file: a pipe or a device may never end.
package func requireRegularFile(_ url: URL) throws(FileError) {
  let type = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)[.type]
  guard let type else { throw FileError("there is no such file", in: url.path) }
  guard type as? FileAttributeType != .typeDirectory else {
    throw FileError("is a folder, a file is wanted", in: url.path)
  }
  guard type as? FileAttributeType == .typeRegular else { throw FileError("no regular file", in: url.path) }
}

/// The bytes of the regular file at `url`, all or the first `limit`.
package func readFile(_ url: URL, upTo limit: Int? = nil) throws(FileError) -> [UInt8] {
  try requireRegularFile(url)
  do {
    guard let limit else { return [UInt8](try Data(contentsOf: url)) }
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    return [UInt8](try file.read(upToCount: limit) ?? Data())
  } catch {
    throw FileError("cannot be read: \(error.localizedDescription)", in: url.path)
  }
}
