import FileFormats
import Foundation
import Layers

/// The maps of tensors by name in a file of weights, wherever in it they stand.
///
/// A checkpoint has the weights at the top or under `state_dict`, `model`, `net`, …, beside the state of an optimizer and much
/// else. ``fitted(to:at:renaming:)`` finds them by the names and shapes of a model.
public struct WeightsFile {
  /// Tensors by name, at one place of the file.
  public struct Map {
    /// The keys that lead to it, joined by dots; empty at the top.
    public let path: String
    /// The shape of each tensor.
    public let shapes: [String: Shape]
    /// The tensors that cannot be read, with the reason.
    public let unread: [String]
    private let load: () throws(CheckpointError) -> StateDictionary

    init(
      path: String = "", shapes: [String: Shape], unread: [String] = [],
      load: @escaping () throws(CheckpointError) -> StateDictionary
    ) {
      (self.path, self.shapes, self.unread, self.load) = (path, shapes, unread, load)
    }
    init(_ tensors: StateDictionary, unread: [String] = []) {
      self.init(shapes: tensors.mapValues(\.shape), unread: unread) { tensors }
    }

    /// The tensors, under the names and in the layout of the file.
    public func tensors() throws(CheckpointError) -> StateDictionary { try load() }

    /// Whether it says that it is an average of weights, which a model has beside those that are trained.
    var isAverage: Bool { StateFit.isAverage(path) }
  }

  /// The path of the file.
  public let file: String
  /// The maps, in the order in which the file has them, the outer first.
  public let maps: [Map]
  /// Facts about the file that a user must know, such as the objects that were left unread, a line each.
  public let notes: [String]

  /// Reads a safetensors file, a PyTorch file or a NumPy archive, told apart by their content.
  ///
  /// - Throws: A ``CheckpointError`` that says what the file is, where it is something else.
  public init(contentsOf url: URL) throws(CheckpointError) {
    try self.init(try readFile(url), from: url.path)
  }

  package init(_ bytes: [UInt8], from file: String) throws(CheckpointError) {
    self.file = file
    if KerasFile.recognizes(bytes) { throw KerasFile.unreadable(file) }
    if NumPy.recognizesArchive(bytes) {
      let (tensors, unread) = try NumPy.members(bytes, from: file)
      guard !tensors.isEmpty else { throw NumPy.empty(unread, file) }
      (maps, notes) = ([Map(tensors, unread: unread)], [])
    } else if PyTorchFile.recognizes(bytes) {
      (maps, notes) = try PyTorchFile.maps(bytes, from: file)
    } else {
      (maps, notes) = ([Map(try Safetensors.decode(bytes, from: file).tensors)], [])
    }
  }

  /// The places of the maps and their sizes; maps under numbers, as an optimizer has them, are one line.
  public var listing: [String] {
    var groups: [(path: String, maps: Int, tensors: Int)] = []
    for map in maps {
      let path = map.path.split(separator: ".", omittingEmptySubsequences: false)
        .map { Int($0) == nil ? $0 : "*" }.joined(separator: ".")
      if let index = groups.firstIndex(where: { $0.path == path }) {
        groups[index].maps += 1
        groups[index].tensors += map.shapes.count
      } else {
        groups.append((path, 1, map.shapes.count))
      }
      // A hostile file may have any number of them.
      guard groups.count < 100 else { break }
    }
    return groups.map { group in
      let place = group.path.isEmpty ? "the top" : "'\(group.path.escaped())'"
      return "\(place): \(group.tensors) tensor\(group.tensors == 1 ? "" : "s")"
        + (group.maps > 1 ? " in \(group.maps) maps" : "")
    }
  }

  /// The weights where no model is known: those under `state_dict` or `model`, else the largest map.
  ///
  /// - Throws: Where no map is the largest.
  public func largest() throws(CheckpointError) -> Map {
    for name in ["state_dict", "model"] {
      if let map = maps.first(where: { $0.path == name }) { return map }
    }
    let count = maps.map(\.shapes.count).max() ?? 0
    let all = maps.filter { $0.shapes.count == count }
    let proper = all.filter { !$0.isAverage }
    guard let map = proper.first ?? all.first else { throw CheckpointError("holds no tensors by name", in: file) }
    guard max(proper.count, 1) == 1, !proper.isEmpty || all.count == 1 else {
      throw CheckpointError(
        "holds \(all.count) maps of \(count) tensors: \(all.map(\.path).listed)", wanted: "one", in: file)
    }
    return map
  }
}

extension StateFit {
  /// Whether the keys or the prefix `path` say that weights are averaged.
  static func isAverage(_ path: String) -> Bool {
    path.lowercased().split { $0 == "." || $0 == "_" }.contains { part in
      ["ema", "swa", "averaged", "average", "avg", "shadow", "teacher"].contains(part)
    }
  }
}
