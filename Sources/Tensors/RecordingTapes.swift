import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The tapes that record at this moment, on any thread.
///
/// A tape is active for its own task. An operation that another thread runs inside the scope of a gradient is on no tape: its
/// derivative would be missing without a word.
enum RecordingTapes {
  private static let count = Atomic<Int>(0)
  private static let tapes = Mutex<[GradientTape]>([])
  static let problem =
    "runs on another thread than the gradient around it, whose tape would not record it in order; compute on the thread of "
    + "the gradient, take gradients of its own on each thread, or use `detached` of a tensor that is only looked at"

  static func add(_ tape: GradientTape) {
    tapes.withLock { $0.append(tape) }
    count.wrappingAdd(1, ordering: .relaxed)
  }

  static func remove(_ tape: GradientTape) {
    count.wrappingSubtract(1, ordering: .relaxed)
    tapes.withLock { tapes in
      if let index = tapes.lastIndex(where: { $0 === tape }) { tapes.remove(at: index) }
    }
  }

  /// Stops where a tape of another thread tracks an input of an operation that no tape has recorded.
  ///
  /// One atomic load where only the tapes that are active for the operation record.
  /// - Parameter active: The number of those.
  static func check(_ operation: String, _ inputs: some Sequence<TensorID>, active: Int) {
    guard count.load(ordering: .relaxed) > active else { return }
    let others = tapes.withLock { $0.filter { !$0.isOnThisThread } }
    guard !others.isEmpty else { return }
    for id in inputs {
      require(!others.contains { $0.isTracking(id) }, "'\(operation)' \(problem)")
    }
  }
}

/// A number of the thread that asks.
var currentThread: UInt {
  #if canImport(Glibc)
    pthread_self()
  #else
    UInt(bitPattern: pthread_self())
  #endif
}
