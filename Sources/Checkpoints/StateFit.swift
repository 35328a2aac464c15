import Foundation
import Layers

/// The fit of the weights in a file to a model, name by name.
public struct StateFit: Sendable {
  /// Names that both have, with one shape.
  public var matched: [String] = []
  /// The name in the file and the plain one, where a prefix was removed.
  public var renamed: [(from: String, to: String)] = []
  /// Names that the model has and the file has not.
  public var missing: [String] = []
  /// Names that the file has and the model has not.
  public var leftOver: [String] = []
  /// The names of another shape in the file than in the model, in PyTorch's layout.
  public var misshapen: [(name: String, found: Shape, wanted: Shape)] = []

  /// Whether the model could be loaded strictly.
  public var isExact: Bool { missing.isEmpty && leftOver.isEmpty && misshapen.isEmpty }

  /// The names that are missing, left over or of another shape, a line each; empty where all fits.
  public var problems: [String] {
    [
      ("missing", missing), ("left over", leftOver),
      ("of another shape", misshapen.map { "\($0.name) \($0.found), wanted \($0.wanted)" }),
    ].compactMap { what, names in
      guard !names.isEmpty else { return nil }
      let more = names.count > 20 ? ", \(names.count - 20) more" : ""
      return "\(what): \(names.prefix(20).joined(separator: ", "))\(more)"
    }
  }

  /// Compares the names of `file`, as they are there, with those of `model`.
  public init(of file: StateDictionary, to model: any Module) {
    let plain = file.withPlainNames
    let expected = model.stateDictionary
    for name in expected.keys.sorted() {
      guard let found = plain[name] else {
        missing.append(name)
        continue
      }
      if found.shape == expected[name]!.shape {
        matched.append(name)
      } else {
        misshapen.append((name, found.shape, expected[name]!.shape))
      }
    }
    leftOver = plain.keys.filter { expected[$0] == nil }.sorted()
    for (from, to) in file.plainNames.sorted(by: { $0.key < $1.key }) where from != to && expected[to] != nil {
      renamed.append((from, to))
    }
  }
}
