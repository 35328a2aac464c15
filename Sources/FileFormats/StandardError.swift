import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What is written to standard error.
package enum StandardError {
  /// Whether nothing is: of several ranks the first alone tells how it goes.
  package static var isSilent: Bool {
    get { silence.load(ordering: .relaxed) }
    set { silence.store(newValue, ordering: .relaxed) }
  }
  private static let silence = Atomic(false)
}

/// Writes `text` to standard error; what cannot be written there is lost, and ends nothing.
package func writeToStandardError(_ text: String) {
  if StandardError.isSilent { return }
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if written < 0, errno == EINTR { continue }
    guard written > 0 else { return }
    bytes = bytes.dropFirst(written)
  }
}
