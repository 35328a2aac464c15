/// In JSON a list of changes: `["flip", {"crop": 4}, {"shift": 1}, {"cutout": 8}]`.
///
/// What version 0.1 wrote, `{"steps": [{"mirror": {}}, …]}`, is read too.
extension Augmentation: Codable {
  private enum Earlier: CodingKey { case steps }
  private enum Change: String, CodingKey, CaseIterable { case crop, flip, shift, cutout }

  public init(from decoder: any Swift.Decoder) throws {
    if let earlier = try? decoder.container(keyedBy: Earlier.self), earlier.contains(.steps) {
      steps = try earlier.decode([EarlierStep].self, forKey: .steps).map(\.step)
      return
    }
    var list = try decoder.unkeyedContainer()
    steps = []
    while !list.isAtEnd {
      let path = list.codingPath
      let step = try list.superDecoder()
      if let name = try? step.singleValueContainer().decode(String.self), name == Change.flip.rawValue {
        steps.append(.mirror)
        continue
      }
      let change = try? step.container(keyedBy: Change.self)
      guard let change, change.allKeys.count == 1, let key = change.allKeys.first, key != .flip else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: path,
            debugDescription:
              #"a change is "flip", {"crop": 4}, {"shift": 1} or {"cutout": 8}, with a number of pixels"#))
      }
      steps.append(try Self.step(key, change.decode(Int.self, forKey: key), path))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for step in steps {
      switch step {
      case .translate(let distance, let repeatsEdge): try list.encode([repeatsEdge ? "shift" : "crop": distance])
      case .mirror: try list.encode("flip")
      case .cutout(let size): try list.encode(["cutout": size])
      }
    }
  }

  private static func step(_ change: Change, _ pixels: Int, _ path: [any CodingKey]) throws -> Step {
    guard (change == .cutout ? 1 : 0)...4096 ~= pixels else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: path,
          debugDescription: "\(change.rawValue) is \(pixels), it must be a number of pixels up to 4096"))
    }
    return change == .cutout ? .cutout(pixels) : .translate(by: pixels, repeatsEdge: change == .shift)
  }

  /// A change as version 0.1 wrote it.
  private struct EarlierStep: Decodable {
    let step: Step

    private enum Name: CodingKey { case translate, mirror, cutout }
    private struct Translation: Decodable {
      var by: Int
      var repeatsEdge: Bool
    }
    private struct Size: Decodable { var _0: Int }

    init(from decoder: any Swift.Decoder) throws {
      let values = try decoder.container(keyedBy: Name.self)
      if let translation = try values.decodeIfPresent(Translation.self, forKey: .translate) {
        step = try Augmentation.step(
          translation.repeatsEdge ? .shift : .crop, translation.by, decoder.codingPath)
      } else if let size = try values.decodeIfPresent(Size.self, forKey: .cutout) {
        step = try Augmentation.step(.cutout, size._0, decoder.codingPath)
      } else {
        step = .mirror
      }
    }
  }
}
