import Dispatch
import Foundation
import Synchronization

/// Whether the user or the system has asked the process to end: SIGINT or SIGTERM. The present step is finished and saved.
enum Interruption {
  private static let asked = Atomic(false)
  static var isAsked: Bool { asked.load(ordering: .relaxed) }

  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Lets the first signal ask for the end, and a second one end the process at once.
  static func watch() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        asked.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
      source.resume()
      sources.append(source)
    }
  }
}
