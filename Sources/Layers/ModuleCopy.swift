import Tensors

extension Module {
  /// A deep copy: another module of the same class, whose parameters, buffers, modes and random generators are those of this one and
  /// change apart from it.
  ///
  /// What is tied here is tied in the copy. A class is copied property by property, so that its initializer does not run.
  /// - Throws: A ``ModuleCopyError`` that names a class that cannot be copied: one with a property that is a class but no module, a
  ///   weak or unowned reference, or a function that is not `@Sendable`.
  public func copy() throws(ModuleCopyError) -> Self { try ModuleCopy.of(self) }
}

/// The reason that a module cannot be copied, or fixed for inference.
public struct ModuleCopyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The class that cannot be copied, its name in the model, and why.
  public let description: String
}

/// Copies a module and all modules, parameters and buffers below it, each once, so that what was tied stays tied.
///
/// A class is copied property by property, as a struct would be: its initializer does not run. What makes that safe is that each
/// property is a value, a module, a parameter or a buffer; a class with any other cannot be copied.
final class ModuleCopy {
  /// The copies by the originals.
  private var copies: [ObjectIdentifier: AnyObject] = [:]
  /// Originals whose copies wait for those of their parts.
  private var pending: Set<ObjectIdentifier> = []
  /// Copies, each with a reference of its own until all is copied: one that lacks properties must not be released.
  private var guarded: [Unmanaged<AnyObject>] = []
  /// Whether chains are folded for inference.
  private let isFolding: Bool

  /// A copy of `module`, which is in evaluation mode where it is `folding`.
  static func of<M: Module>(_ module: M, folding: Bool = false) throws(ModuleCopyError) -> M {
    let copy = ModuleCopy(isFolding: folding)
    let result = try copy.object(module, "") as! M
    for object in copy.guarded { object.release() }
    return result
  }

  private init(isFolding: Bool) { self.isFolding = isFolding }

  private func object(_ original: AnyObject, _ path: String) throws(ModuleCopyError) -> AnyObject {
    let id = ObjectIdentifier(original)
    if let copy = copies[id] { return copy }
    switch original {
    case let parameter as Parameter:
      let copy = Parameter(wrappedValue: parameter.wrappedValue.detached)
      copy.isTrainable = parameter.isTrainable
      copies[id] = copy
      return copy
    case let buffer as Buffer: copies[id] = Buffer(wrappedValue: buffer.wrappedValue)
    case is any FixedLayer: copies[id] = original
    case let chain as Sequential:
      guard pending.insert(id).inserted else { throw failure(original, path, "it contains itself") }
      copies[id] = try sequential(chain, path)
    default: try fields(of: original, path)
    }
    return copies[id]!
  }

  private func sequential(_ chain: Sequential, _ path: String) throws(ModuleCopyError) -> Sequential {
    func named(_ index: Int) -> String { path.isEmpty ? chain.names[index] : "\(path).\(chain.names[index])" }
    var layers: [any Layer] = []
    for (index, layer) in chain.layers.enumerated() { layers.append(try object(layer, named(index)) as! any Layer) }
    var folded: [any Layer]?
    if isFolding {
      folded = Layers.folded(layers)
    } else if let before = chain.folded {
      folded = []
      for layer in before { folded!.append(try object(layer, path) as! any Layer) }
    }
    return Sequential(layers, names: chain.names, folded: folded)
  }

  private func failure(_ object: AnyObject, _ path: String, _ reason: String) -> ModuleCopyError {
    let place = path.isEmpty ? "" : " at '\(path)'"
    return ModuleCopyError(description: "\(type(of: object))\(place) cannot be copied: \(reason)")
  }

  // MARK: Properties

  /// Copies a class property by property.
  private func fields(of original: AnyObject, _ path: String) throws(ModuleCopyError) {
    let type: AnyClass = Swift.type(of: original)
    let fields = StoredField.all(of: type)
    for field in fields where !field.isStrong {
      throw failure(original, path, "its property '\(field.name)' is weak or unowned")
    }
    let source = Unmanaged.passUnretained(original).toOpaque()
    let copy = StoredField.allocate(type)
    guarded.append(copy)
    copies[ObjectIdentifier(original)] = copy.takeUnretainedValue()
    let target = copy.toOpaque()
    for field in fields {
      let place = path.isEmpty ? field.name : "\(path).\(field.name)"
      func initialize<T>(_: T.Type) throws(ModuleCopyError) {
        let value = (source + field.offset).assumingMemoryBound(to: T.self).pointee
        (target + field.offset).initializeMemory(
          as: T.self,
          to: try self.value(value, place) { failure(original, path, "its property '\(field.name)' is \($0)") })
      }
      try initialize(field.type)
    }
  }

