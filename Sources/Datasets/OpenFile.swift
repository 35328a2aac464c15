import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is open as long as this lives: read at any place by any thread, or written by one.
final class OpenFile: Sendable {
  let path: String
  /// The size in bytes when it was opened.
  let size: Int
  private let descriptor: Int32
  private let isTemporary: Bool

  /// The file at `path`, nil where it cannot be opened.
  init?(reading path: String) {
    // What is no file, such as a pipe, is not waited for.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var status = stat()
    guard descriptor >= 0 else { return nil }
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    (self.path, size, isTemporary) = (path, Int(status.st_size), false)
    guard isFile else { return nil }
  }

  /// A new file, removed at the end unless it is renamed, and locked meanwhile.
  init(writing path: String) throws(DataError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    (self.path, size, isTemporary) = (path, 0, true)
    guard descriptor >= 0 else { throw Self.failure("create it", path) }
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    // Gone already where it was renamed.
    if isTemporary { unlink(path) }
  }

  /// The `count` bytes at `offset`.
  func bytes(_ offset: Int, _ count: Int) throws(DataError) -> [UInt8] {
    guard offset >= 0, count >= 0 else { throw DataError("ends early", in: path) }
    var (done, problem) = (0, DataError?.none)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while done < count {
        let read = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
        if read < 0, errno == EINTR { continue }
        guard read > 0 else {
          problem =
            read < 0
            ? Self.failure("read", path) : DataError("ends early", wanted: "\(offset + count) bytes", in: path)
          break
        }
        done += read
      }
      initialized = done
    }
    if let problem { throw problem }
    return bytes
  }

  func append(_ bytes: [UInt8]) throws(DataError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure("write", path) }
      done += written
    }
  }

  /// Syncs the file and gives it another name.
  func rename(to name: String) throws(DataError) {
    guard fsync(descriptor) == 0 else { throw Self.failure("sync", path) }
    guard Self.rename(path, name) == 0 else { throw Self.failure("rename the finished file to it", name) }
  }

  private static func rename(_ old: String, _ new: String) -> Int32 {
    #if canImport(Glibc)
      Glibc.rename(old, new)
    #elseif canImport(Musl)
      Musl.rename(old, new)
    #else
      Darwin.rename(old, new)
    #endif
  }

  /// Removes a temporary file whose process is gone.
  static func removeUnlessInUse(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
    close(descriptor)
  }

  /// The size and the time of the last change of a file, which tell whether it is the same.
  static func state(_ path: String) -> [Int] {
    var status = stat()
    guard stat(path, &status) == 0 else { return [] }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return [Int(status.st_size), Int(time.tv_sec), Int(time.tv_nsec)]
  }

  /// The free bytes of the file system that `path` is in, nil where that is not known.
  static func freeBytes(at path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
  }

  private static func failure(_ action: String, _ path: String) -> DataError {
    DataError("cannot \(action): \(String(cString: strerror(errno)))", in: path)
  }
}
