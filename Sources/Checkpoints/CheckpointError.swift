/// What is wrong with a file of tensors, or with its fit to a model.
public struct CheckpointError: Error, Hashable, CustomStringConvertible {
  /// The file, or nil where the trouble lies with no file.
  public let file: String?
  /// Where in the file, what was found and what was wanted.
  public let problem: String

  /// An error about `file`.
  public init(_ problem: String, in file: String? = nil) { (self.problem, self.file) = (problem, file) }

  public var description: String { file.map { "\($0): \(problem)" } ?? problem }
}
