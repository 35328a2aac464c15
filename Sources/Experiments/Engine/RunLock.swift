import Foundation

/// Locks the folder of a run against other processes, until it is released or its process ends.
public final class RunLock {
  private let descriptor: Int32

  /// Locks `folder`, which is made where there is none.
  ///
  /// - Throws: Where another has locked it.
  public init(_ folder: URL) throws {
    let file = try ArtifactStore(folder).url("lock")
    descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ExperimentError("\(file.path): the lock cannot be made: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw Self.isTaken(folder) }
  }

  /// Throws where another process has locked `folder`, of which nothing is made.
  package static func requireFree(_ folder: URL) throws {
    let descriptor = open(folder.appendingPathComponent("lock").path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw isTaken(folder) }
  }

  private static func isTaken(_ folder: URL) -> ExperimentError {
    ExperimentError("\(folder.path): another process is at work in this folder: wait for it, or use another folder")
  }

  deinit { close(descriptor) }
}
