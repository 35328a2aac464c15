import Foundation
import Layers

/// The fit of the weights in a file to a model, name by name.
///
/// A prefix that the weights share in the file, such as `module.`, is removed; what stands outside it is no part of the
/// network. `fc` and `downsample` of torchvision's networks stand for `linear` and `shortcut` where the model has these.
public struct StateFit: Sendable {
  /// Names that both have, with one shape.
  public var matched: [String] = []
  /// The name in the file and the model's, where they differ.
  public var renamed: [(from: String, to: String)] = []
  /// Names that the model has and the file has not.
  public var missing: [String] = []
  /// Names that the file has among those of the network and the model has not.
  public var leftOver: [String] = []
  /// Names in the file that belong to something beside the network, such as a loss.
  public var outside: [String] = []
  /// The names of another shape in the file than in the model, in PyTorch's layout.
  public var misshapen: [(name: String, found: Shape, wanted: Shape)] = []
  /// Whether the network is all there, and what is left over has names that no part of it would have.
  public private(set) var isComplete = false
  /// The prefix of the network's names in the file.
  public private(set) var prefix = ""
  /// The file's name for each of the model's that it has.
  public private(set) var origins: [String: String] = [:]

  /// Whether every name of the network in the file is one of the model's and every one of the model's is there.
  public var isExact: Bool { missing.isEmpty && leftOver.isEmpty && misshapen.isEmpty }

  /// The names that are missing, left over or of another shape, a line each; empty where all fits.
  public var problems: [String] {
    [
      ("missing", missing), ("left over", leftOver),
      ("of another shape", misshapen.map { "\($0.name) \($0.found), wanted \($0.wanted)" }),
    ].compactMap { what, names in names.isEmpty ? nil : "\(what): \(names.listed)" }
  }

  /// Compares the names of `file`, as they are there, with those of `model`.
  public init(of file: StateDictionary, to model: any Module, renaming: [Renaming] = []) {
    self = Self.candidates(of: file.mapValues(\.shape), to: model.stateShapes, renaming: renaming)[0]
  }

  /// The tensors of `file` under the model's names.
  public func state(from file: StateDictionary) -> StateDictionary {
    StateDictionary(uniqueKeysWithValues: matched.map { ($0, file[origins[$0]!]!) })
  }

  // MARK: Finding the names

  /// A name in the file, and as renamings and the removal of wrappers leave it.
  private typealias Name = (original: String, current: String)

  /// What PyTorch's wrappers put into names.
  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]
  private static let synonyms: [Substring: Substring] = ["fc": "linear", "downsample": "shortcut"]

  /// The fits by each prefix that may be the network's, the best first; at least one.
  static func candidates(
    of file: [String: Shape], to expected: [String: Shape], renaming: [Renaming] = []
  ) -> [StateFit] {
    let names: [Name] = file.keys.filter { !$0.hasSuffix("num_batches_tracked") }.sorted()
      .map { original in (original, renaming.reduce(original) { $1.applied(to: $0) }) }
    var fits = fits(of: names, file, expected)
    if !fits[0].isComplete {
      // Half of the names may be wrapped, or a part of the network alone; and JAX divides names by slashes.
      let unwrapped: [Name] = names.map { name in
        let parts = name.current.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
        return (name.original, parts.filter { !wrappers.contains($0) }.joined(separator: "."))
      }
      if Set(unwrapped.map(\.current)).count == unwrapped.count {
        let others = Self.fits(of: unwrapped, file, expected)
        if others[0].isBetter(than: fits[0]) { fits = others }
      }
    }
    return fits
  }

  private static func fits(
    of names: [Name], _ file: [String: Shape], _ expected: [String: Shape]
  ) -> [StateFit] {
    var counts: [String: Int] = [:]
    for name in names {
      var (prefix, rest) = ("", name.current[...])
      // Deeper than any wrapper; a name may be a long row of dots.
      for _ in 0..<8 {
        if target(of: String(rest), expected) != nil { counts[prefix, default: 0] += 1 }
        guard let dot = rest.firstIndex(of: ".") else { break }
        prefix += rest[...dot]
        rest = rest[rest.index(after: dot)...]
      }
    }
    let prefixes = counts.sorted { ($1.value, $0.key.count, $0.key) < ($0.value, $1.key.count, $1.key) }.prefix(8)
    let fits = (prefixes.isEmpty ? [""] : prefixes.map(\.key)).map { StateFit(names, $0, file, expected) }
    return fits.sorted { $0.isBetter(than: $1) }
  }

  /// Whether more of the model's names are in the file by this fit, or as many with more of the shapes.
  func isBetter(than other: StateFit) -> Bool {
    let (own, others) = (self.rank, other.rank)
    return own == others ? prefix < other.prefix : own.lexicographicallyPrecedes(others)
  }
  private var rank: [Int] { [-origins.count, -matched.count, leftOver.count, prefix.utf8.count] }

  /// The model's name that `name` stands for.
  private static func target(of name: String, _ expected: [String: Shape]) -> String? {
    if expected[name] != nil { return name }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.contains(where: { synonyms[$0] != nil }) else { return nil }
    let renamed = parts.map { synonyms[$0] ?? $0 }.joined(separator: ".")
    return expected[renamed] == nil ? nil : renamed
  }

  private init(_ names: [Name], _ prefix: String, _ file: [String: Shape], _ expected: [String: Shape]) {
    self.prefix = prefix
    var unclaimed: [Name] = []
    for (original, current) in names {
      guard current.hasPrefix(prefix) else {
        outside.append(original)
        continue
      }
      let rest = String(current.dropFirst(prefix.count))
      // A name's own tensor goes before that of a synonym.
      if expected[rest] != nil, origins[rest] == nil {
        origins[rest] = original
      } else {
        unclaimed.append((original, rest))
      }
    }
    for (original, rest) in unclaimed {
      if let target = Self.target(of: rest, expected), origins[target] == nil {
        origins[target] = original
      } else {
        leftOver.append(rest)
      }
    }
    for (name, shape) in expected.sorted(by: { $0.key < $1.key }) {
      guard let original = origins[name] else {
        missing.append(name)
        continue
      }
      if original != name { renamed.append((original, name)) }
      if file[original]! == shape {
        matched.append(name)
      } else {
        misshapen.append((name, file[original]!, shape))
      }
    }
    leftOver.sort()
    let stems = Set(expected.keys.map(Self.stem) + Self.synonyms.keys.map(String.init))
    isComplete = missing.isEmpty && misshapen.isEmpty && !leftOver.contains { stems.contains(Self.stem(of: $0)) }
  }

  /// The first part of a name without its number: `layer` of `layer4.0.conv1.weight`.
  private static func stem(of name: String) -> String {
    var first = name.prefix { $0 != "." }
    while first.last?.isNumber == true { first.removeLast() }
    return String(first)
  }
}

extension Array where Element == String {
  /// The first of these names, and the number of the rest.
  var listed: String {
    prefix(20).map { $0.escaped() }.joined(separator: ", ") + (count > 20 ? ", \(count - 20) more" : "")
  }
}
