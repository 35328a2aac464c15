/// A value that a pickle describes.
///
/// Containers live in the ``Pickle``'s flat list and are named by their place in it, so that neither a deep nor a cyclic
/// pickle can overflow the stack when it is released.
package enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than 64 bits, two's complement, little-endian.
  case long([UInt8])
  case float(Double)
  case string(String)
  case bytes([UInt8])
  case global(String)
  case storage(PickledStorage)
  case tensor(PickledTensor)
  case elementType(ElementType)
  case container(Int)
}

/// A block of numbers that a pickle refers to.
package struct PickledStorage {
  var type: ElementType
  var key: String
  var count: Int
  /// Where a legacy view begins in the block of `key`.
  var offset = 0
}

/// A tensor as a view of a storage; `shape` and `strides` are checked against it.
package struct PickledTensor {
  var storage: PickledStorage
  var offset: Int
  var shape: [Int]
  var strides: [Int]
}

/// A NumPy array of bytes, row by row.
package struct PickledArray {
  package var shape: [Int] = []
  package var elements: [UInt8] = []
}

/// The outcome of unpickling.
package struct Pickle {
  package enum Container {
    case list([PickleValue])
    case tuple([PickleValue])
    case dictionary([(key: PickleValue, value: PickleValue)])
    case array(PickledArray)
  }
  var containers: [Container] = []
  package var root = PickleValue.none
  /// Where the pickle ended.
  var end = 0

  package func container(_ value: PickleValue) -> Container? {
    if case .container(let index) = value { containers[index] } else { nil }
  }
  package func items(_ value: PickleValue) -> [PickleValue]? {
    switch container(value) {
    case .list(let items), .tuple(let items): items
    default: nil
    }
  }
  package func dictionary(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
    if case .dictionary(let pairs) = container(value) { pairs } else { nil }
  }
  package func array(_ value: PickleValue) -> PickledArray? {
    if case .array(let array) = container(value) { array } else { nil }
  }
  package func integers(_ value: PickleValue) -> [Int]? {
    guard let items = items(value) else { return nil }
    let integers = items.compactMap(\.integer)
    return integers.count == items.count ? integers : nil
  }
}

extension PickleValue {
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// Text, also that of Python 2, whose strings are bytes.
  package var string: String? {
    switch self {
    case .string(let value): value
    case .bytes(let value): String(validating: value, as: UTF8.self)
    default: nil
    }
  }
}

