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

/// The first `limit` bytes of the regular file at `path`, in one call where the system tells its length: for many files.
package func readFile(path: String, upTo limit: Int) throws(FileError) -> [UInt8] {
  // A pipe is opened without a wait for its other end, and seen to be none.
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  defer { if descriptor >= 0 { close(descriptor) } }
  var status = stat()
  let isRegular = descriptor >= 0 && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  let size = min(limit, Int(status.st_size))
  // What is none, or has no length as the kernel's own files, or cannot be read, is read or refused below.
  guard isRegular, size > 0 else { return try readFile(URL(fileURLWithPath: path), upTo: limit) }
  var problem: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
    while count < size {
      let taken = read(descriptor, bytes.baseAddress! + count, size - count)
      if taken < 0, errno == EINTR { continue }
      if taken < 0 { problem = errno }
      guard taken > 0 else { break }
      count += taken
    }
  }
  guard problem == 0 else { throw FileError("cannot be read: \(String(cString: strerror(problem)))", in: path) }
  return bytes
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
