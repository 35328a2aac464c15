/// An error in something given to an experiment or one of its stages: one line, with a remedy.
public struct ExperimentError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  /// An error with that message.
  public init(_ description: String) { self.description = description }
}
