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

  /// A folder that must be there.
  init(existing folder: URL) throws(EncodeNetError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw EncodeNetError("\(folder.path): there is no such folder")
    }
    self.folder = folder
  }

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  private static let version = 3
  private struct Artifact<Value: Codable>: Codable {
    var version = StageStore.version
    var stage: String
    var key: String
    var value: Value
    /// Of all the others: with another key the value would be of something else.
    var checksum: String

    init(_ stage: String, _ key: String, _ value: Value) throws {
      (self.stage, self.key, self.value) = (stage, key, value)
      checksum = try stageKey(version, stage, key, value)
    }

    var isWhole: Bool {
      version == StageStore.version && (try? stageKey(version, stage, key, value)) == checksum
    }
  }
  /// As much of an artifact of any version as tells whether it is wanted.
  private struct Label: Codable {
    var version: Int
    var key: String
  }

  /// What stage `stage` made of `key` before, or makes now.
  ///
  /// - Parameters:
  ///   - refused: Why a damaged file may not be made anew; nil where it may, with a warning.
  ///   - fits: Whether a value from the disk can be one that the stage made; another one is damaged.
  func value<Value: Codable>(
    _ stage: String, key: String, refused: String? = nil, _ make: () throws -> Value, fits: (Value) -> Bool
  ) throws -> Value {
    let url = url("\(stage).json")
    if FileManager.default.fileExists(atPath: url.path) {
      let data = (try? Data(contentsOf: url)) ?? Data()
      let old = try? JSONDecoder().decode(Artifact<Value>.self, from: data)
      let isWhole = old?.isWhole == true && old?.stage == stage
      if isWhole, let old, old.key == key, fits(old.value) { return old.value }
      let label = try? JSONDecoder().decode(Label.self, from: data)
      if let refused, !isWhole || label?.key == key {
        throw EncodeNetError("\(url.path): is damaged\(refused)")
      }
      if label == nil || label?.version == Self.version && label?.key == key {
        warn("\(url.path): is damaged and made anew")
      }
    }
    let value = try make()
    try write(Artifact(stage, key, value), to: "\(stage).json")
    return value
  }

  /// What `stage` made last, whatever from.
  func last<Value: Codable>(_ stage: String) -> Value? {
    guard let data = try? Data(contentsOf: url("\(stage).json")),
      let old = try? JSONDecoder().decode(Artifact<Value>.self, from: data), old.isWhole
    else { return nil }
    return old.value
  }

  private func warn(_ text: String) { writeNotice(text) }

  /// Writes `value` as JSON, atomically.
  func write(_ value: some Encodable, to name: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try write(String(decoding: encoder.encode(value), as: UTF8.self) + "\n", to: name)
  }

  /// Writes `text`, atomically.
  func write(_ text: String, to name: String) throws { try writeAtomically(Array(text.utf8), to: url(name)) }

  /// The state saved for `stage`, where it was made from `key`.
  func state(_ stage: String, key: String) throws -> TrainingCheckpoint? {
    let state = try states(stage).newest(warn: warn)
    return state?.key == key ? state : nil
  }

  /// Two of each stage: where the newest is damaged, the run goes on from the one before.
  func states(_ stage: String) -> SavedCheckpoints { SavedCheckpoints(url("\(stage).state")) }
}

/// Writes a line to standard error.
func writeNotice(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

/// Trains the stages of a run: watched, and where there is a store also saved now and then, and resumed at the step.
struct StageTrainer {
  var store: StageStore?
  /// Seconds between saves inside an epoch.
  var interval = 20.0
  var progress: @Sendable (_ stage: String, _ report: EpochReport) -> Void = { _, _ in }
  /// Asked after each step: where it says so the state is saved and the stage throws ``TrainingError/interrupted(epoch:step:)``.
  var shouldStop: @Sendable () -> Bool = { false }

  /// Trains what is left of the epochs of `fit`, which gives the run from a position.
  ///
  /// - Parameters:
  ///   - average: Saved and resumed with the rest.
  ///   - afterEpoch: Called after each epoch, before it is saved.
  func callAsFunction<Model: Layer, Source: BatchSource>(
    _ stage: String, key: String, _ model: Model, _ optimizer: any Optimizer, average: WeightAverage? = nil,
    afterEpoch: (EpochReport) -> Void = { _ in },
    _ fit: (_ start: TrainingPosition, _ shouldStop: @escaping () -> Bool, _ onStep: @escaping (StepReport) -> Void) ->
      Fit<Model, Source>
  ) throws -> [EpochReport] {
    var (position, reports) = (TrainingPosition(), [EpochReport]())
    if let saved = try store?.state(stage, key: key) {
      try saved.restore(model, optimizer, average: average)
      (position, reports) = (saved.position, saved.reports)
    }
    let clock = ContinuousClock()
    var (lastSave, failure): (ContinuousClock.Instant, (any Error)?) = (clock.now, nil)
    func save(_ position: TrainingPosition, _ reports: [EpochReport]) throws {
      guard let store else { return }
      // What is not finite must not replace what can be gone on from.
      if let name = model.firstNonFinite {
        throw TrainingError.nonFiniteParameter(epoch: position.epoch, step: position.step, name: name)
      }
      try store.states(stage).save(
        TrainingCheckpoint(model, optimizer, average: average, at: position, reports: reports, key: key)
      )
      lastSave = clock.now
    }
    // What is logged is a comfort: that it cannot be written stops nothing.
    var events: EventLog?
    var run = fit(
      position, { failure != nil || shouldStop() },
      { step in
        guard clock.now - lastSave > .seconds(interval) else { return }
        do { try save(step.position, reports) } catch { failure = error }
      })
    while let report = run.next() {
      if let failure { throw failure }
      if case .interrupted = report.stopped { try save(run.position, reports) }
      try report.check()
      reports.append(report)
      afterEpoch(report)
      try save(run.position, reports)
      events = events ?? store.flatMap { try? EventLog(in: $0.url("events").appendingPathComponent(stage)) }
      try? events?.append(report)
      try? store?.write(LearningCurves(reports).csv, to: "\(stage).csv")
      progress(stage, report)
    }
    store?.states(stage).removeOlder()
    return reports
  }
}

/// A short name for what a stage is made from: FNV-1a of its parts, in order.
func stageKey(_ parts: any Encodable...) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  var hash = FNV1a()
  for part in parts { hash.append(bytes: try encoder.encode([AnyEncodable(part)])) }
  return String(hash.value, radix: 16)
}

private struct AnyEncodable: Encodable {
  let value: any Encodable
  init(_ value: any Encodable) { self.value = value }
  func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
