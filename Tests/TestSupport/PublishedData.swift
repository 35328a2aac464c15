import Foundation
import Testing

/// The published data sets and weights.
package enum PublishedData {
  /// The folder that holds them, where `ENCODENET_DATA` names it.
  package static let folder = ProcessInfo.processInfo.environment["ENCODENET_DATA"].flatMap {
    $0.isEmpty ? nil : URL(fileURLWithPath: $0)
  }

  /// The small files of kinds that users have: the folder `cases` beside ``folder``, where there is one.
  package static let cases: URL? = folder.map { $0.standardizedFileURL.deletingLastPathComponent() }
    .map { $0.appendingPathComponent("cases") }
    .flatMap { FileManager.default.fileExists(atPath: $0.path) ? $0 : nil }

  /// The folder that has `cifar-10-batches-bin`, `cifar-100-binary` and `mnist`: ``folder``, or where its script
  /// `unpack DEST SET…` has put the sets asked for.
  package static func unpacked(_ sets: String...) throws -> URL {
    let source = try #require(folder)
    if FileManager.default.fileExists(atPath: source.appendingPathComponent("cifar-10-batches-bin").path) {
      return source
    }
    let unpacked = FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/encodenet/data")
    // Other tests may be unpacking there too.
    try FileManager.default.createDirectory(at: unpacked, withIntermediateDirectories: true)
    let lock = open(unpacked.appendingPathComponent(".lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    defer { close(lock) }
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0, "\(unpacked.path) cannot be locked")
    let unpack = Process()
    unpack.executableURL = source.appendingPathComponent("unpack")
    unpack.arguments = [unpacked.path] + sets
    unpack.standardOutput = FileHandle.nullDevice
    try unpack.run()
    unpack.waitUntilExit()
    try #require(unpack.terminationStatus == 0, "\(source.path)/unpack failed")
    return unpacked
  }
}
