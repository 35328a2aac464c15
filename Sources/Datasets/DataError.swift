/// What is wrong with images from outside, in one line: the file, the place in it, what was found and what was wanted.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file or folder, or nil where the trouble lies with none.
  public let file: String?
  /// Where in the file, what was found and what was wanted.
  public let problem: String

  /// An error about `file`.
  public init(_ problem: String, in file: String? = nil) { (self.problem, self.file) = (problem, file) }

  public var description: String { file.map { "\($0): \(problem)" } ?? problem }
}
