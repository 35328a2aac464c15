import Tensors

/// A walk over the parts of a module, each visited once, depth first.
struct PartWalk {
  private let root: any Module
  private let body: (_ name: String, _ part: Any) -> Void
  private var visited: Set<ObjectIdentifier>
  /// Parts that came again, under other names.
  private(set) var aliases: [(name: String, part: AnyObject)] = []
  /// Parts inside of classes that are no modules.
  private var hidden: [(name: String, type: Any.Type, part: AnyObject)] = []
  /// The class without parts of its own that is walked, and its name.
  private var outsider: (name: String, type: Any.Type)?

  init(from root: any Module, body: @escaping (_ name: String, _ part: Any) -> Void) {
    (self.root, self.body) = (root, body)
    visited = [ObjectIdentifier(root)]
  }

  /// Visits all parts.
  mutating func callAsFunction() {
    if let erased = root as? AnyLayer, visited.insert(ObjectIdentifier(erased.base)).inserted { body("", erased.base) }
    for (name, part) in root.parts { walk(name, part) }
    // A part that a helper refers to and the model owns as well is found after all.
    for (name, type, part) in hidden where !visited.contains(ObjectIdentifier(part)) {
      fatalError(
        "\(Swift.type(of: root)): the property '\(name)' is a \(type), a class that is no Module, and parameters or layers inside of "
          + "it would be neither trained nor saved; let \(type) conform to Module")
    }
  }

  private mutating func walk(_ name: String, _ value: Any) {
    if Self.isLeaf(Swift.type(of: value)) { return }
    switch value {
    case let parameter as Parameter: note(name, parameter) { _ in }
    case let buffer as Buffer: note(name, buffer) { _ in }
    case let module as any Module:
      note(name, module) { walk in
        for (inner, part) in module.parts { walk.walk("\(name).\(inner)", part) }
      }
    default: descend(name, value)
    }
  }

  private mutating func note(_ name: String, _ part: AnyObject, then descend: (inout PartWalk) -> Void) {
    if let outsider { return hidden.append((outsider.name, outsider.type, part)) }
    guard visited.insert(ObjectIdentifier(part)).inserted else { return aliases.append((name, part)) }
    body(name, part)
    descend(&self)
  }

  /// Walks what lies inside of a value that is no part itself.
  private mutating func descend(_ name: String, _ value: Any) {
    // Reflection makes a value of each element: of a long array of numbers that would take all the time.
    if let elements = value as? any PartContainer {
      return elements.forEachElement { walk($0.isEmpty ? name : "\(name).\($0)", $1) }
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional, .enum: for child in mirror.children { walk(name, child.value) }
    case .tuple, .struct, .collection, .dictionary:
      for (index, child) in mirror.children.enumerated() {
        walk("\(name).\(child.label.map(Self.partName) ?? "\(index)")", child.value)
      }
    case .set:
      let before = hidden.count
      let outer = outsider
      outsider = outer ?? (name, Swift.type(of: value))
      for child in mirror.children { walk(name, child.value) }
      outsider = outer
      require(
        hidden.count == before,
        "\(Swift.type(of: root)): the property '\(name)' is a set, which has no order to name its parts by; use an array"
      )
    case .class: descend(intoClass: name, value as AnyObject, mirror)
    default: break
    }
  }

  /// Looks for parts inside of a class that is no module.
  private mutating func descend(intoClass name: String, _ object: AnyObject, _ mirror: Mirror) {
    // An optimizer and an average refer to what is trained elsewhere.
    if object is any Optimizer || object is WeightAverage { return }
    guard visited.insert(ObjectIdentifier(object)).inserted else { return }
    let outer = outsider
    outsider = outer ?? (name, Swift.type(of: object))
    var level: Mirror? = mirror
    while let fields = level {
      for child in fields.children { walk(name, child.value) }
      level = fields.superclassMirror
    }
    outsider = outer
  }

  /// The stored properties of `object` with the names that PyTorch would give them, those of superclasses first.
  static func fields(of object: Any) -> [(name: String, part: Any)] {
    var levels: [[(name: String, part: Any)]] = []
    var mirror: Mirror? = Mirror(reflecting: object)
    while let level = mirror {
      levels.append(level.children.compactMap { child in child.label.map { (partName($0), child.value) } })
      mirror = level.superclassMirror
    }
    return levels.reversed().flatMap { $0 }
  }

  /// `runningMean` as `running_mean`, without what the compiler puts before it: `_` of a wrapper, `$__lazy_storage_$_`, a tuple's dot.
  private static func partName(_ label: String) -> String {
    switch label.utf8.first {
    case UInt8(ascii: "$"): snakeCased(label.replacing("$__lazy_storage_$_", with: ""))
    case UInt8(ascii: "_"), UInt8(ascii: "."): snakeCased(String(label.dropFirst()))
    default: snakeCased(label)
    }
  }

  /// Types of values that hold no parts, for which reflection would be the most expensive part of a walk.
  private static let leaves = Set(
    [
      Int.self, Int32.self, Int64.self, UInt8.self, UInt32.self, UInt64.self, Float.self, Double.self, Bool.self,
      String.self, Tensor.self, Shape.self, SplittableGenerator.self, TensorID.self, [Int].self, [String].self,
      [Float].self,
      [Double].self, [UInt8].self, [Tensor].self, [Shape].self,
    ].map { (type: Any.Type) in ObjectIdentifier(type) })

  static func isLeaf(_ type: Any.Type) -> Bool { leaves.contains(ObjectIdentifier(type)) }
}

/// A collection whose elements may be parts.
private protocol PartContainer {
  /// Calls `body` with the name and the value of each element, in order; not where their type says that none is a part.
  func forEachElement(_ body: (_ name: String, _ element: Any) -> Void)
}

extension Array: PartContainer {
  fileprivate func forEachElement(_ body: (_ name: String, _ element: Any) -> Void) {
    if PartWalk.isLeaf(Element.self) { return }
    for (index, element) in enumerated() { body("\(index)", element) }
  }
}

extension Dictionary: PartContainer {
  /// In the order of the keys, numbers by value, all others by their description: that of a dictionary differs between runs.
  fileprivate func forEachElement(_ body: (_ name: String, _ element: Any) -> Void) {
    if PartWalk.isLeaf(Value.self) { return }
    let named = map { (key: $0.key, name: "\($0.key)", value: $0.value) }
    let ordered = named.sorted { a, b in
      if let a = a.key as? Int, let b = b.key as? Int { return a < b }
      return a.name < b.name
    }
    for (_, name, value) in ordered { body(name, value) }
  }
}

package func snakeCased(_ name: String) -> String {
  // Most names have no capital, and each walk asks for all.
  if name.utf8.allSatisfy({ $0 < 128 && !(65...90).contains($0) }) { return name }
  return name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}
