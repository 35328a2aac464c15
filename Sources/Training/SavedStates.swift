import Checkpoints
import Foundation

/// The last states of a run beside each other, and the best one.
///
/// ```swift
/// let states = SavedStates(folder.appendingPathComponent("run"), keeping: 3)
/// if let state = try states.newest() { try state.restore(model, optimizer) }
/// // after each epoch:
/// try states.save(TrainingState(model, optimizer, at: run.position), isBest: report.isBest)
/// ```
/// The newest is `run.safetensors`, those before it `run.1.safetensors` and so on, and the best `run.best.safetensors`.
/// Whenever the process ends, one of them is whole.
public struct SavedStates: Sendable {
  private let base: URL
  /// How many of the last states are kept.
  public let count: Int

  /// - Parameter base: The files' name without its ending, in a folder that is there.
  public init(_ base: URL, keeping count: Int = 2) {
    require(count > 0, "SavedStates: \(count) states are kept")
    (self.base, self.count) = (base, count)
  }

  /// The file of the state saved `age` saves ago.
  public func url(_ age: Int = 0) -> URL {
    base.appendingPathExtension(age == 0 ? "safetensors" : "\(age).safetensors")
  }
  /// The file of the best state.
  public var best: URL { base.appendingPathExtension("best.safetensors") }

  /// Saves a state as the newest one, and where it is the best so far as that too.
  ///
  /// - Throws: Where it cannot be written, as on a full disk; the states before are then as they were, but for the oldest.
  public func save(_ state: TrainingState, isBest: Bool = false) throws(CheckpointError) {
    // A rename replaces what has the name; there is a moment without a newest file, but never one without any.
    for age in (1..<max(count, 1)).reversed() where FileManager.default.fileExists(atPath: url(age - 1).path) {
      guard rename(url(age - 1).path, url(age).path) == 0 else {
        throw CheckpointError("cannot be renamed to \(url(age).lastPathComponent)", in: url(age - 1).path)
      }
    }
    do { try state.save(to: url()) } catch {
      // Without room for a new one the last is the newest again.
      if count > 1 { rename(url(1).path, url().path) }
      throw error
    }
    if isBest { try state.save(to: best) }
  }

  /// The newest state that can be read; nil where there is none.
  ///
  /// - Parameter warn: Told of each newer one that is damaged.
  /// - Throws: Why the newest cannot be read, where no other can either.
  public func newest(warn: (String) -> Void = { _ in }) throws(CheckpointError) -> TrainingState? {
    var failure: CheckpointError?
    for age in 0..<count where FileManager.default.fileExists(atPath: url(age).path) {
      do {
        let state = try TrainingState.load(url(age))
        if let failure { warn("\(failure); \(url(age).lastPathComponent), saved before it, is used") }
        return state
      } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    return nil
  }

  /// Removes all but the newest state, once a run has ended.
  public func removeOlder() {
    for age in 1..<max(count, 1) { try? FileManager.default.removeItem(at: url(age)) }
  }
}
