import Foundation

/// The settings that each arm of a run was scored on the test images with, beside its scores in the run's folder.
///
/// A run with other settings in the same folder would train other weights in the place of those that were scored, and could
/// then not score them: it is refused before it changes anything.
struct ScoredSettings {
  private static let name = "scored.json"
  /// An arm's settings by their paths.
  private typealias Settings = [String: String]

  private let all: Settings
  private let baselines: Settings
  private let seed: UInt64

  /// - Parameter baseline: The fingerprint of a given baseline's weights.
  init(
    _ configuration: ExperimentConfiguration, seed: UInt64, data: String, baseline: String?,
    normalization: Normalization
  ) throws {
    var plain = configuration
    // Where the data and the weights lay is of no consequence, nor is what looks at conversion afterwards.
    plain.baseline = nil
    var flat = try Self.flattened(plain)
    for key in flat.keys
    where ["data", "seeds", "arms", "judge", "auditImages"].contains(key.prefix { $0 != "." }.description) {
      flat[key] = nil
    }
    flat["the data"] = data
    if let baseline {
      flat["the given baseline's weights"] = baseline
      flat.merge(try Self.flattened(normalization).map { ("normalization.\($0.key)", $0.value) }) { $1 }
    }
    (all, self.seed) = (flat, seed)
    // Nothing else decides what the baseline becomes.
    let own: Set = [
      "model", "shortcut", "widthMultiplier", "subset", "splitSeed", "validationShare", "epochs", "learningRate",
      "batchSize", "weightDecay", "augmentation", "normalization", "the data", "the given baseline's weights",
    ]
    baselines = flat.filter { own.contains($0.key.prefix { $0 != "." }.description) }
  }

  private static func flattened(_ value: some Encodable) throws -> Settings {
    var result: Settings = [:]
    func flatten(_ value: Any, _ path: String) {
      switch value {
      case let object as [String: Any]:
        for (name, inner) in object { flatten(inner, path.isEmpty ? name : "\(path).\(name)") }
      case let list as [Any]:
        for (index, inner) in list.enumerated() { flatten(inner, "\(path).\(index)") }
      default: result[path] = "\(value)"
      }
    }
    flatten(try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)), "")
    return result
  }

  private func settings(of arm: Arm) throws -> Settings {
    (arm.isBaseline ? baselines : all).merging(try Self.flattened(arm).map { ("arms.\(arm.id).\($0.key)", $0.value) }) {
      $1
    }
  }

  private static func read(_ folder: URL) throws -> [String: Settings] {
    let url = folder.appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    do { return try JSONDecoder().decode([String: Settings].self, from: Data(contentsOf: url)) } catch {
      throw EncodeNetError(
        "\(url.path): is damaged, and nothing else tells with which settings this run was scored on the test images: remove "
          + "the folder \(folder.path) to train and score this seed anew")
    }
  }

  /// Refuses arms that the folder has scores of with other settings.
  func check(_ arms: [Arm], in folder: URL) throws {
    let scored = try Self.read(folder)
    for arm in arms {
      guard let before = scored[arm.id] else { continue }
      let now = try settings(of: arm)
      let differences = Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted().map {
        $0.hasPrefix("the ") ? "\($0) differ" : "\($0) was \(before[$0] ?? "not set") and is \(now[$0] ?? "not set")"
      }
      guard !differences.isEmpty else { continue }
      throw EncodeNetError(
        "\(folder.path): '\(arm.id)' was scored on the test images with other settings: "
          + "\(differences.prefix(5).joined(separator: ", "))\(differences.count > 5 ? " and \(differences.count - 5) more" : "")"
          + "; nothing was changed: give them as they were, or use another folder")
    }
  }

  /// Adds `arm` to what the folder says was scored.
  func add(_ arm: Arm, in store: StageStore) throws {
    var scored = try Self.read(store.folder)
    let now = try settings(of: arm)
    guard scored[arm.id] != now else { return }
    scored[arm.id] = now
    try store.write(scored, to: Self.name)
  }
}