  /// A copy of a property's value: its modules, parameters and buffers are copied, all else is shared.
  fileprivate func value<T>(
    _ value: T, _ path: String, failure: (String) -> ModuleCopyError
  ) throws(ModuleCopyError) -> T {
    let dynamic = Swift.type(of: value as Any)
    if PartWalk.isLeaf(dynamic) { return value }
    // Before what it may hold: a cast looks through an optional.
    if let container = value as? any CopiedContainer {
      let copy = try container.copied { (element) throws(ModuleCopyError) in try self.any(element, path, failure) }
      return copy as! T
    }
    if value is Parameter || value is Buffer || value is any Module {
      let copy = try object(value as AnyObject, path)
      guard let result = copy as? T else { throw failure("a \(T.self), for which \(type(of: copy)) cannot stand") }
      return result
    }
    if dynamic != T.self { return try any(value, path, failure) as! T }
    if StoredField.isFunction(T.self) {
      guard "\(T.self)".contains("@Sendable") else {
        throw failure("a function that may hold layers; '@Sendable' it cannot")
      }
      return value
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .class, .foreignReference: throw failure("a \(T.self), a class that is no Module")
    case .struct, .tuple: return try fields(of: value, path, failure)
    case .enum, .set:
      for child in mirror.children where !Self.isPlain(child.value) { throw failure("a \(T.self) that holds parts") }
      return value
    default: return value
    }
  }

  /// ``value(_:_:failure:)`` of a value whose type is known only now.
  private func any(
    _ value: Any, _ path: String, _ failure: (String) -> ModuleCopyError
  ) throws(ModuleCopyError) -> Any {
    func opened<T>(_ value: T) throws(ModuleCopyError) -> Any { try self.value(value, path, failure: failure) }
    return try _openExistential(value, do: opened)
  }

  private func fields<T>(
    of value: T, _ path: String, _ failure: (String) -> ModuleCopyError
  ) throws(ModuleCopyError) -> T {
    if Self.isPlain(value) { return value }
    let copy = UnsafeMutablePointer<T>.allocate(capacity: 1)
    copy.initialize(to: value)
    defer {
      copy.deinitialize(count: 1)
      copy.deallocate()
    }
    for field in StoredField.all(of: T.self) {
      let place = UnsafeMutableRawPointer(copy) + field.offset
      func replace<F>(_: F.Type) throws(ModuleCopyError) {
        let place = place.assumingMemoryBound(to: F.self)
        place.pointee = try self.value(place.pointee, "\(path).\(field.name)", failure: failure)
      }
      try replace(field.type)
    }
    return copy.pointee
  }

  /// Whether `value` holds no parts and no functions.
  private static func isPlain(_ value: Any) -> Bool {
    let type = Swift.type(of: value)
    if PartWalk.isLeaf(type) { return true }
    if value is Parameter || value is Buffer || value is any Module || StoredField.isFunction(type) { return false }
    let mirror = Mirror(reflecting: value)
    // The classes inside of a struct are its own affair, as the storage of an array is.
    return mirror.displayStyle == .class || mirror.children.allSatisfy { isPlain($0.value) }
  }
}

/// A collection whose elements are copied one by one.
private protocol CopiedContainer {
  func copied(_ element: (Any) throws(ModuleCopyError) -> Any) throws(ModuleCopyError) -> Self
}

extension Optional: CopiedContainer {
  fileprivate func copied(
    _ element: (Any) throws(ModuleCopyError) -> Any
  ) throws(ModuleCopyError) -> Self {
    guard let value = self else { return nil }
    return .some(try element(value) as! Wrapped)
  }
}

extension Array: CopiedContainer {
  fileprivate func copied(
    _ element: (Any) throws(ModuleCopyError) -> Any
  ) throws(ModuleCopyError) -> Self {
    if PartWalk.isLeaf(Element.self) { return self }
    var copy: [Element] = []
    for value in self { copy.append(try element(value) as! Element) }
    return copy
  }
}

extension Dictionary: CopiedContainer {
  fileprivate func copied(
    _ element: (Any) throws(ModuleCopyError) -> Any
  ) throws(ModuleCopyError) -> Self {
    if PartWalk.isLeaf(Value.self) { return self }
    var copy: [Key: Value] = [:]
    for (key, value) in self { copy[key] = .some(try element(value) as! Value) }
    return copy
  }
}
