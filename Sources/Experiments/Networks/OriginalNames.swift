/// The names that a file of weights has where a network of this library has plain ones.
public struct OriginalNames: Sendable, Codable, Hashable {
  /// The file's name for each plain one.
  public var names: [String: String]
  /// PyTorch's counts of the batches that norms have seen, which `load_state_dict` asks for and nothing depends on.
  public var counters: [String: Int]

  /// The names of a file's state; see ``loadNamedState(from:)``.
  public init(of state: StateDictionary) {
    names = [String: String](uniqueKeysWithValues: state.plainNames.map { ($0.value, $0.key) })
    counters = state.batchCounters
  }

  /// The names without their common prefix, as a network that is not wrapped has them.
  public var plain: OriginalNames {
    var plain = self
    let prefix = names.first.map { $0.value.dropLast($0.key.count) } ?? ""
    plain.names = [String: String](uniqueKeysWithValues: names.keys.map { ($0, $0) })
    plain.counters = [String: Int](
      counters.map { (String($0.key.hasPrefix(prefix) ? $0.key.dropFirst(prefix.count) : $0.key[...]), $0.value) },
      uniquingKeysWith: { $1 })
    return plain
  }

  /// `state` under the file's names; as it is where they are not those of all its tensors.
  func renaming(_ state: StateDictionary) -> StateDictionary {
    guard Set(state.keys) == Set(names.keys), isPossible else { return state }
    return StateDictionary(uniqueKeysWithValues: state.map { (names[$0.key]!, $0.value) })
  }

  /// Whether a file can have these names.
  var isPossible: Bool {
    let all = Array(names.values) + counters.keys
    return Set(all).count == all.count && !all.contains("__metadata__")
  }
}
