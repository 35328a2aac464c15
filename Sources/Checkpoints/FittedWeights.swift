import FileFormats
import Layers

/// The weights of a file that fit a model, or fit it best.
public struct FittedWeights {
  /// The file.
  public let file: WeightsFile
  /// The map that was taken.
  public let map: WeightsFile.Map
  /// The fit of its names.
  public let fit: StateFit
  /// The places of other weights that fit as well, an average for example.
  public let alternatives: [String]

  /// The place of the weights in the file: the keys of the map and the prefix of the names in it.
  public var place: String { Self.place(map, fit) }

  fileprivate static func place(_ map: WeightsFile.Map, _ fit: StateFit) -> String {
    [map.path, String(fit.prefix.dropLast())].filter { !$0.isEmpty }.joined(separator: ".")
  }

  /// The tensors under the model's names.
  ///
  /// - Throws: Where they do not fit, with all names, or have values that are NaN or infinite.
  public func state() throws(CheckpointError) -> StateDictionary {
    guard fit.isComplete else { throw CheckpointError(misfit, in: file.file) }
    let state = fit.state(from: try map.tensors())
    try state.requireUnquantized(in: file.file)
    try state.requireFinite(in: file.file)
    return state
  }

  /// What does not fit, in one line.
  var misfit: String {
    let at = place.isEmpty ? "" : " at '\(place.escaped())'"
    let unread = map.unread.isEmpty ? [] : ["left unread: \(map.unread.listed)"]
    return "the weights\(at) do not fit the model: \((fit.problems + unread + file.notes).joined(separator: "; "))"
  }

  /// What a user must know of the choice: the place, the prefix, what was left over or unread; a line each.
  public var notes: [String] {
    var notes = file.notes
    if !map.path.isEmpty { notes.append("the weights are those under '\(map.path.escaped())'") }
    if !alternatives.isEmpty {
      notes.append("weights that fit as well were not taken (--map takes them): \(alternatives.listed)")
    }
    if !fit.prefix.isEmpty { notes.append("the prefix '\(fit.prefix.escaped())' was removed from their names") }
    let leftOver = fit.outside + (fit.isComplete ? fit.leftOver : [])
    if !leftOver.isEmpty { notes.append("left over, outside the network: \(leftOver.listed)") }
    if !map.unread.isEmpty { notes.append("left unread: \(map.unread.listed)") }
    return notes
  }
}

extension WeightsFile {
  /// The one map of tensors that fits `model`; where none does, that which fits best.
  ///
  /// - Parameters:
  ///   - path: The place of the weights, where several fit: that of a map, or with the prefix of the names in it.
  ///   - renaming: Applied to the names in the file first.
  /// - Throws: Where several fit and nothing says which, or there is nothing at `path`.
  public func fitted(
    to model: any Module, at path: String? = nil, renaming: [Renaming] = []
  ) throws(CheckpointError) -> FittedWeights {
    let expected = model.stateShapes
    var found: [(map: Map, fit: StateFit)] = []
    let most = maps.map(\.shapes.count).max() ?? 0
    // An optimizer has a map for each parameter: small ones are looked at only where there are no others.
    for map in maps where map.shapes.count >= min(expected.count, most) {
      for fit in StateFit.candidates(of: map.shapes, to: expected, renaming: renaming) {
        if let path, path != map.path, path != FittedWeights.place(map, fit) { continue }
        found.append((map, fit))
      }
    }
    guard let first = found.first else {
      throw CheckpointError(
        path.map { "has no weights at '\($0)': it holds \(listing.joined(separator: "; "))" }
          ?? "holds no tensors by name",
        in: file)
    }
    try check(renaming)
    let exact = found.filter(\.fit.isComplete)
    guard !exact.isEmpty else {
      let best = found.dropFirst().reduce(first) { $1.fit.isBetter(than: $0.fit) ? $1 : $0 }
      return FittedWeights(file: self, map: best.map, fit: best.fit, alternatives: [])
    }
    let index = try choice(of: exact)
    let others = exact.indices.filter { $0 != index }.map { FittedWeights.place(exact[$0].map, exact[$0].fit) }
    return FittedWeights(
      file: self, map: exact[index].map, fit: exact[index].fit,
      alternatives: others.map { $0.isEmpty ? "the top" : "'\($0)'" })
  }

  /// Refuses a renaming that changes nothing: it is mistyped.
  private func check(_ renaming: [Renaming]) throws(CheckpointError) {
    var names = Set(maps.flatMap(\.shapes.keys))
    for renaming in renaming {
      let next = Set(names.map(renaming.applied))
      guard next != names else {
        throw CheckpointError("--rename \(renaming) matches no name of it; it has \(names.sorted().listed)", in: file)
      }
      names = next
    }
  }

  /// The place, in `exact`, of the weights proper.
  private func choice(of exact: [(map: Map, fit: StateFit)]) throws(CheckpointError) -> Int {
    func only(_ isTaken: (Map, StateFit) -> Bool) -> Int? {
      let indices = exact.indices.filter { isTaken(exact[$0].map, exact[$0].fit) }
      return indices.count == 1 ? indices[0] : nil
    }
    if exact.count == 1 { return 0 }
    for name in ["state_dict", "model"] {
      if let index = only({ map, fit in map.path == name && !StateFit.isAverage(fit.prefix) }) { return index }
    }
    if let index = only({ map, fit in !map.isAverage && !StateFit.isAverage(fit.prefix) }) { return index }
    if Set(exact.map(\.map.path)).count == 1, let index = only({ $1.prefix.isEmpty }) { return index }
    let places = exact.map { FittedWeights.place($0.map, $0.fit) }.map { $0.isEmpty ? "the top" : "'\($0)'" }
    throw CheckpointError(
      "holds \(exact.count) maps of tensors that fit: \(places.listed)", wanted: "one: --map says which", in: file)
  }
}

extension StateDictionary {
  /// Refuses values that are NaN or infinite, or make the outputs so: variances below 0; by the first tensor that has them.
  public func requireFinite(in file: String? = nil) throws(CheckpointError) {
    for (name, tensor) in sorted(by: { $0.key < $1.key }) {
      guard tensor.isFinite else {
        throw CheckpointError(
          "tensor '\(name.escaped())' has values that are NaN or infinite: the training that made it diverged", in: file
        )
      }
      guard !name.hasSuffix("running_var") || tensor.scalars.allSatisfy({ $0 >= 0 }) else {
        throw CheckpointError("tensor '\(name.escaped())' has values below 0, which no variance has", in: file)
      }
    }
  }

  /// Refuses weights that are whole numbers: those of a quantized network, which are nothing without their scale.
  public func requireUnquantized(in file: String) throws(CheckpointError) {
    for (name, tensor) in sorted(by: { $0.key < $1.key }) where name.hasSuffix("weight") && tensor.rank > 1 {
      let scalars = tensor.scalars
      // Huge numbers have no fraction, and those of a few elements or of signs may mean what they say.
      let largest = scalars.reduce(0) { Swift.max($0, abs($1)) }
      let hasFractions = scalars.contains { $0 != $0.rounded() }
      guard hasFractions || scalars.count < 16 || !(2...65_535).contains(largest) else {
        throw CheckpointError(
          "tensor '\(name.escaped())' has whole numbers alone, as the weights of a quantized network, whose scale is not with "
            + "them: save the network before it is quantized", in: file)
      }
    }
  }
}
