import FileFormats
import Foundation
import Layers

/// The weights in a file that PyTorch's `torch.save` wrote, as a zip archive or in the legacy form before it.
///
/// The pickle inside is read by a restricted reader: nothing in the file can run. What PyTorch's `weights_only` loader knows
/// is read, and any other object becomes a placeholder that is named in ``WeightsFile/notes``.
public enum PyTorchFile {
  /// The tensors of the file at `url` in PyTorch's layout, by their names in the file: those of the dictionary under
  /// `state_dict` or `model` where there is one, else of the largest. Element types are converted to `Scalar`.
  public static func load(_ url: URL) throws(CheckpointError) -> StateDictionary {
    try decode(try readFile(url), from: url.path)
  }

  /// Whether `bytes` begin like a file of PyTorch.
  static func recognizes(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x50, 0x4b, 3, 4]) || isLegacy(bytes)
  }

  /// Whether `bytes` begin with a pickle of the magic number, framed or not.
  private static func isLegacy(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) else { return false }
    return bytes[2...].starts(with: [0x8a, 0x0a])
      || bytes[2] == 0x95 && bytes.dropFirst(11).starts(with: [0x8a, 0x0a])
  }

  package static func decode(_ bytes: [UInt8], from file: String) throws(CheckpointError) -> StateDictionary {
    guard recognizes(bytes) else {
      throw CheckpointError(
        ForeignFile.description(of: bytes) ?? "is no PyTorch file, by its first bytes", in: file)
    }
    return try WeightsFile(bytes, from: file).largest().tensors()
  }

  /// The maps of tensors in the file `bytes`, and notes on it.
  static func maps(
    _ bytes: [UInt8], from file: String
  ) throws(CheckpointError) -> (maps: [WeightsFile.Map], notes: [String]) {
    guard bytes[0] != 0x50 else { return try zipMaps(bytes, file) }
    do { return try legacyMaps(bytes, file) } catch  where error.found.hasPrefix("the end at byte") {
      throw CheckpointError("is cut off: \(error.problem)", in: file)
    }
  }

  // MARK: The zip form

  private static func zipMaps(
    _ bytes: [UInt8], _ file: String
  ) throws(CheckpointError) -> (maps: [WeightsFile.Map], notes: [String]) {
    let archive = try ZipArchive(bytes, file: file)
    let pickles = archive.members.keys.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard let name = pickles.first else {
      throw CheckpointError(ForeignFile.description(of: bytes) ?? "has no member 'data.pkl'", in: file)
    }
    guard pickles.count == 1 else {
      throw CheckpointError("has \(pickles.count) members 'data.pkl', a PyTorch archive one", in: file)
    }
    let root = name.dropLast("data.pkl".count)
    guard archive.members["\(root)constants.pkl"] == nil else {
      throw CheckpointError(
        "is a TorchScript program, not a file of weights: save model.state_dict() with torch.save", in: file)
    }
    if archive.members["\(root)byteorder"] != nil {
      let order = String(decoding: try archive.content(of: "\(root)byteorder", limit: 16), as: UTF8.self)
      guard order == "little" else {
        throw CheckpointError("has byte order '\(order)', only 'little' is read", in: file)
      }
    }
    let pickle = try Unpickler.unpickle(try archive.content(of: name, limit: 64 << 20), from: file)
    return try maps(of: pickle, file, fileCount: bytes.count) { storage throws(CheckpointError) in
      let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.elementSize)
      guard !overflow else { throw CheckpointError("storage '\(storage.key)' has an impossible size", in: file) }
      let content = try archive.content(of: "\(root)data/\(storage.key)", limit: size)
      guard content.count == size else {
        throw CheckpointError("storage '\(storage.key)' has \(content.count) bytes, its tensors want \(size)", in: file)
      }
      return content
    }
  }

  // MARK: The legacy form

  /// Five pickles (magic number, version, system, content, keys of the storages), then each storage's count and bytes.
  private static func legacyMaps(
    _ bytes: [UInt8], _ file: String
  ) throws(CheckpointError) -> (maps: [WeightsFile.Map], notes: [String]) {
    let magic = try Unpickler.unpickle(bytes, from: file)
    guard case .long(let number) = magic.root,
      number == [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
    else { throw CheckpointError("does not have PyTorch's magic number", in: file) }
    let version = try Unpickler.unpickle(bytes, at: magic.end, from: file)
    guard version.root.integer == 1001 else {
      throw CheckpointError("is not of version 1001 of PyTorch's legacy form", in: file)
    }
    let system = try Unpickler.unpickle(bytes, at: version.end, from: file)
    for (key, value) in system.dictionary(system.root) ?? [] where key.string == "little_endian" {
      guard case .bool(true) = value else { throw CheckpointError("is big-endian, which is not read", in: file) }
    }
    let pickle = try Unpickler.unpickle(bytes, at: system.end, from: file)
    let keys = try Unpickler.unpickle(bytes, at: pickle.end, from: file)

    var storages: [String: Range<Int>] = [:]
    var reader = ByteReader(bytes, at: keys.end, file: file)
    for key in keys.items(keys.root) ?? [] {
      guard let key = key.string ?? key.integer.map(String.init), let storage = pickle.storages[key] else {
        throw CheckpointError("holds a storage that no tensor has", in: file)
      }
      guard storage.elementSize > 0 else {
        throw CheckpointError("holds a storage of the unknown type '\(storage.typeName.escaped())'", in: file)
      }
      let count = try reader.integer(8)
      let (size, overflow) = count.multipliedReportingOverflow(by: storage.elementSize)
      guard !overflow else { throw CheckpointError("storage '\(key)' has an impossible size", in: file) }
      let start = reader.offset
      try reader.skip(size)
      storages[key] = start..<reader.offset
    }
    let places = storages
    return try maps(of: pickle, file, fileCount: bytes.count) { storage throws(CheckpointError) in
      let (end, overflow) = (storage.offset + storage.count).multipliedReportingOverflow(by: storage.elementSize)
      guard let range = places[storage.key], !overflow, end <= range.count else {
        throw CheckpointError("storage '\(storage.key)' is missing or shorter than its tensors want", in: file)
      }
      return Array(bytes[range])
    }
  }

  // MARK: Both forms

  /// The maps of tensors in `pickle`; `content` gives a storage's bytes.
  private static func maps(
    of pickle: Pickle, _ file: String, fileCount: Int,
    content: @escaping (PickledStorage) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> (maps: [WeightsFile.Map], notes: [String]) {
    let search = try PickledMaps(pickle, fileCount: fileCount, file)
    let found = search.maps
    var notes: [String] = []
    if let model = found.lazy.compactMap(\.modelClass).first {
      notes.append(
        "a whole pickled model of class \(model.escaped()): its parameters were read, and nothing of it was run")
    }
    let unread = pickle.placeholders.subtracting(search.modelClasses)
    if !unread.isEmpty {
      notes.append("objects of \(unread.sorted().listed) were left unread, and nothing of them was run")
    }
    guard !found.isEmpty else {
      let what =
        pickle.dictionary(pickle.root) == nil ? "does not hold a dictionary of tensors" : "holds no tensors by name"
      throw CheckpointError(([what] + notes).joined(separator: "; "), in: file)
    }
    let maps = found.map { map in
      WeightsFile.Map(
        path: map.path, shapes: map.tensors.mapValues { Shape($0.shape) }, unread: map.unread
      ) { () throws(CheckpointError) in
        try assemble(map.tensors, file, fileCount: fileCount, content: content)
      }
    }
    return (maps, notes)
  }

  private static func assemble(
    _ tensors: [String: PickledTensor], _ file: String, fileCount: Int,
    content: (PickledStorage) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) -> StateDictionary {
    var state: StateDictionary = [:]
    var storages: [String: (bytes: [UInt8], type: ElementType)] = [:]
    // Shared storages are repeated, and an expanded tensor repeats itself; a small file may not fill the memory by it.
    var remaining = 8 * fileCount + (1 << 20)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      remaining -= checkedCount(tensor.shape)!
      guard remaining >= 0 else {
        throw CheckpointError(
          "tensor '\(name.escaped())' of shape \(tensor.shape) repeats a storage too often", in: file)
      }
      let view = tensor.storage
      if storages[view.key] == nil { storages[view.key] = (try content(view), tensor.type) }
      let storage = storages[view.key]!
      // Dividing cannot overflow as multiplying could.
      guard storage.type == tensor.type, view.offset + view.count <= storage.bytes.count / tensor.type.size else {
        throw CheckpointError(
          "tensor '\(name.escaped())' sees storage '\(view.key)' as another type or size", in: file)
      }
      state[name] = storage.bytes.withUnsafeBytes { tensor.gathered(from: $0) }
    }
    return state
  }
}

extension PickledTensor {
  /// The contiguous tensor that this view of the storage `bytes` shows.
  fileprivate func gathered(from bytes: UnsafeRawBufferPointer) -> Tensor {
    let base = storage.offset + offset
    return Tensor(shape: Shape(shape)) { out in
      var index = [Int](repeating: 0, count: shape.count)
      var position = base
      for i in out.indices {
        out[i] = type.scalar(bytes, at: position * type.size)
        // The next index, as an odometer counts.
        for axis in index.indices.reversed() {
          index[axis] += 1
          position += strides[axis]
          guard index[axis] == shape[axis] else { break }
          position -= strides[axis] * shape[axis]
          index[axis] = 0
        }
      }
    }
  }
}
