/// Reads Python's pickles as far as PyTorch's weights need them (tensors, and what PyTorch's `weights_only` loader knows) or as
/// published data sets do (NumPy's arrays of bytes, plain containers and numbers).
///
/// Nothing is ever called or imported. Beside weights, any other object becomes a placeholder that does nothing; in a data
/// set it is refused by its name. Each byte read makes a bounded number of values, and the instructions are bounded, so
/// memory stays proportional to the pickle.
package struct Unpickler {
  /// The objects that a pickle may ask for.
  package enum Contents {
    case tensors, arrays
  }
  let contents: Contents
  var reader: ByteReader
  var pickle = Pickle()
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Each name once, however often the pickle makes it.
  var names: [String: String] = [:]
  /// The instructions and copied values that are left; no file of weights has that many.
  private var remaining = 1 << 23

  /// Reads the pickle that starts at `offset` of `bytes`; errors name `file`.
  package static func unpickle(
    _ bytes: [UInt8], _ contents: Contents = .tensors, at offset: Int = 0, from file: String
  ) throws(FileError) -> Pickle {
    var unpickler = Unpickler(contents: contents, reader: ByteReader(bytes, at: offset, file: file))
    while try unpickler.step() {}
    unpickler.pickle.end = unpickler.reader.offset
    return unpickler.pickle
  }

  private init(contents: Contents, reader: ByteReader) { (self.contents, self.reader) = (contents, reader) }

  /// Carries out one instruction; false after the last.
  private mutating func step() throws(FileError) -> Bool {
    try spend(1)
    let code = try reader.byte()
    guard code != UInt8(ascii: ".") else {
      pickle.root = try pop()
      return false
    }
    if try stepValue(code) { return true }
    if try stepContainer(code) { return true }
    if try stepMemo(code) { return true }
    if try stepObject(code) { return true }
    throw refuse("instruction 0x\(String(code, radix: 16))")
  }

  // MARK: Instructions by group; each function returns false where `code` is none of its group

  /// Numbers and strings.
  private mutating func stepValue(_ code: UInt8) throws(FileError) -> Bool {
    switch code {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try reader.integer(4)))))
    case UInt8(ascii: "K"): stack.append(.integer(try reader.integer(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try reader.integer(2)))
    case 0x8a: stack.append(long(try reader.bytes(try reader.integer(1))))
    case 0x8b: stack.append(long(try reader.bytes(try reader.integer(4))))
    case UInt8(ascii: "G"):
      let bits = try reader.bytes(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      stack.append(.float(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): stack.append(.string(try reader.string(try reader.integer(4))))
    case 0x8c: stack.append(.string(try reader.string(try reader.integer(1))))
    case 0x8d: stack.append(.string(try reader.string(try reader.integer(8))))
    case UInt8(ascii: "C"), UInt8(ascii: "U"): stack.append(.bytes(try reader.bytes(try reader.integer(1))))
    case 0x8e, 0x96: stack.append(.bytes(try reader.bytes(try reader.integer(8))))
    case UInt8(ascii: "B"), UInt8(ascii: "T"): stack.append(.bytes(try reader.bytes(try reader.integer(4))))
    default: return false
    }
    return true
  }

  /// Lists, tuples and dictionaries.
  private mutating func stepContainer(_ code: UInt8) throws(FileError) -> Bool {
    switch code {
    case UInt8(ascii: "]"), 0x8f: push(.list([]))
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "l"), 0x91: push(.list(try popToMark()))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87: push(.tuple(try popLast(Int(code) - 0x84)))
    case UInt8(ascii: "d"): push(.dictionary(try pairs(try popToMark())))
    case UInt8(ascii: "a"): try append(try popLast(1))
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "s"): try set(try pairs(try popLast(2)))
    case UInt8(ascii: "u"): try set(try pairs(try popToMark()))
    default: return false
    }
    return true
  }

  /// The stack and the memo.
  private mutating func stepMemo(_ code: UInt8) throws(FileError) -> Bool {
    switch code {
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "q"): memo[try reader.integer(1)] = try top()
    case UInt8(ascii: "r"): memo[try reader.integer(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(try reader.integer(1))
    case UInt8(ascii: "j"): try recall(try reader.integer(4))
    default: return false
    }
    return true
  }

  /// The protocol and objects.
  private mutating func stepObject(_ code: UInt8) throws(FileError) -> Bool {
    switch code {
    case 0x80:
      let version = try reader.byte()
      guard version <= 5 else { throw refuse("pickle protocol \(version)") }
    case 0x95: _ = try reader.integer(8)
    case UInt8(ascii: "c"): try pushGlobal(try reader.line(), try reader.line())
    case 0x93:
      let names = try popLast(2)
      guard let module = names[0].string, let name = names[1].string else { throw damaged("a name is no string") }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"): stack.append(try persistent(try pop()))
    case UInt8(ascii: "R"):
      let operands = try popLast(2)
      stack.append(try reduced(operands[0], operands[1]))
    case 0x81 where contents == .tensors:
      let operands = try popLast(2)
      stack.append(try made(operands[0], operands[1]))
    case 0x92 where contents == .tensors:
      let operands = try popLast(3)
      stack.append(try made(operands[0], operands[1]))
    case UInt8(ascii: "o") where contents == .tensors:
      let operands = try popToMark()
      guard let callable = operands.first else { throw damaged("an object of no class") }
      stack.append(try made(callable, new(.tuple(Array(operands.dropFirst())))))
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(try top(), state)
    default: return false
    }
    return true
  }

  // MARK: The stack

  mutating func new(_ container: Pickle.Container) -> PickleValue {
    pickle.containers.append(container)
    return .container(pickle.containers.count - 1)
  }
  private mutating func push(_ container: Pickle.Container) { stack.append(new(container)) }

  private func top() throws(FileError) -> PickleValue {
    guard let value = stack.last, stack.count > (marks.last ?? 0) else { throw damaged("an empty stack") }
    return value
  }
  private mutating func pop() throws(FileError) -> PickleValue { try popLast(1)[0] }

  private mutating func popLast(_ count: Int) throws(FileError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damaged("an empty stack") }
    return removed(from: stack.count - count)
  }
  private mutating func popToMark() throws(FileError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("no mark") }
    return removed(from: mark)
  }
  private mutating func removed(from start: Int) -> [PickleValue] {
    // One by one: a slice that is still there when the stack shrinks would have all of it copied.
    var values: [PickleValue] = []
    values.reserveCapacity(stack.count - start)
    for index in start..<stack.count { values.append(stack[index]) }
    stack.removeLast(stack.count - start)
    return values
  }
  private mutating func recall(_ index: Int) throws(FileError) {
    guard let value = memo[index] else { throw damaged("nothing in the memo under \(index)") }
    stack.append(value)
  }

  private mutating func append(_ items: [PickleValue]) throws(FileError) {
    guard case .container(let index) = try top(), pickle.containers[index].append(items) else {
      throw damaged("an append to what is no list")
    }
  }
  private mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(FileError) {
    guard case .container(let index) = try top(), pickle.containers[index].set(pairs) else {
      throw damaged("an item set in what is no dictionary")
    }
  }
  // Mutating, or it would have a copy of the stack while its argument is taken off.
  mutating func pairs(_ flat: [PickleValue]) throws(FileError) -> [(key: PickleValue, value: PickleValue)] {
    guard flat.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
    return stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
  }

  private func long(_ bytes: [UInt8]) -> PickleValue {
    guard bytes.count <= 8 else { return .long(bytes) }
    let fill: UInt8 = (bytes.last ?? 0) >= 0x80 ? 0xff : 0
    let padded = bytes + [UInt8](repeating: fill, count: 8 - bytes.count)
    return .integer(Int(truncatingIfNeeded: padded.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }))
  }

  /// Counts instructions, and the values that one of them copies.
  mutating func spend(_ count: Int) throws(FileError) {
    remaining -= count
    guard remaining >= 0 else { throw refuse("more values than a file of weights has") }
  }

  // MARK: Errors

  func refuse(_ request: String) -> FileError {
    FileError(
      "its pickle asks for \(request)",
      wanted: (contents == .tensors ? "tensors, OrderedDict" : "arrays of bytes")
        + ", plain containers and numbers only",
      at: "before byte \(reader.offset)", in: reader.file)
  }
  func damaged(_ found: String) -> FileError {
    FileError("its pickle is damaged: \(found)", at: "before byte \(reader.offset)", in: reader.file)
  }
}
