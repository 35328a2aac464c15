import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes `bytes` to `url` so that, whatever happens, the old file or the whole new one is there.
///
/// The bytes go to a file beside it, which is synced and takes the name; then the folder is synced.
/// - Throws: A ``FileError`` that names the file and the system's reason.
public func writeAtomically(_ bytes: [UInt8], to url: URL) throws(FileError) {
  let path = url.path
  func failure(_ action: String) -> FileError {
    FileError("cannot \(action): \(String(cString: strerror(errno)))", in: path)
  }
  let beside = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
  let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw failure("create a file beside it") }

  var problem = writeAll(bytes, to: descriptor) ? nil : failure("write")
  if problem == nil, fsync(descriptor) != 0 { problem = failure("sync") }
  if close(descriptor) != 0, problem == nil { problem = failure("close") }
  if problem == nil, rename(beside, path) != 0 { problem = failure("rename the finished file to it") }
  if let problem {
    unlink(beside)
    throw problem
  }
  syncFolder(of: url)
}

/// Syncs the folder of `url`, without which a power cut may lose the file's name, though its bytes are there.
package func syncFolder(of url: URL) {
  let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
  if folder >= 0 {
    fsync(folder)
    close(folder)
  }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  bytes.withUnsafeBytes { buffer in
    var done = 0
    while done < buffer.count {
      let written = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { return false }
      done += written
    }
    return true
  }
}
