/// Tensors and their storages, as PyTorch's pickles describe them.
extension Unpickler {
  private static let storages: [String: ElementType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16, "LongStorage": .i64,
    "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8, "ByteStorage": .u8, "BoolStorage": .bool,
    "UntypedStorage": .u8,
  ]
  /// The bytes of an element of what is not read.
  private static let unreadStorages = [
    "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4,
    "QUInt4x2Storage": 1, "QUInt2x4Storage": 1,
  ]
  static let elementTypes: [String: ElementType] = [
    "torch.float64": .f64, "torch.float32": .f32, "torch.float16": .f16, "torch.bfloat16": .bf16, "torch.int64": .i64,
    "torch.int32": .i32, "torch.int16": .i16, "torch.int8": .i8, "torch.uint64": .u64, "torch.uint32": .u32,
    "torch.uint16": .u16, "torch.uint8": .u8, "torch.bool": .bool,
  ]
  private static let unreadTypes: Set<String> = [
    "torch.complex32", "torch.complex64", "torch.complex128", "torch.qint8", "torch.quint8", "torch.qint32",
    "torch.float8_e4m3fn", "torch.float8_e5m2", "torch.float8_e4m3fnuz", "torch.float8_e5m2fnuz",
  ]

  /// Whether `name` is one of PyTorch's types of elements or storages.
  static func isType(_ name: String) -> Bool {
    unreadTypes.contains(name) || storageName(name).map { storages[$0] != nil || unreadStorages[$0] != nil } ?? false
  }

  /// `FloatStorage` for `torch.FloatStorage` and for that of a GPU.
  private static func storageName(_ name: String) -> String? {
    for prefix in ["torch.cuda.", "torch.storage.", "torch."] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.count))
    }
    return nil
  }

  /// `("storage", type, key, device, count)`, in the legacy form with a view `(key, offset, count)` or None at the end, or
  /// `("module", class, …)`, which the legacy form has for a whole model.
  mutating func persistent(_ id: PickleValue) throws(FileError) -> PickleValue {
    if contents == .tensors, let parts = pickle.items(id), parts.count >= 2, parts[0].string == "module",
      case .global = parts[1]
    {
      return parts[1]
    }
    guard let parts = pickle.items(id), parts.count >= 5, parts[0].string == "storage",
      case .global(let name) = parts[1], let key = parts[2].string ?? parts[2].integer.map(String.init),
      let count = parts[4].integer, count >= 0
    else { throw damaged("a storage that cannot be read") }
    let short = Self.storageName(name) ?? name
    let type = Self.storages[short]
    var storage = PickledStorage(
      type: type, elementSize: type?.size ?? Self.unreadStorages[short] ?? 0, typeName: name, key: key, count: count)
    pickle.storages[key] = storage
    if parts.count > 5, let view = pickle.items(parts[5]) {
      guard view.count == 3, let offset = view[1].integer, let length = view[2].integer, offset >= 0, length >= 0,
        offset <= count, length <= count - offset
      else { throw damaged("a view outside its storage '\(key)'") }
      (storage.offset, storage.count) = (offset, length)
    }
    return .storage(storage)
  }

  /// The tensor of a storage, an offset, a shape and strides; a placeholder where its elements are not read.
  mutating func tensor(_ arguments: [PickleValue], as elements: PickleValue? = nil) throws(FileError) -> PickleValue {
    let problem = damaged("a tensor whose storage, offset, shape and strides cannot be read")
    guard arguments.count >= 4 else { throw problem }
    // What a storage is made of by a function that is not known.
    if let object = pickle.object(arguments[0]) {
      return new(.object(PickledObject(name: "a tensor of \(object.name)")))
    }
    guard case .storage(var storage) = arguments[0], let offset = arguments[1].integer,
      let shape = extents(arguments[2]), let strides = extents(arguments[3])
    else { throw problem }
    switch elements {
    case .elementType(let type)?:
      guard storage.elementSize > 0, storage.offset == 0 else { throw problem }
      let bytes = storage.count.multipliedReportingOverflow(by: storage.elementSize)
      guard !bytes.overflow else { throw problem }
      (storage.type, storage.elementSize, storage.count) = (type, type.size, bytes.partialValue / type.size)
    case .global(let name)?: return new(.object(PickledObject(name: "a tensor of \(name)")))
    case nil: break
    default: throw problem
    }
    guard let type = storage.type else {
      return new(.object(PickledObject(name: "a tensor of \(storage.typeName)")))
    }
    return .tensor(try view(of: storage, type, offset, shape, strides))
  }

  /// A shape or strides, of which no tensor has more than 64.
  private func extents(_ value: PickleValue) -> [Int]? {
    guard let items = pickle.items(value), items.count <= 64 else { return nil }
    return pickle.integers(value)
  }

  private func view(
    of storage: PickledStorage, _ type: ElementType, _ offset: Int, _ shape: [Int], _ strides: [Int]
  ) throws(FileError) -> PickledTensor {
    let problem = damaged(
      "a tensor of shape \(shape) and strides \(strides) at \(offset) does not lie in the \(storage.count) elements of "
        + "storage '\(storage.key)'")
    guard shape.count == strides.count, let count = checkedCount(shape), offset >= 0 else { throw problem }
    var last = offset
    for (extent, stride) in zip(shape, strides) where count > 0 {
      let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (next, overflows) = last.addingReportingOverflow(reach)
      guard stride >= 0, !overflow, !overflows else { throw problem }
      last = next
    }
    guard count == 0 || last < storage.count else { throw problem }
    return PickledTensor(storage: storage, type: type, offset: offset, shape: shape, strides: strides)
  }
}
