import FileFormats

/// Tensors by name at one place of a pickle.
struct PickledMap {
  var path = ""
  var tensors: [String: PickledTensor] = [:]
  var unread: [String] = []
  /// The class of the pickled model whose parameters they are.
  var modelClass: String?
}

/// Looks for the maps of tensors in a pickle, which may be hostile: cyclic, deep, or one list in many places.
struct PickledMaps {
  private let pickle: Pickle
  private let file: String
  private(set) var maps: [PickledMap] = []
  /// The classes of the models that were walked.
  private(set) var modelClasses: Set<String> = []
  /// The map that each container is, which may stand in several places.
  private var known: [Int: Int] = [:]
  /// Bounds names and models, which a small pickle could repeat without end.
  private var remaining: Int

  /// A place to be looked at; its path is that of its parent and a key.
  private struct Place {
    let value: PickleValue
    let parent: Int
    let key: String
    let depth: Int
  }
  private var places: [Place] = []
  private static let deepest = 16

  /// Finds the maps of tensors in `pickle`, the outer first.
  init(_ pickle: Pickle, fileCount: Int, _ file: String) throws(CheckpointError) {
    (self.pickle, self.file, remaining) = (pickle, file, 8 * fileCount + (1 << 20))
    try run()
  }

  private mutating func spend(_ count: Int) throws(CheckpointError) {
    remaining -= count
    guard remaining >= 0 else { throw CheckpointError("has names and models without end", in: file) }
  }

  private mutating func run() throws(CheckpointError) {
    places = [Place(value: pickle.root, parent: -1, key: "", depth: 0)]
    var seen: Set<Int> = []
    var next = 0
    while next < places.count {
      let (index, place) = (next, places[next])
      next += 1
      guard case .container(let container) = place.value else { continue }
      guard seen.insert(container).inserted else {
        // The best weights may be the last ones.
        if let map = known[container] { try add(maps[map], index) }
        continue
      }
      let count = maps.count
      defer { if maps.count > count { known[container] = count } }
      switch pickle.containers[container] {
      case .dictionary(let pairs): try look(at: pairs, index)
      case .list(let items), .tuple(let items):
        for (number, item) in items.enumerated() { push(item, "\(number)", under: index) }
      case .object(let object):
        if let map = try model(object) {
          try add(map, index)
        } else {
          try look(at: object.pairs, index)
          if let state = pickle.dictionary(object.state) { try look(at: state, index) }
          for (number, item) in object.items.enumerated() { push(item, "\(number)", under: index) }
        }
      case .array: break
      }
    }
  }

  private mutating func push(_ value: PickleValue, _ key: String, under parent: Int) {
    guard case .container = value, places[parent].depth < Self.deepest else { return }
    places.append(Place(value: value, parent: parent, key: key, depth: places[parent].depth + 1))
  }

  private mutating func add(_ map: PickledMap, _ place: Int) throws(CheckpointError) {
    // Each place has its keys, of which one may be long.
    try spend(map.tensors.keys.reduce(places[place].key.utf8.count) { $0 + $1.utf8.count })
    var (map, keys, index) = (map, [String](), place)
    while index > 0 {
      keys.append(places[index].key)
      index = places[index].parent
    }
    map.path = keys.reversed().joined(separator: ".")
    maps.append(map)
  }

  private mutating func look(at pairs: [(key: PickleValue, value: PickleValue)], _ place: Int) throws(CheckpointError) {
    var map = PickledMap()
    for (key, value) in pairs {
      guard let name = key.string ?? key.integer.map(String.init) else { continue }
      if key.integer == nil { take(value, name, into: &map) }
      push(value, name, under: place)
    }
    if !map.tensors.isEmpty { try add(map, place) }
  }

  /// Takes `value` as the tensor `name`, or as one that cannot be read.
  private func take(_ value: PickleValue, _ name: String, into map: inout PickledMap) {
    if case .tensor(let tensor) = value {
      map.tensors[name] = tensor
    } else if let object = pickle.object(value), object.name.hasPrefix("a tensor of ") || Self.isTensor(object.name) {
      map.unread.append("\(name) (\(object.name))")
    }
  }

  private static func isTensor(_ name: String) -> Bool {
    name.hasPrefix("torch._utils._rebuild_") || name.hasSuffix("multiarray._reconstruct")
  }

  // MARK: Whole models

  /// The parameters and buffers of a pickled `torch.nn.Module`, by their places in it; nil for another object.
  private mutating func model(_ object: PickledObject) throws(CheckpointError) -> PickledMap? {
    guard part("_modules", of: object) != nil, part("_parameters", of: object) != nil else { return nil }
    var map = PickledMap(modelClass: object.name)
    var open = [(object: object, prefix: "", depth: 0)]
    while let (object, prefix, depth) = open.popLast() {
      try spend(1)
      modelClasses.insert(object.name)
      for (kind, pairs) in ["_parameters", "_buffers"].map({ ($0, part($0, of: object) ?? []) }) {
        for (key, value) in pairs {
          guard let name = key.string, kind == "_parameters" || !isTransient(name, in: object) else { continue }
          try spend(prefix.utf8.count + name.utf8.count)
          take(value, prefix + name, into: &map)
        }
      }
      for (key, value) in part("_modules", of: object) ?? [] {
        guard let name = key.string, let inner = pickle.object(value) else { continue }
        guard depth < 64 else { throw CheckpointError("has a model of more than 64 levels", in: file) }
        try spend(prefix.utf8.count + name.utf8.count)
        open.append((inner, "\(prefix)\(name).", depth + 1))
      }
    }
    return map
  }

  private func part(_ name: String, of object: PickledObject) -> [(key: PickleValue, value: PickleValue)]? {
    pickle.dictionary(object.state)?.last { $0.key.string == name }.flatMap { pickle.dictionary($0.value) }
  }

  /// Whether a buffer is not saved with the model's state.
  private func isTransient(_ name: String, in object: PickledObject) -> Bool {
    let names = pickle.dictionary(object.state)?.last { $0.key.string == "_non_persistent_buffers_set" }?.value
    return names.flatMap { pickle.items($0) }?.contains { $0.string == name } ?? false
  }
}
