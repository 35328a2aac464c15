import Checkpoints
import Foundation
import Layers

/// A checkpoint of training, all that a run needs to resume bit for bit: weights, optimizer, average, the random layers' generators, the position
/// and the reports so far, in one safetensors file.
///
/// The schedule and the order of the data are functions of the position, so they need no place in it.
/// ```swift
/// try TrainingCheckpoint(model, optimizer, at: step.position).save(to: file)
/// // later, with a model and an optimizer made in the same way:
/// let checkpoint = try TrainingCheckpoint.load(file)
/// try checkpoint.restore(model, optimizer)
/// for epoch in Fit(model, …, startingAt: checkpoint.position) { … }
/// ```
public struct TrainingCheckpoint: Sendable {
  /// The position to resume at.
  public let position: TrainingPosition
  /// The epochs that are done.
  public let reports: [EpochReport]
  /// The inputs of the run, in the caller's words; a checkpoint of another key belongs to another run.
  public let key: String
  /// The number of ranks that trained: the same number resumes with the same bits, another one at the same image.
  public let ranks: Int
  private let tensors: StateDictionary
  private let generators: [String: SplittableGenerator]
  private let file: String?

  private static let format = "encodenet-training-state-1"

  /// A checkpoint of the present state of a run.
  public init(
    _ model: any Module, _ optimizer: any Optimizer, average: WeightAverage? = nil, at position: TrainingPosition,
    reports: [EpochReport] = [], key: String = "", ranks: Int = 1
  ) {
    (self.position, self.reports, self.key, self.ranks, file) = (position, reports, key, ranks, nil)
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
    reports: [EpochReport], key: String, ranks: Int, file: String
  ) {
    (self.tensors, self.generators, self.position, self.reports) = (tensors, generators, position, reports)
    (self.key, self.ranks, self.file) = (key, ranks, file)
  }

  /// Writes the checkpoint to `url`, atomically.
  public func save(to url: URL) throws(CheckpointError) {
    func json(_ value: some Encodable) throws(CheckpointError) -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      // A metric of one's own may be NaN, the loss of a validation infinite.
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
        throw CheckpointError("the checkpoint cannot be written: \(error)", in: url.path)
      }
    }
    var metadata = [
      "format": Self.format, "position": try json(position), "reports": try json(reports),
      "generators": try json(generators), "key": key,
    ]
    if ranks != 1 { metadata["ranks"] = "\(ranks)" }
    try Safetensors.save(tensors, metadata: metadata, to: url)
  }

  /// Reads a checkpoint that ``save(to:)`` wrote.
  public static func load(_ url: URL) throws(CheckpointError) -> TrainingCheckpoint {
    let (tensors, metadata) = try Safetensors.read(url)
    guard metadata["format"] == format else {
      throw CheckpointError(
        "is no checkpoint of training: its format is '\(metadata["format"] ?? "")'", wanted: "'\(format)'", in: url.path
      )
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    func value<T: Decodable>(_ key: String, _: T.Type) throws(CheckpointError) -> T {
      do { return try decoder.decode(T.self, from: Data((metadata[key] ?? "").utf8)) } catch {
        throw CheckpointError("its metadata '\(key)' cannot be read: \(problem(inDecoding: error))", in: url.path)
      }
    }
    let position = try value("position", TrainingPosition.self)
    guard position.isPossible else { throw CheckpointError("its position \(position) is impossible", in: url.path) }
    return TrainingCheckpoint(
      tensors: tensors, generators: try value("generators", [String: SplittableGenerator].self), position: position,
      reports: try value("reports", [EpochReport].self), key: metadata["key"] ?? "",
      ranks: metadata["ranks"].flatMap { Int($0) } ?? 1, file: url.path)
  }

  /// Restores the model, the optimizer and the average.
  ///
  /// - Throws: A ``CheckpointError`` with what does not fit; the objects may then be half restored and should not be used.
  public func restore(
    _ model: any Module, _ optimizer: any Optimizer, average: WeightAverage? = nil
  ) throws(CheckpointError) {
    let modules = model.namedStochasticModules
    guard Set(modules.map(\.name)) == Set(generators.keys) else {
      throw CheckpointError(
        "the checkpoint has generators for \(generators.keys.sorted()), the model for \(modules.map(\.name).sorted())",
        in: file)
    }
    let averaged = part("average.")
    guard (average != nil) == !averaged.isEmpty else {
      throw CheckpointError(
        average == nil ? "has an average, the run has none" : "has no average, the run has one", in: file)
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

@available(*, deprecated, renamed: "TrainingCheckpoint")
public typealias TrainingState = TrainingCheckpoint
