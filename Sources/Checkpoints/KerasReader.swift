#if HDF5
  import CKeras
  import FileFormats
  import Foundation
  import Layers
  import Synchronization

  /// A layer of a Keras file: the paths of its arrays by what they are.
  struct KerasLayer {
    enum Kind: String {
      case convolution = "convolution"
      case linear = "dense layer"
      case norm = "batch norm"
    }
    let name: String
    let kind: Kind
    let arrays: [String: String]
  }

  /// Finds the layers of a Keras file and reads their arrays.
  struct KerasReader {
    private static let maximumLayers = 10_000
    /// HDF5's library is not for several threads.
    private static let lock = Mutex(())

    let file: String
    private let handle: Int64

    /// Opens the file at `url` for as long as `body` takes.
    static func reading<R>(
      _ url: URL, _ body: (KerasReader) throws(CheckpointError) -> sending R
    ) throws(CheckpointError) -> R {
      try lock.withLock { _ throws(CheckpointError) in
        var error = ck_error()
        let handle = ck_open(url.path, &error)
        guard handle >= 0 else { throw CheckpointError("cannot be read: \(words(error))", in: url.path) }
        defer { ck_close(handle) }
        return try body(KerasReader(file: url.path, handle: handle))
      }
    }

    private static func words(_ error: ck_error) -> String {
      withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Every layer that has weights, in the file's order.
    func layers() throws(CheckpointError) -> [KerasLayer] {
      for root in ["/", "/model_weights"] where hasList(root, "layer_names") { return try listed(root) }
      guard ck_has_group(handle, "/layers") != 0 else {
        throw error("has neither 'layer_names' nor a group 'layers', by which Keras' weights are known")
      }
      return try numbered("/layers")
    }

    // MARK: The older layout, which lists its layers and their weights

    /// Keras cuts what is too long for an attribute into several: `layer_names0`, `layer_names1` and so on.
    private func hasList(_ group: String, _ name: String) -> Bool {
      ck_has_attribute(handle, group, name) != 0 || ck_has_attribute(handle, group, name + "0") != 0
    }
    private func list(_ group: String, _ name: String) throws(CheckpointError) -> [String] {
      if ck_has_attribute(handle, group, name) != 0 { return try names(of: group, attribute: name) }
      var (all, part) = ([String](), 0)
      while ck_has_attribute(handle, group, "\(name)\(part)") != 0, all.count <= Self.maximumLayers {
        all += try names(of: group, attribute: "\(name)\(part)")
        part += 1
      }
      return all
    }

    private func listed(_ root: String) throws(CheckpointError) -> [KerasLayer] {
      var layers: [KerasLayer] = []
      for name in try list(root, "layer_names") {
        let group = (root == "/" ? "" : root) + "/\(name)"
        // A model within the model lists the weights of all its layers: the path before the last name tells which is whose.
        var found: [(name: String, arrays: [String: String])] = []
        for weight in try list(group, "weight_names") {
          let parts = weight.split(separator: "/")
          // TensorFlow numbers its outputs: `kernel:0`.
          guard let role = parts.last?.split(separator: ":").first.map(String.init) else {
            throw error("'\(name)' has a weight without a name")
          }
          let owner = parts.count > 1 ? parts.dropLast().joined(separator: "/") : name
          let index = found.firstIndex { $0.name == owner } ?? found.count
          if index == found.count { found.append((owner, [:])) }
          guard found[index].arrays.updateValue("\(group)/\(weight)", forKey: role) == nil else {
            throw error("'\(owner)' has two weights '\(role)'")
          }
        }
        for (owner, arrays) in found where Set(arrays.keys) != ["seed_generator_state"] {
          layers.append(KerasLayer(name: owner, kind: try kind(owner, arrays), arrays: arrays))
        }
      }
      return layers
    }

    private func kind(_ name: String, _ arrays: [String: String]) throws(CheckpointError) -> KerasLayer.Kind {
      let roles = Set(arrays.keys)
      if roles.contains("moving_mean"), roles.contains("moving_variance"),
        roles.isSubset(of: ["gamma", "beta", "moving_mean", "moving_variance"])
      {
        return .norm
      }
      if let kernel = arrays["kernel"], roles.isSubset(of: ["kernel", "bias"]) {
        switch try shape(kernel).count {
        case 4: return .convolution
        case 2: return .linear
        default: break
        }
      }
      throw error("'\(name)' has the weights \(roles.sorted()), which no convolution, dense layer or batch norm has")
    }

    // MARK: The layout of Keras 3, which numbers the layers of each class

    private func numbered(_ root: String) throws(CheckpointError) -> [KerasLayer] {
      let classes: [String: (kind: KerasLayer.Kind, roles: [[String]])] = [
        "conv2d": (.convolution, [["kernel"], ["kernel", "bias"]]),
        "dense": (.linear, [["kernel"], ["kernel", "bias"]]),
        // With three it is not said whether the scale or the shift is left out.
        "batch_normalization": (
          .norm, [["moving_mean", "moving_variance"], ["gamma", "beta", "moving_mean", "moving_variance"]]
        ),
      ]
      var found: [(number: Int, layer: KerasLayer)] = []
      for member in try names(of: root) {
        let path = "\(root)/\(member)"
        guard ck_has_group(handle, "\(path)/layers") == 0 else {
          throw error(
            "'\(member)' has layers of its own, and a .weights.h5 does not tell where they stand: save the model as .h5"
          )
        }
        let variables = ck_has_group(handle, "\(path)/vars") == 0 ? [] : try names(of: "\(path)/vars")
        guard !variables.isEmpty else { continue }
        let words = member.split(separator: "_")
        let number = words.last.flatMap { Int($0) }
        let (name, place) = (number == nil ? member : words.dropLast().joined(separator: "_"), number ?? 0)
        guard let known = classes[name] else {
          throw error("'\(member)' is no convolution, dense layer or batch norm, others are not read")
        }
        guard let roles = known.roles.first(where: { $0.count == variables.count }) else {
          throw error(
            "'\(member)' has \(variables.count) arrays, "
              + "a \(known.kind.rawValue) \(known.roles.map { "\($0.count)" }.joined(separator: " or "))")
        }
        let arrays = Dictionary(uniqueKeysWithValues: roles.enumerated().map { ($1, "\(path)/vars/\($0)") })
        found.append((place, KerasLayer(name: member, kind: known.kind, arrays: arrays)))
      }
      return found.sorted { $0.number < $1.number }.map(\.layer)
    }

    // MARK: Names and numbers

    /// The names in an attribute of a group, or else those of its members.
    private func names(of group: String, attribute: String? = nil) throws(CheckpointError) -> [String] {
      var (error, names) = (ck_error(), ck_names())
      let isRead =
        attribute.map { ck_attribute(handle, group, $0, Self.maximumLayers, &names, &error) }
        ?? ck_members(handle, group, Self.maximumLayers, &names, &error)
      guard isRead != 0 else {
        throw self.error("'\(group)' \(attribute.map { "'\($0)' " } ?? "")\(Self.words(error))")
      }
      defer { ck_free(&names) }
      return UnsafeRawBufferPointer(start: names.text, count: names.length).split(separator: 0).map {
        String(decoding: $0, as: UTF8.self)
      }
    }

    /// The extents of the array at `path`.
    func shape(_ path: String) throws(CheckpointError) -> [Int] {
      var (error, rank, extents) = (ck_error(), Int32(0), [UInt64](repeating: 0, count: 8))
      guard ck_shape(handle, path, &extents, &rank, &error) != 0 else {
        throw self.error("'\(path)' \(Self.words(error))")
      }
      let shape = extents.prefix(Int(rank)).map { Int(clamping: $0) }
      guard checkedCount(shape) != nil else { throw self.error("'\(path)' has the impossible shape \(shape)") }
      return shape
    }

    /// The array at `path`, of which nothing is read unless it has the shape `wanted` of `owner`.
    func array(_ path: String, _ wanted: Shape, for owner: String) throws(CheckpointError) -> Tensor {
      let found = try shape(path)
      guard found == wanted.dimensions else {
        throw error("'\(path)' has shape \(found), '\(owner)' wants \(wanted)")
      }
      var (error, isRead) = (ck_error(), Int32(0))
      let tensor = Tensor(shape: wanted) { out in
        #if DoublePrecision
          isRead = ck_read(handle, path, out.count, nil, out.baseAddress, &error)
        #else
          isRead = ck_read(handle, path, out.count, out.baseAddress, nil, &error)
        #endif
      }
      guard isRead != 0 else { throw self.error("'\(path)' \(Self.words(error))") }
      return tensor
    }

    func error(_ problem: String) -> CheckpointError { CheckpointError(problem, in: file) }
  }
#endif
