/// The objects that a pickle may ask for, by the names of what makes them.
extension Unpickler {
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

  mutating func pushGlobal(_ module: String, _ name: String) throws(FileError) {
    let global = "\(module).\(name)"
    guard Self.callables[contents]!.contains(global) || contents == .tensors && Self.storages[global] != nil else {
      throw refuse("'\(global)'")
    }
    stack.append(.global(global))
  }

  mutating func reduced(
    _ callable: PickleValue, _ arguments: PickleValue
  ) throws(FileError) -> PickleValue {
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
    default: throw refuse("the state of an object")
    }
  }

  /// `("storage", type, key, device, count)`, in the legacy form with a view `(key, offset, count)` or None at the end.
  func storage(_ id: PickleValue) throws(FileError) -> PickledStorage {
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
  ) throws(FileError) -> PickledTensor {
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
}
