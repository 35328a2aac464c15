// C's `stdout` is a variable; nothing assigns to it.
#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#else
  @preconcurrency import Darwin
#endif

/// Standard input, output and error, which may be closed, full, or a pipe that nobody reads.
enum StandardStreams {
  nonisolated(unsafe) private static var outputIsClosed = false

  /// Opens those that are closed on nothing: the next file that the process opens would take their place, and be printed into.
  /// A reader that is gone is an error of the writing, which does not end the process.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      if descriptor == STDOUT_FILENO { outputIsClosed = true }
      let opened = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
      if opened >= 0, opened != descriptor {
        dup2(opened, descriptor)
        close(opened)
      }
    }
  }

  /// Writes out what was printed.
  ///
  /// - Returns: What went wrong, nil where all is written.
  static func flush() -> String? {
    errno = 0
    let isWritten = fflush(stdout) == 0 && ferror(stdout) == 0
    if outputIsClosed { return "standard output is closed: the result was not printed" }
    guard !isWritten else { return nil }
    let reason = errno == 0 ? "" : ": \(String(cString: strerror(errno)))"
    return "standard output cannot be written\(reason): the result is not, or not wholly, printed"
  }
}
