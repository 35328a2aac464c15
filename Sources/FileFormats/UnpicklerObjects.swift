/// The objects that a pickle may ask for, by the names of what makes them.
extension Unpickler {
  private static let arrays: Set<String> = [
    "numpy.ndarray", "numpy.dtype", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
  ]
  /// Functions and classes beside those of ``known(_:_:)`` that PyTorch's `weights_only` loader knows; what they make is not
  /// needed.
  private static let quiet: Set<String> = [
    "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.serialization._get_layout",
    "torch.storage.TypedStorage", "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.list",
    "builtins.dict", "builtins.tuple", "__builtin__.int", "__builtin__.float", "__builtin__.str", "__builtin__.bool",
    "__builtin__.list", "__builtin__.dict", "__builtin__.tuple",
  ]
  private static let longestName = 1024

  mutating func pushGlobal(_ module: String, _ name: String) throws(FileError) {
    guard module.utf8.count + name.utf8.count < Self.longestName else {
      throw damaged("a name of \(module.utf8.count + name.utf8.count) bytes")
    }
    let global = "\(module).\(name)"
    guard contents == .tensors else {
      guard Self.arrays.contains(global) else { throw refuse("'\(global)'") }
      return stack.append(.global(global))
    }
    if let type = Self.elementTypes[global] { return stack.append(.elementType(type)) }
    if names[global] == nil {
      names[global] = global
      let isKnown = Self.functions.contains(global) || Self.quiet.contains(global) || Self.isType(global)
      if !isKnown { pickle.placeholders.insert(global) }
    }
    stack.append(.global(names[global]!))
  }

  /// The result of a call, by `callable`'s name; nothing is called.
  mutating func reduced(_ callable: PickleValue, _ arguments: PickleValue) throws(FileError) -> PickleValue {
    guard let items = pickle.items(arguments) else { throw damaged("a call without arguments") }
    guard contents == .tensors else {
      guard case .global(let name) = callable else { throw damaged("a call of what is no function") }
      return try array(name, items)
    }
    if case .global(let name) = callable, let value = try known(name, items) { return value }
    return try made(callable, arguments)
  }

  /// A placeholder for an object of the class or the result of the function `maker`.
  mutating func made(_ maker: PickleValue, _ arguments: PickleValue) throws(FileError) -> PickleValue {
    switch maker {
    case .global(let name):
      // Subclasses of these have other names; they themselves are what their items make them.
      if Self.dictionaries.contains(name) { return new(.dictionary([])) }
      return new(.object(PickledObject(name: name, arguments: arguments)))
    case .elementType: return maker
    default:
      guard let object = pickle.object(maker) else { throw damaged("a call of what is no function") }
      return new(.object(PickledObject(name: object.name, arguments: arguments)))
    }
  }

  private static let dictionaries: Set<String> = [
    "collections.OrderedDict", "collections.Counter", "collections.defaultdict", "builtins.dict", "__builtin__.dict",
  ]
  private static let functions: Set<String> = dictionaries.union([
    "torch.Size", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2", "builtins.set", "builtins.frozenset", "__builtin__.set",
    "__builtin__.frozenset", "builtins.bytearray", "__builtin__.bytearray", "builtins.complex", "__builtin__.complex",
    "_codecs.encode",
  ])

  /// The value that the function or class `name` makes, nil for one that is not known.
  private mutating func known(_ name: String, _ arguments: [PickleValue]) throws(FileError) -> PickleValue? {
    switch name {
    case "collections.OrderedDict", "builtins.dict", "__builtin__.dict", "collections.Counter":
      return try dictionary(arguments.first)
    case "collections.defaultdict": return try dictionary(arguments.dropFirst().first)
    case "builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset":
      return new(.list(arguments.first.flatMap { pickle.items($0) } ?? []))
    case "builtins.complex", "__builtin__.complex": return new(.tuple(arguments))
    // Bytes are text here, which is all that may be done with them.
    case "_codecs.encode", "builtins.bytearray", "__builtin__.bytearray": return arguments.first ?? PickleValue.none
    case "torch.Size":
      guard arguments.count == 1, let sizes = pickle.items(arguments[0]) else { throw damaged("a torch.Size") }
      return new(.tuple(sizes))
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2": return try tensor(arguments)
    case "torch._utils._rebuild_tensor_v3":
      guard arguments.count >= 7 else { throw damaged("a tensor without an element type") }
      return try tensor(arguments, as: arguments[6])
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard let value = arguments.first else { throw damaged("a parameter without a tensor") }
      return value
    case "torch._tensor._rebuild_from_type_v2":
      guard arguments.count >= 3 else { throw damaged("a tensor of a subclass without its arguments") }
      // Not one in another: each would take a piece of the stack.
      if case .global(name) = arguments[0] { return nil }
      return try reduced(arguments[0], arguments[2])
    default: return nil
    }
  }

  private mutating func dictionary(_ content: PickleValue?) throws(FileError) -> PickleValue {
    guard let content else { return new(.dictionary([])) }
    if let pairs = pickle.dictionary(content) { return new(.dictionary(pairs)) }
    var flat: [PickleValue] = []
    let items = pickle.items(content) ?? []
    // One list may be given to many.
    try spend(items.count)
    for item in items {
      guard let pair = pickle.items(item), pair.count == 2 else { throw damaged("an OrderedDict of no pairs") }
      flat += pair
    }
    return new(.dictionary(try pairs(flat)))
  }

  private mutating func array(_ name: String, _ arguments: [PickleValue]) throws(FileError) -> PickleValue {
    switch name {
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

  mutating func build(_ object: PickleValue, _ state: PickleValue) throws(FileError) {
    switch (object, pickle.container(object)) {
    // An OrderedDict's own attributes: PyTorch puts its `_metadata` there.
    case (_, .dictionary): break
    // The order of bytes, of which each element has one.
    case (.elementType, _): break
    case (.container(let index), .array):
      guard let state = pickle.items(state), state.count == 5, let shape = pickle.integers(state[1]),
        case .elementType(.u8) = state[2], case .bool(false) = state[3], case .bytes(let elements) = state[4],
        checkedCount(shape) == elements.count
      else { throw damaged("an array whose shape, type and elements, row by row, cannot be read") }
      pickle.containers[index] = .array(PickledArray(shape: shape, elements: elements))
    case (.container(let index), .object(var placeholder)):
      placeholder.state = state
      pickle.containers[index] = .object(placeholder)
    // A tensor or a set may have attributes too.
    case (.tensor, _) where contents == .tensors, (.container, _) where contents == .tensors: break
    default: throw refuse("the state of an object")
    }
  }
}
