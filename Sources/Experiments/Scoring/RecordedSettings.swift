import Foundation

/// The settings that each arm of a run was begun with, and scored on the test images with, as files in the run's folder.
///
/// A run with other settings in the same folder would train other weights in the place of those there, and could not score
/// them where those were scored: it is refused before it changes anything.
package struct RecordedSettings {
  private enum Record: String, CaseIterable {
    case scored, begun

    var text: String { self == .scored ? "was scored on the test images" : "was begun" }
    var loss: String { self == .scored ? "this run was scored on the test images" : "the weights here were trained" }
  }
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

  private static func read(_ record: Record, _ folder: URL) throws -> [String: Paths] {
    let url = folder.appendingPathComponent("\(record).json")
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    do { return try JSONDecoder().decode([String: Paths].self, from: Data(contentsOf: url)) } catch {
      throw ExperimentError(
        "\(url.path): is damaged, and nothing else tells with which settings \(record.loss): remove "
          + "the folder \(folder.path) to train and score this seed again")
    }
  }

  /// Refuses arms that the folder has scores or weights of with other settings.
  package func check(in folder: URL) throws {
    guard FileManager.default.fileExists(atPath: folder.path) else { return }
    let files: [String]
    // A folder that cannot be listed may have weights all the same.
    do { files = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw ExperimentError("\(folder.path): the folder cannot be read: \(error.localizedDescription)")
    }
    for record in Record.allCases {
      let before = try Self.read(record, folder)
      for (id, now) in arms.sorted(by: { $0.key < $1.key }) {
        // An arm that was planned and has trained nothing may change.
        let hasWeights = files.contains { $0 == "\(id).safetensors" || $0.hasPrefix("\(id).state") }
        guard let before = before[id], record == .scored || hasWeights else { continue }
        let differences = Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted().map {
          $0.hasPrefix("the ") ? "\($0) differ" : "\($0) was \(before[$0] ?? "not set") and is \(now[$0] ?? "not set")"
        }
        guard !differences.isEmpty else { continue }
        throw ExperimentError(
          "\(folder.path): '\(id)' \(record.text) with other settings: \(differences.prefix(5).joined(separator: ", "))"
            + "\(differences.count > 5 ? " and \(differences.count - 5) more" : "")"
            + "; nothing was changed: give them as they were, use another folder, or remove this one")
      }
    }
  }

  package func begin(in store: ArtifactStore) throws {
    let before = try Self.read(.begun, store.folder)
    let now = before.merging(arms) { $1 }
    if now != before { try store.write(now, to: "\(Record.begun).json") }
  }

  package func score(_ id: String, in store: ArtifactStore) throws {
    var scored = try Self.read(.scored, store.folder)
    guard let now = arms[id], scored[id] != now else { return }
    scored[id] = now
    try store.write(scored, to: "\(Record.scored).json")
  }
}