/// Reads Python's pickles as far as PyTorch's weights need them (tensors, `OrderedDict`, plain containers and numbers) or as
/// published data sets do (NumPy's arrays of bytes, plain containers and numbers).
///
/// Nothing is ever called or imported. Whatever else a pickle asks for is refused by its name. Each byte read makes a
/// bounded number of values, so memory stays proportional to the pickle.
package struct Unpickler {
  /// What a pickle may ask for.
  package enum Contents {
    case tensors, arrays
  }
  private let contents: Contents
  private var reader: ByteReader
  private var pickle = Pickle()
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// The pickle that starts at `offset` of `bytes`; errors name `file`.
  package static func unpickle(
    _ bytes: [UInt8], _ contents: Contents = .tensors, at offset: Int = 0, from file: String
  ) throws(CheckpointError) -> Pickle {
    var unpickler = Unpickler(contents: contents, reader: ByteReader(bytes, at: offset, file: file))
    while try unpickler.step() {}
    unpickler.pickle.end = unpickler.reader.offset
    return unpickler.pickle
  }

  private init(contents: Contents, reader: ByteReader) { (self.contents, self.reader) = (contents, reader) }

  /// Carries out one instruction; false after the last.
  private mutating func step() throws(CheckpointError) -> Bool {
    let code = try reader.byte()
    switch code {
    case 0x80:
      let version = try reader.byte()
      guard version <= 5 else { throw refuse("pickle protocol \(version)") }
    case 0x95: _ = try reader.integer(8)
    case UInt8(ascii: "."):
      pickle.root = try pop()
      return false

    // Numbers and strings
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try reader.integer(4)))))
    case UInt8(ascii: "K"): stack.append(.integer(try reader.integer(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try reader.integer(2)))
    case 0x8a: stack.append(long(try reader.bytes(try reader.integer(1))))
    case UInt8(ascii: "G"):
      let bits = try reader.bytes(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      stack.append(.float(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): stack.append(.string(try reader.string(try reader.integer(4))))
    case 0x8c: stack.append(.string(try reader.string(try reader.integer(1))))
    case 0x8d: stack.append(.string(try reader.string(try reader.integer(8))))
    case UInt8(ascii: "C"), UInt8(ascii: "U"): stack.append(.bytes(try reader.bytes(try reader.integer(1))))
    case UInt8(ascii: "B"), UInt8(ascii: "T"): stack.append(.bytes(try reader.bytes(try reader.integer(4))))

    // Containers
    case UInt8(ascii: "]"): push(.list([]))
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "l"): push(.list(try popToMark()))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87: push(.tuple(try popLast(Int(code) - 0x84)))
    case UInt8(ascii: "d"): push(.dictionary(try pairs(try popToMark())))
    case UInt8(ascii: "a"): try append(try popLast(1))
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"): try set(try pairs(try popLast(2)))
    case UInt8(ascii: "u"): try set(try pairs(try popToMark()))

    // The stack and the memo
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "q"): memo[try reader.integer(1)] = try top()
    case UInt8(ascii: "r"): memo[try reader.integer(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(try reader.integer(1))
    case UInt8(ascii: "j"): try recall(try reader.integer(4))

    // Objects
    case UInt8(ascii: "c"): try pushGlobal(try reader.line(), try reader.line())
    case 0x93:
      let names = try popLast(2)
      guard let module = names[0].string, let name = names[1].string else { throw damaged("a name is no string") }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"): stack.append(.storage(try storage(try pop())))
    case UInt8(ascii: "R"):
      let operands = try popLast(2)
      stack.append(try reduced(operands[0], operands[1]))
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(try top(), state)
    default: throw refuse("instruction 0x\(String(code, radix: 16))")
    }
    return true
  }

  // MARK: Objects

  private static let storages: [String: ElementType] = [
    "torch.DoubleStorage": .f64, "torch.FloatStorage": .f32, "torch.HalfStorage": .f16, "torch.BFloat16Storage": .bf16,
    "torch.LongStorage": .i64, "torch.IntStorage": .i32, "torch.ShortStorage": .i16, "torch.CharStorage": .i8,
    "torch.ByteStorage": .u8, "torch.BoolStorage": .bool,
  ]
  private static let callables: [Contents: Set<String>] = [
    .tensors: [
      "collections.OrderedDict", "torch.Size", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_parameter",
    ],
    .arrays: [
      "numpy.ndarray", "numpy.dtype", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    ],
  ]

  private mutating func pushGlobal(_ module: String, _ name: String) throws(CheckpointError) {
    let global = "\(module).\(name)"
    guard Self.callables[contents]!.contains(global) || contents == .tensors && Self.storages[global] != nil else {
      throw refuse("'\(global)'")
    }
    stack.append(.global(global))
  }

  private mutating func reduced(
    _ callable: PickleValue, _ arguments: PickleValue
  ) throws(CheckpointError) -> PickleValue {
    guard case .global(let name) = callable, let arguments = pickle.items(arguments) else {
      throw damaged("a call of what is no function")
    }
    switch name {
    case "collections.OrderedDict":
      guard let items = arguments.first else { return new(.dictionary([])) }
      var flat: [PickleValue] = []
      for item in pickle.items(items) ?? [] {
        guard let pair = pickle.items(item), pair.count == 2 else { throw damaged("an OrderedDict of no pairs") }
        flat += pair
      }
      return new(.dictionary(try pairs(flat)))
    case "torch.Size":
      guard arguments.count == 1, let sizes = pickle.items(arguments[0]) else { throw damaged("a torch.Size") }
      return new(.tuple(sizes))
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
      guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].integer,
        let shape = pickle.integers(arguments[2]), let strides = pickle.integers(arguments[3])
      else { throw damaged("a tensor whose storage, offset, shape and strides cannot be read") }
      return .tensor(try view(of: storage, offset, shape, strides))
    case "torch._utils._rebuild_parameter":
      guard case .tensor? = arguments.first else { throw damaged("a parameter without a tensor") }
      return arguments[0]
    case "numpy.dtype":
      guard let name = arguments.first?.string, ["u1", "|u1"].contains(name) else {
        throw refuse("an array of elements that are no bytes")
      }
      return .elementType(.u8)
    case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
      // Its shape, type and elements come as its state.
      return new(.array(PickledArray()))
    default: throw refuse("a call of '\(name)'")
    }
  }

  private mutating func build(_ object: PickleValue, _ state: PickleValue) throws(CheckpointError) {
    switch (object, pickle.container(object)) {
    // An OrderedDict's own attributes: PyTorch keeps its `_metadata` there.
    case (_, .dictionary): break
    // The order of bytes, of which each element has one.
    case (.elementType, _): break
    case (.container(let index), .array):
      guard let state = pickle.items(state), state.count == 5, let shape = pickle.integers(state[1]),
        case .elementType(.u8) = state[2], case .bool(false) = state[3], case .bytes(let elements) = state[4],
        checkedCount(shape) == elements.count
      else { throw damaged("an array whose shape, type and elements, row by row, cannot be read") }
      pickle.containers[index] = .array(PickledArray(shape: shape, elements: elements))
    default: throw refuse("the state of an object")
    }
  }

  /// `("storage", type, key, device, count)`, in the legacy form with a view `(key, offset, count)` or None at the end.
  private func storage(_ id: PickleValue) throws(CheckpointError) -> PickledStorage {
    guard let parts = pickle.items(id), parts.count >= 5, parts[0].string == "storage",
      case .global(let name) = parts[1], let type = Self.storages[name],
      let key = parts[2].string ?? parts[2].integer.map(String.init), let count = parts[4].integer, count >= 0
    else { throw damaged("a storage that cannot be read") }
    var storage = PickledStorage(type: type, key: key, count: count)
    if parts.count > 5, let view = pickle.items(parts[5]) {
      guard view.count == 3, let offset = view[1].integer, let length = view[2].integer, offset >= 0, length >= 0,
        offset <= count, length <= count - offset
      else { throw damaged("a view outside its storage '\(key)'") }
      (storage.offset, storage.count) = (offset, length)
    }
    return storage
  }

  private func view(
    of storage: PickledStorage, _ offset: Int, _ shape: [Int], _ strides: [Int]
  ) throws(CheckpointError) -> PickledTensor {
    let problem = damaged(
      "a tensor of shape \(shape) and strides \(strides) at \(offset) does not lie in the \(storage.count) elements of "
        + "storage '\(storage.key)'")
    guard shape.count == strides.count, shape.count <= 64, let count = checkedCount(shape), offset >= 0 else {
      throw problem
    }
    var last = offset
    for (extent, stride) in zip(shape, strides) where count > 0 {
      let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (next, overflows) = last.addingReportingOverflow(reach)
      guard stride >= 0, !overflow, !overflows else { throw problem }
      last = next
    }
    guard count == 0 || last < storage.count else { throw problem }
    return PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  // MARK: The stack

  private mutating func new(_ container: Pickle.Container) -> PickleValue {
    pickle.containers.append(container)
    return .container(pickle.containers.count - 1)
  }
  private mutating func push(_ container: Pickle.Container) { stack.append(new(container)) }

  private func top() throws(CheckpointError) -> PickleValue {
    guard let value = stack.last, stack.count > (marks.last ?? 0) else { throw damaged("an empty stack") }
    return value
  }
  private mutating func pop() throws(CheckpointError) -> PickleValue { try popLast(1)[0] }

  private mutating func popLast(_ count: Int) throws(CheckpointError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damaged("an empty stack") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }
  private mutating func popToMark() throws(CheckpointError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("no mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }
  private mutating func recall(_ index: Int) throws(CheckpointError) {
    guard let value = memo[index] else { throw damaged("nothing remembered under \(index)") }
    stack.append(value)
  }

  private mutating func append(_ items: [PickleValue]) throws(CheckpointError) {
    guard case .container(let index) = try top(), case .list(var list) = pickle.containers[index] else {
      throw damaged("an append to what is no list")
    }
    pickle.containers[index] = .list([])  // so that the list is not copied
    list += items
    pickle.containers[index] = .list(list)
  }
  private mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(CheckpointError) {
    guard case .container(let index) = try top(), case .dictionary(var dictionary) = pickle.containers[index] else {
      throw damaged("an item set in what is no dictionary")
    }
    pickle.containers[index] = .dictionary([])
    dictionary += pairs
    pickle.containers[index] = .dictionary(dictionary)
  }
  private func pairs(_ flat: [PickleValue]) throws(CheckpointError) -> [(key: PickleValue, value: PickleValue)] {
    guard flat.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
    return stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
  }

  private func long(_ bytes: [UInt8]) -> PickleValue {
    guard bytes.count <= 8 else { return .long(bytes) }
    let fill: UInt8 = (bytes.last ?? 0) >= 0x80 ? 0xff : 0
    let padded = bytes + [UInt8](repeating: fill, count: 8 - bytes.count)
    return .integer(Int(truncatingIfNeeded: padded.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }))
  }

  // MARK: Errors

  private func refuse(_ what: String) -> CheckpointError {
    CheckpointError(
      "its pickle asks for \(what) before byte \(reader.offset); only "
        + (contents == .tensors ? "tensors, OrderedDict" : "arrays of bytes")
        + ", plain containers and numbers are read", in: reader.file)
  }
  private func damaged(_ what: String) -> CheckpointError {
    CheckpointError("its pickle is damaged before byte \(reader.offset): \(what)", in: reader.file)
  }
}
