import Foundation
import Layers

extension Module {
  /// Every parameter and buffer by name, in PyTorch's names and layout: convolution weights are
  /// `[outputs, inputs, height, width]`, everything else is as it is in the model.
  public var stateDictionary: StateDictionary {
    var state: StateDictionary = [:]
    func add(_ name: String, _ tensor: Tensor) {
      let former = state.updateValue(tensor.inPyTorchLayout, forKey: name)
      require(former == nil, "stateDictionary: two tensors of \(type(of: self)) are named '\(name)'; one would be lost")
    }
    for (name, parameter) in namedParameters { add(name, parameter.wrappedValue.detached) }
    for (name, buffer) in namedBuffers { add(name, buffer.wrappedValue) }
    return state
  }

  /// The shapes of ``stateDictionary``.
  var stateShapes: [String: Shape] {
    var shapes: [String: Shape] = [:]
    for (name, parameter) in namedParameters { shapes[name] = parameter.wrappedValue.shape.inPyTorchLayout }
    for (name, buffer) in namedBuffers { shapes[name] = buffer.wrappedValue.shape.inPyTorchLayout }
    return shapes
  }

  /// Loads every parameter and buffer from `state`, which has PyTorch's names and layout.
  ///
  /// PyTorch's `num_batches_tracked` is ignored. A tied parameter may be there under any of its names, or all. Nothing changes where
  /// an error is thrown.
  /// - Parameter strict: Whether the names must be those of the model; otherwise only those in common are taken.
  /// - Throws: A ``CheckpointError`` that names what is missing, unexpected or of another shape; without `strict` only of another
  ///   shape, and where no name is in common.
  public func load(_ state: StateDictionary, strict: Bool = true) throws(CheckpointError) {
    var (state, twice) = (state, [String]())
    for (alias, first) in aliasNames {
      guard let tensor = state.removeValue(forKey: alias) else { continue }
      if let other = state[first], !other.isSame(as: tensor) {
        twice.append("'\(alias)' and '\(first)' differ, they are one tensor of the model")
      }
      state[first] = tensor
    }
    var unexpected = Set(state.keys.filter { !$0.hasSuffix("num_batches_tracked") })
    var (missing, misshapen): ([String], [String]) = ([], [])
    var assignments: [() -> Void] = []
    func take(_ name: String, _ shape: Shape, _ assign: @escaping (Tensor) -> Void) {
      unexpected.remove(name)
      guard let stored = state[name] else { return missing.append(name) }
      let wanted = shape.inPyTorchLayout
      guard stored.shape == wanted else {
        return misshapen.append("'\(name)' has shape \(stored.shape), the model wants \(wanted)")
      }
      assignments.append { assign(stored.detached.fromPyTorchLayout) }
    }
    for (name, parameter) in namedParameters {
      take(name, parameter.wrappedValue.shape) { parameter.wrappedValue = $0 }
    }
    for (name, buffer) in namedBuffers { take(name, buffer.wrappedValue.shape) { buffer.wrappedValue = $0 } }

    var problems = misshapen + twice
    if strict {
      if !missing.isEmpty { problems.append("missing: \(quoted(missing))") }
      if !unexpected.isEmpty { problems.append("unexpected: \(quoted(unexpected.sorted()))") }
    }
    guard problems.isEmpty else {
      throw CheckpointError("the weights do not fit the model: " + problems.prefix(8).joined(separator: "; "))
    }
    guard !assignments.isEmpty || unexpected.isEmpty else {
      throw CheckpointError(
        "no weight has the name of one of the model: they are \(quoted(unexpected.sorted())), the model's \(quoted(missing))"
      )
    }
    for assign in assignments { assign() }
  }

  /// The other names of tied parameters and buffers, with the first name of each.
  private var aliasNames: [(alias: String, first: String)] {
    let aliases = aliases
    if aliases.isEmpty { return [] }
    var first: [ObjectIdentifier: String] = [:]
    for (name, parameter) in namedParameters { first[ObjectIdentifier(parameter)] = name }
    for (name, buffer) in namedBuffers { first[ObjectIdentifier(buffer)] = name }
    let names = Set(first.values)
    return aliases.compactMap { alias, part in
      first[ObjectIdentifier(part)].flatMap { names.contains(alias) ? nil : (alias, $0) }
    }
  }

