/// What was wrong with something given to an experiment or one of its stages, in one line that says what to do.
public struct ExperimentError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  /// An error with that message.
  public init(_ description: String) { self.description = description }
}
