import FileFormats

/// A Python value as `torch.save` pickles it.
indirect enum PythonValue {
  case none
  case bool(Bool)
  case int(Int)
  case text(String)
  case list([PythonValue])
  case tuple([PythonValue])
  case dictionary([(PythonValue, PythonValue)])
  /// A class or function, `collections.Counter`.
  case global(String)
  /// The result of a function.
  case call(PythonValue, [PythonValue])
  /// An object of a class with a state.
  case object(String, state: PythonValue)
  case tensor([Int], [Float])
  /// A tensor of another storage, by its name and the bytes.
  case storedTensor(String, [Int], [UInt8], elements: String?)

  /// A dictionary of tensors of ones, one for each shape.
  static func weights(_ shapes: [String: [Int]], _ value: Float = 1) -> PythonValue {
    .dictionary(
      shapes.sorted { $0.key < $1.key }.map { name, shape in
        (.text(name), .tensor(shape, [Float](repeating: value, count: shape.reduce(1, *))))
      })
  }
}

/// The bytes of a file of `torch.save`, instruction by instruction.
struct TorchFile {
  private var pickle: [UInt8] = [0x80, 2]
  private var storages: [(type: String, bytes: [UInt8], size: Int)] = []

  /// As a zip archive.
  static func zip(_ value: PythonValue) -> [UInt8] {
    var file = TorchFile()
    file.write(value)
    return ZipArchive.stored(
      [("archive/data.pkl", file.pickle + [0x2e]), ("archive/version", Array("3\n".utf8))]
        + file.storages.enumerated().map { ("archive/data/\($0)", $1.bytes) })
  }

  /// In the legacy form, by pickles of that protocol.
  static func legacy(_ value: PythonValue, protocol version: UInt8 = 2) -> [UInt8] {
    func pickled(_ body: [UInt8]) -> [UInt8] {
      let frame = number(body.count + 1, 8)
      return [0x80, version] + (version >= 4 ? [0x95] + frame : []) + body + [0x2e]
    }
    var file = TorchFile()
    file.write(value)
    let magic: [UInt8] = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
    var keys = TorchFile()
    keys.write(.list(file.storages.indices.map { .text("\($0)") }))
    var bytes = pickled(magic) + pickled([0x4d, 0xe9, 3]) + pickled([0x7d]) + pickled(Array(file.pickle.dropFirst(2)))
    bytes += pickled(Array(keys.pickle.dropFirst(2)))
    for storage in file.storages { bytes += number(storage.bytes.count / storage.size, 8) + storage.bytes }
    return bytes
  }

  private static func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private mutating func write(_ values: [PythonValue]) {
    pickle.append(UInt8(ascii: "("))
    for value in values { write(value) }
  }

  private mutating func write(_ value: PythonValue) {
    switch value {
    case .none: pickle.append(UInt8(ascii: "N"))
    case .bool(let value): pickle.append(value ? 0x88 : 0x89)
    case .int(let value): pickle += [0x8a, 8] + Self.number(value, 8)
    case .text(let text): pickle += [UInt8(ascii: "X")] + Self.number(text.utf8.count, 4) + Array(text.utf8)
    case .list(let items):
      pickle.append(UInt8(ascii: "]"))
      write(items)
      pickle.append(UInt8(ascii: "e"))
    case .tuple(let items):
      write(items)
      pickle.append(UInt8(ascii: "t"))
    case .dictionary(let pairs):
      pickle.append(UInt8(ascii: "}"))
      write(pairs.flatMap { [$0.0, $0.1] })
      pickle.append(UInt8(ascii: "u"))
    case .global(let name):
      let dot = name.lastIndex(of: ".")!
      pickle += Array("c\(name[..<dot])\n\(name[name.index(after: dot)...])\n".utf8)
    case .call(let function, let arguments):
      write(function)
      write(.tuple(arguments))
      pickle.append(UInt8(ascii: "R"))
    case .object(let name, let state):
      write(.global(name))
      pickle += [UInt8(ascii: ")"), 0x81]
      write(state)
      pickle.append(UInt8(ascii: "b"))
    case .tensor(let shape, let values):
      write(
        .storedTensor(
          "torch.FloatStorage", shape, values.flatMap { Self.number(Int($0.bitPattern), 4) }, elements: nil))
    case .storedTensor(let type, let shape, let bytes, let elements): write(type, shape, bytes, elements)
    }
  }

  private mutating func write(_ type: String, _ shape: [Int], _ bytes: [UInt8], _ elements: String?) {
    let count = type.hasSuffix("UntypedStorage") ? bytes.count : shape.reduce(1, *)
    let (key, size) = ("\(storages.count)", bytes.count / max(count, 1))
    storages.append((type, bytes, max(size, 1)))
    write(.global("torch._utils._rebuild_tensor_v\(elements == nil ? 2 : 3)"))
    pickle.append(UInt8(ascii: "("))
    write(.tuple([.text("storage"), .global(type), .text(key), .text("cpu"), .int(count)]))
    pickle.append(UInt8(ascii: "Q"))
    write(.int(0))
    write(.tuple(shape.map { .int($0) }))
    write(.tuple(shape.indices.map { .int(shape[($0 + 1)...].reduce(1, *)) }))
    write(.bool(false))
    write(.call(.global("collections.OrderedDict"), []))
    if let elements { write(.global(elements)) }
    pickle += Array("tR".utf8)
  }
}
