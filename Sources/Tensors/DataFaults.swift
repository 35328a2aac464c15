import Synchronization

/// Faults of data, such as a label that is not one of the classes: they stop the program, but for those of a training loop, which
/// collects and throws them.
package final class DataFaults: Sendable {
  @TaskLocal private static var current: DataFaults?
  private let fault = Mutex<String?>(nil)

  package init() {}

  /// The first fault collected, nil where there was none.
  package var first: String? { fault.withLock { $0 } }

  /// The first fault that was collected so far by whoever collects here, nil where there was none.
  package static var pending: String? { current?.first }

  /// Runs `body` and collects its faults.
  package func collecting<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try Self.$current.withValue(self) { () -> Result<R, E> in
      do throws(E) { return .success(try body()) } catch { return .failure(error) }
    }.get()
  }

  /// Whether `condition` holds. Where it does not, the fault is collected, or stops the program where nothing collects it.
  package static func check(_ condition: Bool, _ message: @autoclosure () -> String) -> Bool {
    if condition { return true }
    guard let current else { fatalError(message()) }
    let message = message()
    current.fault.withLock { $0 = $0 ?? message }
    return false
  }
}
