import CDownloads
import Datasets
import FileFormats
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Fetches the files of published data sets, and resumes where an earlier attempt was cut off.
public struct Downloader: Sendable {
  /// The address to take the files from instead of the published one.
  public var mirror: String?
  /// The proxy to go through; nil for what the environment says (`https_proxy`, `no_proxy` and the like).
  public var proxy: String?
  /// The seconds without a byte that end an attempt.
  public var stallTimeout = 30
  /// The number of attempts in a row that may fail without a byte gained.
  public var attempts = 5
  /// The wait after the first failed attempt, in seconds; it doubles with each.
  var pause = 1.0

  public init(mirror: String? = nil, proxy: String? = nil) { (self.mirror, self.proxy) = (mirror, proxy) }

  @available(*, deprecated, renamed: "stallTimeout")
  public var patience: Int {
    get { stallTimeout }
    set { stallTimeout = newValue }
  }

  /// The progress of a download.
  public enum Event: Sendable, Equatable {
    /// The file was there before, and its checksum is right.
    case isThere(PublishedDataSet.File)
    /// A number of bytes of the file are there.
    case has(Int, of: PublishedDataSet.File)
    /// An attempt failed for this reason; another follows.
    case retries(PublishedDataSet.File, String)
    /// The file is there, and its checksum is right.
    case finished(PublishedDataSet.File)
  }

  /// Puts the files of `set` into its ``PublishedDataSet/folder`` of `folder`, which is made.
  ///
  /// Each grows as `NAME.part`, and takes its name once size and checksum are right; the `.part` of an earlier process is
  /// resumed.
  ///
  /// - Throws: Where a file cannot be had or written, where its checksum is wrong, where a file of its name has another
  ///   content, which is left as it is, or where another process is fetching it.
  public func fetch(
    _ set: PublishedDataSet, to folder: URL, onEvent: (Event) -> Void = { _ in }
  ) throws(DataError) {
    let folder = set.folder.isEmpty ? folder : folder.appendingPathComponent(set.folder)
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw DataError("the folder cannot be made: \(error.localizedDescription)", in: folder.path)
    }
    for file in set.files {
      var address = mirror ?? set.address
      while address.hasSuffix("/") { address.removeLast() }
      try fetch(file, from: "\(address)/\(file.name)", to: folder.appendingPathComponent(file.name), onEvent)
    }
  }

  private func fetch(
    _ file: PublishedDataSet.File, from address: String, to url: URL, _ onEvent: (Event) -> Void
  ) throws(DataError) {
    if FileManager.default.fileExists(atPath: url.path) {
      let there = try OpenFile(url, O_RDONLY)
      let found = try there.md5()
      guard found == file.md5 else {
        throw DataError("has the MD5 \(found), published is \(file.md5); move it away to fetch it again", in: url.path)
      }
      return onEvent(.isThere(file))
    }
    let part = try OpenFile(url.appendingPathExtension("part"), O_RDWR | O_CREAT)
    try part.lock()
    try transfer(file, from: address, to: part, onEvent)
    try part.sync()
    try part.rename(to: url)
    onEvent(.finished(file))
  }

  /// Completes `part`.
  private func transfer(
    _ file: PublishedDataSet.File, from address: String, to part: borrowing OpenFile, _ onEvent: (Event) -> Void
  ) throws(DataError) {
    var length = try part.length()
    // What one attempt brought is wrong at its server; what several brought may not fit together.
    var isPieced = length > 0
    var (failures, pieces, restarts) = (0, 0, 0)
    func restart(_ reason: String) throws(DataError) {
      restarts += 1
      guard restarts < attempts else { throw DataError(reason, in: address) }
      onEvent(.retries(file, reason))
      try part.empty()
      (length, isPieced) = (0, false)
    }
    if length > file.size { try restart("more than the published \(file.size) bytes are there") }
    var isEnd = length == file.size
    while true {
      if isEnd {
        let checksum = try part.md5()
        if length == file.size, checksum == file.md5 { return }
        let problem = "what came has \(length) bytes and the MD5 \(checksum), published is \(file.size) and \(file.md5)"
        guard isPieced else {
          try part.empty()
          throw DataError(problem, in: address)
        }
        try restart(problem)
      }
      let before = length
      let (outcome, problem) = part.fetch(address, proxy, from: length, upTo: file.size, stallTimeout) {
        onEvent(.has($0, of: file))
      }
      length = try part.length()
      isEnd = outcome == cd_done || length == file.size
      if isEnd { continue }
      // A server that gives a byte at a time and hangs up is not asked for ever.
      pieces += 1
      failures = length > before && pieces < 1_000 ? 0 : failures + 1
      switch outcome {
      case cd_no_range: try restart(problem)
      case cd_broken:
        guard failures < attempts else { throw DataError("\(problem), in \(failures) attempts", in: address) }
        onEvent(.retries(file, problem))
        isPieced = length > 0
        if failures > 0 { Thread.sleep(forTimeInterval: pause * Double(1 << min(failures - 1, 6))) }
      default: throw DataError(problem, in: address)
      }
    }
  }
}