  /// Loads the weights of a safetensors file, a PyTorch file or a NumPy archive, which are found in it by their names and shapes;
  /// see ``WeightsFile/fitted(to:at:renaming:)``.
  public func load(from url: URL, strict: Bool = true) throws(CheckpointError) {
    let weights = try WeightsFile(contentsOf: url).fitted(to: self)
    guard !strict else { return try load(try weights.state()) }
    guard weights.fit.misshapen.isEmpty, !weights.fit.matched.isEmpty else {
      throw CheckpointError(weights.misfit, in: url.path)
    }
    try load(weights.fit.state(from: try weights.map.tensors()), strict: false)
  }

  /// Writes the weights as safetensors, with PyTorch's names and layout, atomically.
  public func save(to url: URL, metadata: [String: String] = [:]) throws(CheckpointError) {
    if self is InferenceModel {
      throw CheckpointError(
        "a model for inference has no weights of its own to save: save the one it was made from", in: url.path)
    }
    try Safetensors.save(stateDictionary, metadata: metadata, to: url)
  }
}

private func quoted(_ names: [String]) -> String {
  names.prefix(8).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
}

extension StateDictionary {
  /// The state under plain names: a prefix `module.`, `state_dict.` or `model.` that all names share is removed, and
  /// PyTorch's `num_batches_tracked` left out.
  public var withPlainNames: StateDictionary {
    let names = plainNames
    return StateDictionary(uniqueKeysWithValues: names.map { ($0.value, self[$0.key]!) })
  }

  /// The plain name of each name that ``withPlainNames`` retains.
  public var plainNames: [String: String] {
    let names = keys.filter { !Self.isCounter($0) }
    var removed = 0
    while let prefix = ["module.", "state_dict.", "model."].first(where: { prefix in
      !names.isEmpty && names.allSatisfy { $0.dropFirst(removed).hasPrefix(prefix) }
    }) {
      removed += prefix.count
    }
    return [String: String](uniqueKeysWithValues: names.map { ($0, String($0.dropFirst(removed))) })
  }

  /// The number of batches that each batch norm of PyTorch's has seen, by the names of the file; nothing in this package depends
  /// on it.
  public var batchCounters: [String: Int] {
    filter { Self.isCounter($0.key) }.compactMapValues { $0.count == 1 ? Int(exactly: $0.item.rounded()) : nil }
  }

  private static func isCounter(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }
}

extension Shape {
  fileprivate var inPyTorchLayout: Shape {
    rank == 4 ? [self[3], self[2], self[0], self[1]] : self
  }
}

extension Tensor {
  /// Whether shape and bits are equal.
  fileprivate func isSame(as other: Tensor) -> Bool {
    shape == other.shape
      && withUnsafeScalars { a in
        other.withUnsafeScalars { b in a.elementsEqual(b) { $0.bitPattern == $1.bitPattern } }
      }
  }

  /// `[height, width, inputs, outputs]` as `[outputs, inputs, height, width]`; other ranks as they are.
  public var inPyTorchLayout: Tensor { rank == 4 ? reordered([3, 2, 0, 1]) : self }
  /// `[outputs, inputs, height, width]` as `[height, width, inputs, outputs]`; other ranks as they are.
  public var fromPyTorchLayout: Tensor { rank == 4 ? reordered([2, 3, 1, 0]) : self }

  /// A copy with axis `axes[i]` as axis `i`, on no tape.
  private func reordered(_ axes: [Int]) -> Tensor {
    let strides = shape.strides
    let (d, s) = (axes.map { shape[$0] }, axes.map { strides[$0] })
    return withUnsafeScalars { source in
      Tensor(shape: Shape(d)) { out in
        var i = 0
        for a in 0..<d[0] {
          for b in 0..<d[1] {
            for c in 0..<d[2] {
              for e in 0..<d[3] {
                out[i] = source[a * s[0] + b * s[1] + c * s[2] + e * s[3]]
                i += 1
              }
            }
          }
        }
      }
    }
  }
}
