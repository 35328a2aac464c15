import Foundation

/// The folder of a run: what each step made, and from what, so that a step is run again only where something differs.
///
/// Of several ranks the first alone reads and writes, and tells the others what it found.
package struct ArtifactStore: Sendable {
  package let folder: URL
  package let communicator: any Communicator

  package init(_ folder: URL, for communicator: any Communicator = SingleProcess()) throws(ExperimentError) {
    (self.folder, self.communicator) = (folder, communicator)
    guard communicator.isFirst else { return }
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw ExperimentError("\(folder.path): the folder cannot be made: \(error.localizedDescription)")
    }
  }

  /// A folder that must be there.
  package init(existing folder: URL) throws(ExperimentError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw ExperimentError("\(folder.path): there is no such folder")
    }
    (self.folder, communicator) = (folder, SingleProcess())
  }

  package func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  private static let version = 4
  private struct Artifact<Value: Codable>: Codable {
    var version = ArtifactStore.version
    var stage: String
    var key: String
    var value: Value
    /// The checksum of all the others: with another key the value would be of something else.
    var checksum: String

    init(_ stage: String, _ key: String, _ value: Value) throws {
      (self.stage, self.key, self.value) = (stage, key, value)
      checksum = try fingerprint(of: version, stage, key, value)
    }

    var isWhole: Bool {
      version == ArtifactStore.version && (try? fingerprint(of: version, stage, key, value)) == checksum
    }
  }

  /// Returns the value that `stage` saved for `key`, or makes it.
  ///
  /// - Parameters:
  ///   - refused: Why a damaged file may not be regenerated; nil where it may, with a warning.
  ///   - fits: Whether a value from the disk can be one that the stage made; another one is damaged.
  package func value<Value: Codable>(
    _ stage: String, key: String, refused: String? = nil, _ make: () throws -> Value, fits: (Value) -> Bool
  ) throws -> Value {
    var saved = communicator.isFirst ? try self.saved(stage, key: key, refused: refused, fits: fits) : nil
    if communicator.size > 1 { saved = decoded(communicator.broadcast(encoded([saved])), [Value?].self)[0] }
    if let saved { return saved }
    // What was made of an image that could not be read is not saved.
    let value = try throwingDataFaults(make)
    try write(Artifact(stage, key, value), to: "\(stage).json")
    // Machines may differ in the last bits: what is decided by it must be decided alike.
    return communicator.size > 1 ? decoded(communicator.broadcast(encoded([value])), [Value].self)[0] : value
  }

  /// The value that `stage` saved for `key`; nil where there is none that can be used.
  private func saved<Value: Codable>(
    _ stage: String, key: String, refused: String?, fits: (Value) -> Bool
  ) throws -> Value? {
    let url = url("\(stage).json")
    if FileManager.default.fileExists(atPath: url.path) {
      let data = (try? Data(contentsOf: url)) ?? Data()
      let old = try? JSONDecoder().decode(Artifact<Value>.self, from: data)
      let isWhole = old?.isWhole == true && old?.stage == stage
      if isWhole, let old, old.key == key, fits(old.value) { return old.value }
      let found = members(ofJSON: data)
      let (version, foundKey) = (found["version"] as? Int, found["key"] as? String)
      if let refused, !isWhole || foundKey == key {
        throw ExperimentError("\(url.path): is damaged\(refused)")
      }
      if version == nil || foundKey == nil || version == Self.version && foundKey == key {
        writeNotice("\(url.path): is damaged and regenerated")
      }
    }
    return nil
  }

  /// The last value that `stage` saved, whatever its key.
  package func last<Value: Codable>(_ stage: String) -> Value? {
    guard let data = try? Data(contentsOf: url("\(stage).json")),
      let old = try? JSONDecoder().decode(Artifact<Value>.self, from: data), old.isWhole
    else { return nil }
    return old.value
  }

  /// Writes `value` as JSON, atomically; on lines of its own for each value unless `isCompact`.
  package func write(_ value: some Encodable, to name: String, isCompact: Bool = false) throws {
    try write(sortedJSON(value, isCompact ? [] : .prettyPrinted) + "\n", to: name)
  }

  /// Writes `text`, atomically.
  package func write(_ text: String, to name: String) throws {
    if communicator.isFirst { try writeAtomically(Array(text.utf8), to: url(name)) }
  }

  /// The state saved for `stage`, where it was made from `key`.
  func state(_ stage: String, key: String) throws -> TrainingCheckpoint? {
    guard communicator.isFirst else { return nil }
    let state = try states(stage).newest(warn: writeNotice)
    return state?.key == key ? state : nil
  }

  /// Two of each stage: where the newest is damaged, the run resumes from the one before.
  func states(_ stage: String) -> SavedCheckpoints { SavedCheckpoints(url("\(stage).state")) }
}

/// Writes a line to standard error.
package func writeNotice(_ text: String) { writeToStandardError("\(text)\n") }

/// A short name for what something is made from: FNV-1a of the JSON of its parts, in order.
package func fingerprint(of parts: any Encodable...) throws -> String {
  var hash = FNV1a()
  func append(_ part: some Encodable) throws { hash.append(bytes: try sortedJSON([part]).utf8) }
  for part in parts { try append(part) }
  return String(hash.value, radix: 16)
}

/// The JSON of `value` with its names in order, so that equal values have equal texts.
func sortedJSON(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting = []) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = formatting.union(.sortedKeys)
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The members of a JSON object; none of what is not one.
package func members(ofJSON data: Data) -> [String: Any] {
  (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
}
