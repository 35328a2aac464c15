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

  /// The names that `weights` has in its file; `tensors` are all of its map.
  public init(of weights: FittedWeights, _ tensors: StateDictionary) {
    names = weights.fit.origins
    counters = tensors.batchCounters.filter { $0.key.hasPrefix(weights.fit.prefix) }
  }

  /// The names without their common prefix, as a network that is not wrapped has them.
  public var plain: OriginalNames {
    var plain = self
    // Some may have other names than the network's, behind the same prefix.
    let prefix = names.first { $0.value.hasSuffix($0.key) }.map { $0.value.dropLast($0.key.count) } ?? ""
    plain.names = [String: String](uniqueKeysWithValues: names.keys.map { ($0, $0) })
    plain.counters = [String: Int](
      counters.map { (String($0.key.hasPrefix(prefix) ? $0.key.dropFirst(prefix.count) : $0.key[...]), $0.value) },
      uniquingKeysWith: { $1 })
    return plain
  }

  /// The tensors of a file with these names under the network's; nil where it has others.
  func plainState(of file: StateDictionary) -> StateDictionary? {
    let state = names.compactMapValues { file[$0] }
    return state.count == names.count && !state.isEmpty ? state : nil
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
