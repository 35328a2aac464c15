/// In JSON a list of changes: `["flip", {"crop": 4}, {"shift": 1}, {"cutout": 8}]`.
///
/// Those with values of their own have them in an object, such as `{"resizedCrop": {"area": [0.25, 1]}}`; the name alone, `"resizedCrop"`,
/// stands for the defaults.
///
/// What version 0.1 wrote, `{"steps": [{"mirror": {}}, …]}`, is read too.
extension Augmentation: Codable {
  private enum Earlier: CodingKey { case steps }
  private enum Change: String, CodingKey, CaseIterable {
    case crop, flip, shift, cutout, resizedCrop, colourJitter, randomErasing, trivialAugment, randAugment
  }

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
      if let name = try? step.singleValueContainer().decode(String.self) {
        guard let plain = Change(rawValue: name).flatMap(Self.plain) else { throw Self.noChange(path) }
        steps.append(plain)
        continue
      }
      let change = try? step.container(keyedBy: Change.self)
      guard let change, change.allKeys.count == 1, let key = change.allKeys.first else { throw Self.noChange(path) }
      steps.append(try Self.step(key, change, path))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for step in steps {
      if let change = Change.allCases.first(where: { Self.plain($0) == step }) {
        try list.encode(change.rawValue)
        continue
      }
      switch step {
      case .translate(let distance, let repeatsEdge): try list.encode([repeatsEdge ? "shift" : "crop": distance])
      case .cutout(let size): try list.encode(["cutout": size])
      case .resizedCrop(let crop): try list.encode([Change.resizedCrop.rawValue: crop.values])
      case .jitter(let jitter): try list.encode([Change.colourJitter.rawValue: jitter.values])
      case .erase(let erasing):
        // Numbers and pairs of them side by side.
        var change = list.nestedContainer(keyedBy: Change.self)
        try change.encode(ErasingValues(erasing), forKey: .randomErasing)
      case .randAugment(let operations, let magnitude):
        try list.encode([Change.randAugment.rawValue: ["operations": operations, "magnitude": magnitude]])
      case .mirror, .trivialAugment: break
      }
    }
  }

  /// What the name of a change alone stands for, nil where it needs a number.
  private static func plain(_ change: Change) -> Step? {
    switch change {
    case .flip: .mirror
    case .resizedCrop: Augmentation.randomResizedCrop().steps[0]
    case .colourJitter: Augmentation.colourJitter().steps[0]
    case .randomErasing: Augmentation.randomErasing().steps[0]
    case .trivialAugment: .trivialAugment
    case .randAugment: Augmentation.randAugment().steps[0]
    case .crop, .shift, .cutout: nil
    }
  }

  private static func noChange(_ path: [any CodingKey]) -> DecodingError {
    .dataCorrupted(
      .init(
        codingPath: path,
        debugDescription:
          #"a change is "flip", {"crop": 4}, {"shift": 1} or {"cutout": 8}, with a number of pixels, or "resizedCrop", "#
          + #""colourJitter", "randomErasing", "trivialAugment" or "randAugment", alone or as {"resizedCrop": {"area": [0.25, 1]}}"#
      ))
  }

  private static func step(
    _ key: Change, _ container: KeyedDecodingContainer<Change>, _ path: [any CodingKey]
  ) throws -> Step {
    func checked(_ step: Step, _ problem: String?) throws -> Step {
      guard let problem else { return step }
      throw DecodingError.dataCorrupted(
        .init(codingPath: path, debugDescription: "\(key.rawValue): \(problem)"))
    }
    func values(_ names: String...) throws -> KeyedDecodingContainer<AnyName> {
      let values = try container.nestedContainer(keyedBy: AnyName.self, forKey: key)
      if let unknown = values.allKeys.first(where: { !names.contains($0.stringValue) }) {
        _ = try checked(
          .mirror, "'\(unknown.stringValue)' is no value of it; there are \(names.joined(separator: ", "))")
      }
      return values
    }
    switch key {
    case .crop, .shift, .cutout: return try Self.step(key, container.decode(Int.self, forKey: key), path)
    case .flip, .trivialAugment: throw noChange(path)
    case .resizedCrop:
      let crop = try values("area", "aspect").rectangle(area: 0.08...1, aspect: 0.75...4.0 / 3)
      return try checked(.resizedCrop(crop), crop.problem)
    case .colourJitter:
      let given = try values("brightness", "contrast", "saturation", "hue")
      let jitter = ColourJitter(
        brightness: try given.number("brightness") ?? 0, contrast: try given.number("contrast") ?? 0,
        saturation: try given.number("saturation") ?? 0, hue: try given.number("hue") ?? 0)
      return try checked(.jitter(jitter), jitter.problem)
    case .randomErasing:
      let given = try values("probability", "area", "aspect")
      let erasing = RandomErasing(
        probability: try given.number("probability") ?? 0.5,
        rectangle: try given.rectangle(area: 0.02...0.33, aspect: 0.3...10.0 / 3))
      return try checked(.erase(erasing), erasing.problem)
    case .randAugment:
      let given = try values("operations", "magnitude")
      let operations = try given.decodeIfPresent(Int.self, forKey: AnyName("operations")) ?? 2
      let magnitude = try given.decodeIfPresent(Int.self, forKey: AnyName("magnitude")) ?? 9
      return try checked(
        .randAugment(operations: operations, magnitude: magnitude),
        AugmentationOperation.problem(count: operations, magnitude: magnitude))
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

extension Augmentation {
  /// The JSON schema of an augmentation.
  package static let schema: String = {
    func object(_ properties: String) -> String {
      #"{"type": "object", "additionalProperties": false, "properties": {\#(properties)}}"#
    }
    func number(_ name: String, _ least: String, _ most: String) -> String {
      #""\#(name)": {"type": "number", "minimum": \#(least), "maximum": \#(most)}"#
    }
    func pair(_ name: String) -> String {
      #""\#(name)": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}"#
    }
    func integer(_ name: String, _ least: Int, _ most: Int) -> String {
      #""\#(name)": {"type": "integer", "minimum": \#(least), "maximum": \#(most)}"#
    }
    let jitter = ["brightness", "contrast", "saturation"].map { number($0, "0", "10") } + [number("hue", "0", "0.5")]
    let changes = [
      integer("crop", 0, 4096), integer("shift", 0, 4096), integer("cutout", 1, 4096),
      #""resizedCrop": \#(object([pair("area"), pair("aspect")].joined(separator: ", ")))"#,
      #""colourJitter": \#(object(jitter.joined(separator: ", ")))"#,
      #""randomErasing": \#(object([number("probability", "0", "1"), pair("area"), pair("aspect")].joined(separator: ", ")))"#,
      #""randAugment": \#(object([integer("operations", 1, 16), integer("magnitude", 0, 30)].joined(separator: ", ")))"#,
    ]
    let names = Change.allCases.filter { plain($0) != nil }.map { "\"\($0.rawValue)\"" }
    return #"{"type": "array", "items": {"anyOf": [{"enum": [\#(names.joined(separator: ", "))]}, {"type": "object", "#
      + #""additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": {\#(changes.joined(separator: ", "))}}]}}"#
  }()
}

// MARK: Values

private struct AnyName: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<AnyName> {
  fileprivate func number(_ name: String) throws -> Double? { try decodeIfPresent(Double.self, forKey: AnyName(name)) }

  fileprivate func rectangle(
    area: ClosedRange<Double>, aspect: ClosedRange<Double>
  ) throws -> RandomRectangle {
    RandomRectangle(area: try range("area") ?? area, aspect: try range("aspect") ?? aspect)
  }

  private func range(_ name: String) throws -> ClosedRange<Double>? {
    guard let bounds = try decodeIfPresent([Double].self, forKey: AnyName(name)) else { return nil }
    guard bounds.count == 2, bounds[0] <= bounds[1] else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath, debugDescription: "\(name) is \(bounds), it must be the least and the most, [0.25, 1]"
        )
      )
    }
    return bounds[0]...bounds[1]
  }
}

extension RandomRectangle {
  fileprivate var values: [String: [Double]] {
    ["area": [area.lowerBound, area.upperBound], "aspect": [aspect.lowerBound, aspect.upperBound]]
  }
}

extension ColourJitter {
  fileprivate var values: [String: Double] {
    ["brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue]
  }
}

private struct ErasingValues: Encodable {
  let probability: Double
  let area: [Double]
  let aspect: [Double]

  init(_ erasing: RandomErasing) {
    let values = erasing.rectangle.values
    (probability, area, aspect) = (erasing.probability, values["area"]!, values["aspect"]!)
  }
}
