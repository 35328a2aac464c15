/// A part of the names in a file that stands for another in a model, as `fc=linear` says it.
public struct Renaming: Sendable, Hashable, CustomStringConvertible {
  private let old: [Substring]
  private let new: [Substring]
  public let description: String

  /// Reads `OLD=NEW`: whole parts of names, which dots divide. An empty NEW removes OLD.
  ///
  /// - Throws: A ``CheckpointError`` where there is no `=`, or nothing before it.
  public init(_ description: String) throws(CheckpointError) {
    let sides = description.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2 else { throw CheckpointError("'\(description)' is no renaming: write OLD=NEW") }
    (old, new) = (sides[0].split(separator: "."), sides[1].split(separator: "."))
    guard !old.isEmpty else { throw CheckpointError("'\(description)' renames nothing: write OLD=NEW") }
    self.description = description
  }

  /// `name` with OLD replaced wherever it stands.
  public func applied(to name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    var (result, index): ([Substring], Int) = ([], 0)
    while index < parts.count {
      if parts[index...].starts(with: old) {
        result += new
        index += old.count
      } else {
        result.append(parts[index])
        index += 1
      }
    }
    return result.joined(separator: ".")
  }
}
