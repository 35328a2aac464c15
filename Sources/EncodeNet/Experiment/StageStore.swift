import Foundation

/// The folder of a run: what each stage made, and from what, so that a stage is run again only where something differs.
struct StageStore {
  let folder: URL

  init(_ folder: URL) throws(EncodeNetError) {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw EncodeNetError("\(folder.path): the folder cannot be made: \(error.localizedDescription)")
    }
    self.folder = folder
  }

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  private struct Artifact<Value: Codable>: Codable {
    var version = 1
    var stage: String
    var key: String
    var value: Value
  }

  /// What stage `stage` made of `key` before, or makes now.
  func value<Value: Codable>(_ stage: String, key: String, _ make: () throws -> Value) throws -> Value {
    let url = url("\(stage).json")
    if let data = try? Data(contentsOf: url), let old = try? JSONDecoder().decode(Artifact<Value>.self, from: data),
      old.version == 1, old.key == key
    {
      return old.value
    }
    let value = try make()
    try write(Artifact(stage: stage, key: key, value: value), to: "\(stage).json")
    return value
  }

  /// Writes `value` as JSON, atomically.
  func write(_ value: some Encodable, to name: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try write(String(decoding: encoder.encode(value), as: UTF8.self) + "\n", to: name)
  }

  /// Writes `text`, atomically.
  func write(_ text: String, to name: String) throws { try writeAtomically(Array(text.utf8), to: url(name)) }

  /// The state and reports saved for `stage`, where they were made from `key`; else a clean place for new ones.
  func begin(_ stage: String, key: String) throws -> TrainingState? {
    let (state, keyFile) = (url("\(stage).state.safetensors"), url("\(stage).key"))
    if let old = try? String(contentsOf: keyFile, encoding: .utf8), old == key,
      FileManager.default.fileExists(atPath: state.path)
    {
      return try TrainingState.load(state)
    }
    // A state must never lie beside a key that it was not made from.
    if FileManager.default.fileExists(atPath: state.path) { try FileManager.default.removeItem(at: state) }
    try write(key, to: "\(stage).key")
    return nil
  }
}

/// Trains the stages of a run: watched, and where there is a store also saved after each epoch and resumed.
struct StageTrainer {
  var store: StageStore?
  var progress: (_ stage: String, _ report: EpochReport) -> Void = { _, _ in }

  /// Trains what is left of the epochs of `fit`, which gives the run from a position.
  func callAsFunction<Model: Layer, Source: BatchSource>(
    _ stage: String, key: String, _ model: Model, _ optimizer: any Optimizer,
    _ fit: (TrainingPosition) -> Fit<Model, Source>
  ) throws -> [EpochReport] {
    var (position, reports) = (TrainingPosition(), [EpochReport]())
    if let saved = try store?.begin(stage, key: key) {
      try saved.restore(model, optimizer)
      (position, reports) = (saved.position, saved.reports)
    }
    var run = fit(position)
    while let report = run.next() {
      try report.check()
      reports.append(report)
      if let store {
        try TrainingState(model, optimizer, at: run.position, reports: reports)
          .save(to: store.url("\(stage).state.safetensors"))
      }
      progress(stage, report)
    }
    return reports
  }
}

/// A short name for what a stage is made from: FNV-1a of its parts, in order.
func stageKey(_ parts: any Encodable...) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for part in parts {
    for byte in try encoder.encode([AnyEncodable(part)]) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
  return String(hash, radix: 16)
}

private struct AnyEncodable: Encodable {
  let value: any Encodable
  init(_ value: any Encodable) { self.value = value }
  func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
