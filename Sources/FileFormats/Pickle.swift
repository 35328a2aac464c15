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
  // In boxes: a pickle may have millions of values, and most are small.
  indirect case storage(PickledStorage)
  indirect case tensor(PickledTensor)
  case elementType(ElementType)
  case container(Int)
}

/// A block of numbers that a pickle refers to.
package struct PickledStorage {
  /// The type of its elements, nil for one that is not read.
  package var type: ElementType?
  /// The number of bytes of an element, 0 where it is not known.
  package var elementSize: Int
  /// The name of its type.
  package var typeName: String
  package var key: String
  package var count: Int
  /// The index in the block of `key` at which a legacy view begins.
  package var offset = 0
}

/// A tensor as a view of a storage; `shape` and `strides` are checked against it.
package struct PickledTensor {
  package var storage: PickledStorage
  package var type: ElementType
  package var offset: Int
  package var shape: [Int]
  package var strides: [Int]
}

/// A NumPy array of bytes, row by row.
package struct PickledArray {
  package var shape: [Int] = []
  package var elements: [UInt8] = []
}

/// An object of a class that is not known: a placeholder that holds what the pickle says and does nothing.
package struct PickledObject {
  /// The class, or the function whose result it is.
  package var name: String
  package var arguments = PickleValue.none
  package var state = PickleValue.none
  package var items: [PickleValue] = []
  package var pairs: [(key: PickleValue, value: PickleValue)] = []
}

/// The outcome of unpickling.
package struct Pickle {
  package enum Container {
    case list([PickleValue])
    case tuple([PickleValue])
    case dictionary([(key: PickleValue, value: PickleValue)])
    indirect case array(PickledArray)
    indirect case object(PickledObject)
  }
  package internal(set) var containers: [Container] = []
  package internal(set) var root = PickleValue.none
  /// The byte after the pickle's last.
  package internal(set) var end = 0
  /// The storages that it refers to, by their keys.
  package internal(set) var storages: [String: PickledStorage] = [:]
  /// The names that it asks for and that stand for nothing here.
  package internal(set) var placeholders: Set<String> = []

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
  package func object(_ value: PickleValue) -> PickledObject? {
    if case .object(let object) = container(value) { object } else { nil }
  }
  package func integers(_ value: PickleValue) -> [Int]? {
    guard let items = items(value) else { return nil }
    let integers = items.compactMap(\.integer)
    return integers.count == items.count ? integers : nil
  }
}

// In place, and emptied meanwhile, so that neither the container nor all of them are copied.
extension Pickle.Container {
  /// Appends to a list or an object; false for another.
  mutating func append(_ items: [PickleValue]) -> Bool {
    switch self {
    case .list(var list):
      self = .list([])
      list += items
      self = .list(list)
    case .object(var object):
      self = .list([])
      object.items += items
      self = .object(object)
    default: return false
    }
    return true
  }

  /// Adds items to a dictionary or an object; false for another.
  mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) -> Bool {
    switch self {
    case .dictionary(var dictionary):
      self = .dictionary([])
      dictionary += pairs
      self = .dictionary(dictionary)
    case .object(var object):
      self = .list([])
      object.pairs += pairs
      self = .object(object)
    default: return false
    }
    return true
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