/// A file that is open as long as this lives.
private struct OpenFile: ~Copyable {
  private let url: URL
  private let descriptor: Int32

  init(_ url: URL, _ flags: Int32) throws(DataError) {
    self.url = url
    // A pipe would wait for ever.
    descriptor = open(url.path, flags | O_CLOEXEC | O_NONBLOCK, 0o644)
    guard descriptor >= 0 else { throw Self.failure("open", url) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
      throw DataError("no regular file", in: url.path)
    }
  }

  deinit { close(descriptor) }

  private static func failure(_ action: String, _ url: URL) -> DataError {
    DataError("cannot \(action): \(String(cString: strerror(errno)))", in: url.path)
  }

  func lock() throws(DataError) {
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw DataError("another process is fetching it", in: url.path)
    }
  }

  func length() throws(DataError) -> Int {
    let end = lseek(descriptor, 0, SEEK_END)
    guard end >= 0 else { throw Self.failure("read", url) }
    return Int(end)
  }

  func empty() throws(DataError) {
    guard ftruncate(descriptor, 0) == 0 else { throw Self.failure("empty", url) }
  }

  func md5() throws(DataError) -> String {
    var digits = [CChar](repeating: 0, count: 33)
    guard cd_md5(descriptor, &digits) else { throw Self.failure("read", url) }
    return String(decoding: digits.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func sync() throws(DataError) {
    guard fsync(descriptor) == 0 else { throw Self.failure("sync", url) }
  }

  func rename(to other: URL) throws(DataError) {
    // Not over what another process put there meanwhile: a link fails where there is something.
    guard link(url.path, other.path) == 0 else { throw Self.failure("rename to \(other.path)", url) }
    unlink(url.path)
    syncFolder(of: other)
  }

  /// Appends the server's bytes from `from` on.
  func fetch(
    _ address: String, _ proxy: String?, from: Int, upTo size: Int, _ stallTimeout: Int, onProgress: (Int) -> Void
  ) -> (cd_outcome, problem: String) {
    withoutActuallyEscaping(onProgress) { onProgress in
      var onProgress = onProgress
      var problem = [CChar](repeating: 0, count: 512)
      let outcome = address.withCString { address in
        func fetch(_ proxy: UnsafePointer<CChar>?) -> cd_outcome {
          withUnsafeMutablePointer(to: &onProgress) { context in
            var request = cd_request(
              url: address, proxy: proxy, file: descriptor, from: Int64(from), size: Int64(size),
              stall_timeout: Int64(stallTimeout),
              progress: { context, bytes in
                context!.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(bytes))
              }, context: context)
            return cd_fetch(&request, &problem)
          }
        }
        return proxy.map { $0.withCString { fetch($0) } } ?? fetch(nil)
      }
      return (outcome, String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
  }
}
