import Checkpoints
import Foundation

/// Saves the last checkpoints of a run beside each other, and the best one.
///
/// ```swift
/// let checkpoints = SavedCheckpoints(folder.appendingPathComponent("run"), count: 3)
/// if let newest = try checkpoints.newest() { try newest.restore(model, optimizer) }
/// // after each epoch:
/// try checkpoints.save(TrainingCheckpoint(model, optimizer, at: run.position), isBest: report.isBest)
/// ```
/// The newest is `run.safetensors`, those before it `run.1.safetensors` and so on, and the best `run.best.safetensors`.
/// Whenever the process ends, one of them is whole.
public struct SavedCheckpoints: Sendable {
  private let base: URL
  /// The number of checkpoints besides the best one.
  public let count: Int

  /// - Parameter base: The files' name without its ending, in a folder that is there.
  public init(_ base: URL, count: Int = 2) {
    require(count > 0, "SavedCheckpoints: count \(count)")
    (self.base, self.count) = (base, count)
  }

  /// The file of the checkpoint saved `age` saves ago.
  public func url(_ age: Int = 0) -> URL {
    base.appendingPathExtension(age == 0 ? "safetensors" : "\(age).safetensors")
  }
  /// The file of the best checkpoint.
  public var best: URL { base.appendingPathExtension("best.safetensors") }

  /// Saves a checkpoint as the newest one, and where it is the best so far as that too.
  ///
  /// - Throws: Where it cannot be written, as on a full disk; the checkpoints before are then as they were, but for the oldest.
  public func save(_ checkpoint: TrainingCheckpoint, isBest: Bool = false) throws(CheckpointError) {
    // A rename replaces what has the name; there is a moment without a newest file, but never one without any.
    for age in (1..<max(count, 1)).reversed() where FileManager.default.fileExists(atPath: url(age - 1).path) {
      guard rename(url(age - 1).path, url(age).path) == 0 else {
        throw CheckpointError("cannot be renamed to \(url(age).lastPathComponent)", in: url(age - 1).path)
      }
    }
    do { try checkpoint.save(to: url()) } catch {
      // Without room for a new one the last is the newest again.
      if count > 1 { rename(url(1).path, url().path) }
      throw error
    }
    if isBest { try checkpoint.save(to: best) }
  }

  /// Reads the newest checkpoint that is whole; nil where there is none.
  ///
  /// - Parameter warn: Called for each newer one that is damaged.
  /// - Throws: The error of the newest, where no other can be read either.
  public func newest(warn: (String) -> Void = { _ in }) throws(CheckpointError) -> TrainingCheckpoint? {
    var failure: CheckpointError?
    for age in 0..<count where FileManager.default.fileExists(atPath: url(age).path) {
      do {
        let checkpoint = try TrainingCheckpoint.load(url(age))
        if let failure { warn("\(failure); \(url(age).lastPathComponent), saved before it, is used") }
        return checkpoint
      } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return nil
  }

  /// Removes all but the newest checkpoint, once a run has ended.
  public func removeOlder() {
    for age in 1..<max(count, 1) { try? FileManager.default.removeItem(at: url(age)) }
  }
}

extension SavedCheckpoints {
  @available(*, deprecated, renamed: "init(_:count:)")
  public init(_ base: URL, keeping count: Int) { self.init(base, count: count) }
}

@available(*, deprecated, renamed: "SavedCheckpoints")
public typealias SavedStates = SavedCheckpoints
