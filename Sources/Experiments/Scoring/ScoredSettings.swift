import Foundation

/// The settings that each arm of a run was scored on the test images with, beside its scores in the run's folder.
///
/// A run with other settings in the same folder would train other weights in the place of those that were scored, and could
/// then not score them: it is refused before it changes anything.
package struct ScoredSettings {
  private static let name = "scored.json"
  /// An arm's settings by their paths.
  package typealias Paths = [String: String]

  private let arms: [String: Paths]

  /// - Parameter arms: All that decides what an arm becomes, by its id.
  package init(_ arms: [String: Paths]) { self.arms = arms }

  /// Returns the encoded leaves of `value`, by path.
  package static func flattened(_ value: some Encodable, under prefix: String = "") throws -> Paths {
    var result: Paths = [:]
    func flatten(_ value: Any, _ path: String) {
      switch value {
      case let object as [String: Any]:
        for (name, inner) in object { flatten(inner, path.isEmpty ? name : "\(path).\(name)") }
      case let list as [Any]:
        for (index, inner) in list.enumerated() { flatten(inner, "\(path).\(index)") }
      default: result[path] = "\(value)"
      }
    }
    flatten(try JSONSerialization.jsonObject(with: JSONEncoder().encode(value), options: .fragmentsAllowed), prefix)
    return result
  }

  private static func read(_ folder: URL) throws -> [String: Paths] {
    let url = folder.appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    do { return try JSONDecoder().decode([String: Paths].self, from: Data(contentsOf: url)) } catch {
      throw ExperimentError(
        "\(url.path): is damaged, and nothing else tells with which settings this run was scored on the test images: remove "
          + "the folder \(folder.path) to train and score this seed again")
    }
  }

  /// Refuses arms that the folder has scores of with other settings.
  package func check(in folder: URL) throws {
    let scored = try Self.read(folder)
    for (id, now) in arms.sorted(by: { $0.key < $1.key }) {
      guard let before = scored[id] else { continue }
      let differences = Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted().map {
        $0.hasPrefix("the ") ? "\($0) differ" : "\($0) was \(before[$0] ?? "not set") and is \(now[$0] ?? "not set")"
      }
      guard !differences.isEmpty else { continue }
      throw ExperimentError(
        "\(folder.path): '\(id)' was scored on the test images with other settings: "
          + "\(differences.prefix(5).joined(separator: ", "))\(differences.count > 5 ? " and \(differences.count - 5) more" : "")"
          + "; nothing was changed: give them as they were, or use another folder")
    }
  }

  /// Adds the arm of that id to what the folder says was scored.
  package func add(_ id: String, in store: ArtifactStore) throws {
    var scored = try Self.read(store.folder)
    guard let now = arms[id], scored[id] != now else { return }
    scored[id] = now
    try store.write(scored, to: Self.name)
  }
}
