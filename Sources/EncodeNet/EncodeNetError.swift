/// What was wrong with something given to a stage of EncodeNet, in one line that says what to do.
public struct EncodeNetError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  /// An error with that message.
  public init(_ description: String) { self.description = description }
}
