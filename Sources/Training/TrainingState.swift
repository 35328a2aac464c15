import Checkpoints
import Foundation
import Layers

/// All that a run needs to go on bit for bit: weights, optimizer, average, the random layers' generators, the position
/// and the reports so far, in one safetensors file.
///
/// The schedule and the order of the data are functions of the position, so they need no place in it.
/// ```swift
/// try TrainingState(model, optimizer, at: step.position).save(to: file)
/// // later, with a model and an optimizer made in the same way:
/// let state = try TrainingState.load(file)
/// try state.restore(model, optimizer)
/// for epoch in Fit(model, …, startingAt: state.position) { … }
/// ```
public struct TrainingState: Sendable {
  /// Where to go on.
  public let position: TrainingPosition
  /// The epochs that are done.
  public let reports: [EpochReport]
  /// What the run was made from, in the caller's words; a state of another key is another run's.
  public let key: String
  private let tensors: StateDictionary
  private let generators: [String: SplittableGenerator]
  private let file: String?

  private static let format = "encodenet-training-state-1"

  /// The present state of a run.
  public init(
    _ model: any Module, _ optimizer: any Optimizer, average: WeightAverage? = nil, at position: TrainingPosition,
    reports: [EpochReport] = [], key: String = ""
  ) {
    (self.position, self.reports, self.key, file) = (position, reports, key, nil)
    var tensors: StateDictionary = [:]
    for (name, tensor) in model.stateDictionary { tensors["model.\(name)"] = tensor }
    for (name, tensor) in optimizer.state { tensors["optimizer.\(name)"] = tensor }
    for (name, tensor) in average?.state ?? [:] { tensors["average.\(name)"] = tensor }
    self.tensors = tensors
    generators = Dictionary(
      model.namedStochasticModules.map { ($0.name, $0.module.generator) }, uniquingKeysWith: { first, _ in first })
  }

  private init(
    tensors: StateDictionary, generators: [String: SplittableGenerator], position: TrainingPosition,
    reports: [EpochReport], key: String, file: String
  ) {
    (self.tensors, self.generators, self.position, self.reports) = (tensors, generators, position, reports)
    (self.key, self.file) = (key, file)
  }

  /// Writes the state to `url`, atomically.
  public func save(to url: URL) throws(CheckpointError) {
    func json(_ value: some Encodable) throws(CheckpointError) -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
        throw CheckpointError("the state of the run cannot be written: \(error)", in: url.path)
      }
    }
    try Safetensors.save(
      tensors,
      metadata: [
        "format": Self.format, "position": try json(position), "reports": try json(reports),
        "generators": try json(generators), "key": key,
      ], to: url)
  }

  /// Reads what ``save(to:)`` wrote.
  public static func load(_ url: URL) throws(CheckpointError) -> TrainingState {
    let (tensors, metadata) = try Safetensors.read(url)
    guard metadata["format"] == format else {
      throw CheckpointError(
        "is no state of a run: its format is '\(metadata["format"] ?? "")', wanted is '\(format)'", in: url.path)
    }
    func value<T: Decodable>(_ key: String, _: T.Type) throws(CheckpointError) -> T {
      do { return try JSONDecoder().decode(T.self, from: Data((metadata[key] ?? "").utf8)) } catch {
        throw CheckpointError("its metadata '\(key)' cannot be read: \(error)", in: url.path)
      }
    }
    let position = try value("position", TrainingPosition.self)
    guard position.isPossible else { throw CheckpointError("its position \(position) is impossible", in: url.path) }
    return TrainingState(
      tensors: tensors, generators: try value("generators", [String: SplittableGenerator].self), position: position,
      reports: try value("reports", [EpochReport].self), key: metadata["key"] ?? "", file: url.path)
  }

  /// Brings the model, the optimizer and the average to where they were.
  ///
  /// - Throws: What does not fit; the objects may then be half restored and should not be used.
  public func restore(
    _ model: any Module, _ optimizer: any Optimizer, average: WeightAverage? = nil
  ) throws(CheckpointError) {
    let modules = model.namedStochasticModules
    guard Set(modules.map(\.name)) == Set(generators.keys) else {
      throw CheckpointError(
        "the state keeps generators for \(generators.keys.sorted()), the model has \(modules.map(\.name).sorted())",
        in: file)
    }
    let averaged = part("average.")
    guard (average != nil) == !averaged.isEmpty else {
      throw CheckpointError(average == nil ? "keeps an average, the run has none" : "keeps no average", in: file)
    }
    do { try model.load(part("model.")) } catch { throw CheckpointError(error.problem, in: file) }
    do {
      try optimizer.load(part("optimizer."))
      try average?.load(averaged)
    } catch { throw CheckpointError("\(error)", in: file) }
    for (name, module) in modules { module.generator = generators[name]! }
  }

  private func part(_ prefix: String) -> StateDictionary {
    StateDictionary(
      uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }.map {
        (String($0.key.dropFirst(prefix.count)), $0.value)
      })
  }
}

extension TrainingPosition {
  fileprivate var isPossible: Bool {
    epoch >= 0 && batch >= 0 && step >= batch && correct >= 0 && correct <= classified && classified <= images
      && step < 1 << 62 && images < 1 << 62 && epoch < 1 << 62
  }
}
