import Foundation
import Synchronization

/// Whether the user or the system has asked the process to end: SIGINT, SIGTERM, or SIGUSR1, which `mpirun` hands on to all ranks
/// and lets them take their time for. The present step is finished and saved.
enum Interruption {
  private static let asked = Atomic(false)
  static var isAsked: Bool { asked.load(ordering: .relaxed) }

  /// Lets the first signal ask for the end, and a second one end the process at once, whatever it is at.
  ///
  /// The handler runs in the signal: a queue may have no thread to run on, where memory is out.
  static func watch() {
    // Made here, not in the handler.
    _ = isAsked
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        Interruption.asked.store(true, ordering: .relaxed)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
      }
    }
    signal(SIGUSR1) { _ in Interruption.asked.store(true, ordering: .relaxed) }
  }
}
