/// A file or data from outside that is not what it should be, or a file that cannot be written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, folder or address, or nil where the trouble lies with none.
  public let file: String?
  /// The place in the file, such as `byte 12` or `tensor 'x'`, or nil where `found` says it.
  public let place: String?
  /// The content that was found, or the trouble.
  public let found: String
  /// The content that was wanted, or nil where `found` says it.
  public let wanted: String?

  /// An error about `file`.
  public init(_ found: String, wanted: String? = nil, at place: String? = nil, in file: String? = nil) {
    (self.file, self.place, self.found, self.wanted) = (file, place, found, wanted)
  }

  /// The place, what was found and what was wanted, in one line.
  public var problem: String {
    (place.map { "\($0): " } ?? "") + found + (wanted.map { ", wanted \($0)" } ?? "")
  }

  public var description: String { file.map { "\($0): \(problem)" } ?? problem }

  /// The same error about `file`.
  package func located(in file: String?) -> FileError { FileError(found, wanted: wanted, at: place, in: file) }
}
